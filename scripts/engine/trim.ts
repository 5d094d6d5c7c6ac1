/** Exports that nothing calls go: each costs an instance some 400 bytes of the host's memory. */
import binaryen from 'binaryen'
import { EXPORTS } from '../../sandbox/wasm-names.ts'

export const trimExports = (module: binaryen.Module): void => {
  const called = new Set<string>(Object.values(EXPORTS))
  const names = Array.from({ length: module.getNumExports() }, (_, i) => {
    return binaryen.getExportInfo(module.getExportByIndex(i)).name
  })
  for (const name of names) if (!called.has(name)) module.removeExport(name)
}
