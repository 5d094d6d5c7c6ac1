import { MeshError } from '../../protocol/errors.ts'

/** Printable ASCII without the space: sorts the same by byte and by UTF-16 unit. Longest in use: a CID and a PeerId. */
const STORAGE_KEY = /^[!-~]{1,512}$/

/** Throws MeshError E_INTERNAL unless `key` is 1 to 512 printable ASCII characters. */
export const ensureStorageKey = (key: string): void => {
  if (!STORAGE_KEY.test(key)) {
    const shown = JSON.stringify(key.slice(0, 80))
    throw new MeshError('E_INTERNAL', `storage key ${shown}: keys are 1 to 512 printable ASCII characters`)
  }
}
