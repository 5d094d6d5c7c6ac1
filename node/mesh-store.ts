/** The mesh that a data directory belongs to, kept with what is needed to come back to it: apart from all that can be had again. */
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MeshError } from '../protocol/errors.ts'
import { ADDRESSES_MAX } from '../protocol/limits.ts'
import { MeshRecord } from '../protocol/mesh-record.ts'

const fileIn = (data: string) => join(data, 'mesh')

/** Throws MeshError E_STORAGE if the file is damaged. */
export const loadMesh = async (data: string): Promise<MeshRecord | undefined> => {
  const path = fileIn(data)
  if (!existsSync(path)) return undefined
  try {
    return MeshRecord.decode(new Uint8Array(await readFile(path)))
  } catch (cause) {
    const message = `${path}, which says to which mesh this machine belongs, is damaged; remove it and join again with --join TICKET`
    throw new MeshError('E_STORAGE', { message, path }, { cause })
  }
}

/** On the disk, whole, when it resolves. */
export const saveMesh = async (data: string, { genesis, chain, addresses }: MeshRecord): Promise<void> => {
  const bytes = MeshRecord.encode({ genesis, chain, addresses: addresses.slice(0, 4 * ADDRESSES_MAX) })
  const path = fileIn(data)
  // On a full disk an agent starts as well as before.
  if (existsSync(path) && Buffer.compare(await readFile(path), bytes) === 0) return
  try {
    await writeFile(`${path}.new`, bytes, { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
  } catch (cause) {
    const message = `${path} cannot be written (${(cause as Error).message}); check the disk of the data directory`
    throw new MeshError('E_STORAGE', { message, path }, { cause })
  }
}
