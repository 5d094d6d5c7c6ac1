/** The files that a command writes its results to. */
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { MeshError } from '../../protocol/errors.ts'

const unwritable = (path: string, why: string, cause?: unknown): MeshError =>
  new MeshError('E_USAGE', { message: `${path} cannot be written: ${why}; name another file`, file: path }, { cause })

/** Before the work is done, so that no result is lost for a typing mistake. Throws MeshError E_USAGE. */
export const ensureWritable = (path: string | undefined): void => {
  if (path === undefined) return
  if (existsSync(path) && statSync(path).isDirectory()) throw unwritable(path, 'it is a directory')
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK)
  } catch (cause) {
    throw unwritable(path, (cause as Error).message, cause)
  }
}

/** Throws MeshError E_USAGE. */
export const writeResult = (path: string, content: string | Uint8Array): void => {
  try {
    writeFileSync(path, content)
  } catch (cause) {
    throw unwritable(path, (cause as Error).message, cause)
  }
}
