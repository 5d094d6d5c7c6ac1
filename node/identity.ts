/** The peer's key: one file that only its owner can read. */
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MeshError } from '../protocol/errors.ts'
import type { Signer } from '../protocol/ports.ts'
import { createSigner, generatePrivateKey } from './crypto.ts'

const KEY = /^[0-9a-f]{64}\n?$/

/** Whole or not at all, and never over a key that is there: a crash or a second process leaves one key. */
const createKey = (file: string) => {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${Buffer.from(generatePrivateKey()).toString('hex')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(fresh, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** The key in `data`, made if there is none: 32 bytes in hex. Throws MeshError E_CONFIG if it is damaged or others can read it. */
export const openIdentity = (data: string): Signer => {
  const file = join(data, 'identity.key')
  if (!existsSync(file)) createKey(file)
  const others = process.platform === 'win32' ? 0 : statSync(file).mode & 0o077
  if (others !== 0) throw new MeshError('E_CONFIG', `${file} can be read by others than its owner; chmod 600 ${file}`)
  const text = readFileSync(file, 'utf8')
  if (!KEY.test(text)) {
    throw new MeshError(
      'E_CONFIG',
      `${file} holds no key (64 hex digits); restore it, or remove it to become a new peer`,
    )
  }
  return createSigner(new Uint8Array(Buffer.from(text.trim(), 'hex')))
}
