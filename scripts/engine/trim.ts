/** What nothing calls goes: an export costs an instance some 400 bytes of the host's memory, and all of it is in a page's download. */
import binaryen from 'binaryen'
import { EXPORTS } from '../../sandbox/wasm-names.ts'

/**
 * Without inlining, which would change who calls whom, and so which functions are padded. Frames become no larger
 * (frames.process.test.ts and the determinism suites measure them).
 */
const DEAD = [
  'remove-unused-module-elements',
  'dce',
  'remove-unused-names',
  'remove-unused-brs',
  'precompute',
  'vacuum',
  'coalesce-locals',
  'reorder-locals',
]

export const trimExports = (module: binaryen.Module): void => {
  const called = new Set<string>(Object.values(EXPORTS))
  const names = Array.from({ length: module.getNumExports() }, (_, i) => {
    return binaryen.getExportInfo(module.getExportByIndex(i)).name
  })
  for (const name of names) if (!called.has(name)) module.removeExport(name)
  module.runPasses(DEAD)
}
