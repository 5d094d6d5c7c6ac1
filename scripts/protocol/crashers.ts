/** Inputs that once broke a reader. They are kept for ever, and tried again in every test run. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rawCid } from '../../protocol/cid.ts'
import type { Crasher } from './fuzz-target.ts'
import { crypto } from './test-keys.ts'

const FOLDER = join(import.meta.dirname, '../../protocol/vectors/crashers')

/** A file's name is the CID of its bytes. */
const nameOf = (bytes: Uint8Array) => `${rawCid(crypto, bytes)}.bin`

export const readCrashers = (): { name: string; bytes: Uint8Array }[] =>
  readdirSync(FOLDER).map((name) => {
    const bytes = new Uint8Array(readFileSync(join(FOLDER, name)))
    if (name !== nameOf(bytes)) throw new Error(`${name} was changed: its bytes are those of ${nameOf(bytes)}`)
    return { name, bytes }
  })

/** Writes them to protocol/vectors/crashers/ and gives a line about each. */
export const saveCrashers = (crashers: readonly Crasher[]): string[] => {
  mkdirSync(FOLDER, { recursive: true })
  return crashers.map(({ target, bytes, why }) => {
    writeFileSync(join(FOLDER, nameOf(bytes)), bytes)
    return `${target}: ${why}; saved as protocol/vectors/crashers/${nameOf(bytes)}`
  })
}
