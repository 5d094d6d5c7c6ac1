/** What nothing calls goes: an export costs an instance some 400 bytes of the host's memory, and all of it is in a page's download. */
import binaryen from 'binaryen'
import { EXPORTS } from '../../sandbox/wasm-names.ts'

export const trimExports = (module: binaryen.Module): void => {
  const called = new Set<string>(Object.values(EXPORTS))
  const names = Array.from({ length: module.getNumExports() }, (_, i) => {
    return binaryen.getExportInfo(module.getExportByIndex(i)).name
  })
  for (const name of names) if (!called.has(name)) module.removeExport(name)
  // No function that is left is changed by it: their native frames are what they were measured to be.
  module.runPasses(['remove-unused-module-elements'])
}
