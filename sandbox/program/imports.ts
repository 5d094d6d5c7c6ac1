/** What a module's imports do: WASI, and how AssemblyScript gives up. */
import { WASI_MODULE, type WasiName } from '../wasm/imports.ts'
import { ProgramEnd } from './end.ts'
import type { Imports, ProgramInstance } from './instance.ts'
import type { Program } from './program.ts'
import { type Streams, wasiImports } from './wasi.ts'

const TEXT_CHARS_MAX = 1000
const utf16 = new TextDecoder('utf-16le')

/** A string of AssemblyScript: UTF-16, its length in bytes before it. Empty if it is none. */
const textAt = (memory: Uint8Array, at: number): string => {
  const from = at >>> 0
  if (from < 4 || from > memory.length) return ''
  const length = new DataView(memory.buffer).getUint32(from - 4, true)
  return utf16.decode(memory.subarray(from, from + (Math.min(length, 2 * TEXT_CHARS_MAX) & ~1)))
}

const abort =
  (guest: () => ProgramInstance) =>
  (message: number, file: number, line: number, column: number): never => {
    const { bytes } = guest()
    const where = textAt(bytes, file)
    const at = where && ` at ${where}:${line >>> 0}:${column >>> 0}`
    throw new ProgramEnd('E_FUNCTION_THREW', `abort: ${textAt(bytes, message) || 'no message'}${at}`)
  }

/** `guest` is asked once the module runs. */
export const importsOf = (
  { facts }: Program,
  guest: () => ProgramInstance,
  streams: Streams,
  seed: Uint8Array,
): Imports => {
  const names = facts.imports.filter(({ module }) => module === WASI_MODULE).map(({ name }) => name as WasiName)
  return {
    env: { abort: abort(guest) },
    ...(names.length > 0 && { [WASI_MODULE]: wasiImports(names, guest, streams, seed) }),
  }
}
