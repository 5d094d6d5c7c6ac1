/** The engine on the Storage port, as its conformance suite wants it. */
import type { Storage } from '../../../protocol/ports.ts'
import type { StateEngine } from '../engine.ts'
import { openStorageEngine } from '../storage-engine.ts'
import { quotaOf, type StateHarness } from './subject.ts'

/** Fewer than a machine keeps, so that a test can go beyond. */
const REVISIONS = 64

const damaged = (what: string) => {
  throw new Error(what)
}

const forget = async (engine: StateEngine): Promise<void> => {
  const filler = { namespace: '.other', key: 'filler', put: new Uint8Array(1) }
  for (let n = 0; n <= REVISIONS; n++) {
    const revision = await engine.revision()
    await engine.commit({ id: `filler-${revision}`, revision, reads: [], ranges: [], writes: [filler] })
  }
}

/** `open` gives an empty storage, `reopen` the same data again. */
export const storageHarness = (
  open: () => Promise<Storage>,
  reopen: (storage: Storage) => Promise<Storage>,
): StateHarness => {
  let storage: Storage
  const openEngine = () =>
    openStorageEngine({ storage, quotaOf, damaged, window: { revisions: REVISIONS, bytes: 2 ** 24 } })
  return {
    open: async () => {
      storage = await open()
      return openEngine()
    },
    reopen: async () => {
      storage = await reopen(storage)
      return openEngine()
    },
    forget,
    close: () => storage.close(),
  }
}
