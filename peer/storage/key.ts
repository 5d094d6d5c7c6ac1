import { MeshError } from '../../protocol/errors.ts'

/** Printable ASCII without the space: sorts the same by byte and by UTF-16 unit. Longest in use: a key of the state with its namespace. */
const STORAGE_KEY = /^[!-~]{1,1024}$/

/** Throws MeshError E_INTERNAL unless `key` is 1 to 1024 printable ASCII characters. */
export const ensureStorageKey = (key: string): void => {
  if (!STORAGE_KEY.test(key)) {
    const shown = JSON.stringify(key.slice(0, 80))
    throw new MeshError('E_INTERNAL', `storage key ${shown}: keys are 1 to 1024 printable ASCII characters`)
  }
}
