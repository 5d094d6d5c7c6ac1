/** A function body cut into its instructions and patterns, for tests that change or count them. */
import { Instructions, readLocals } from '../../sandbox/wasm/instruction.ts'
import {
  CANONICAL_F32,
  CANONICAL_F64,
  CHARGE,
  ENTER,
  emptyFilling,
  type Filling,
  LEAVE,
  matches,
  type Pattern,
  SIZED,
} from '../../sandbox/wasm/patterns.ts'
import { Reader } from '../../sandbox/wasm/reader.ts'
import type { ModuleParts } from '../../sandbox/wasm/sections.ts'

export interface Piece {
  bytes: Uint8Array
  /** Undefined: an instruction. */
  pattern: Pattern | undefined
  /** What was in its holes. */
  filling: Filling
  /** Of an instruction. */
  opcode: number
  gas: number
}

const PATTERNS: readonly Pattern[] = [CHARGE, ENTER, LEAVE, CANONICAL_F32, CANONICAL_F64, ...SIZED.values()]

/** The declarations of locals as they stand, how many they are, and the rest in pieces. `gas`: index of its global. */
export const piecesOf = (body: Reader, parts: ModuleParts, type: number, gas: number) => {
  const reader = new Reader(body.bytes, body.at, body.end)
  const locals = readLocals(reader, parts.types[type]!.params.length).length
  const declared = reader.bytes.subarray(body.at, reader.at)
  const code = new Instructions(reader, parts)
  const pieces: Piece[] = []
  while (!reader.done) {
    const start = reader.at
    const filling = emptyFilling(gas, parts.memories[0]?.maximum ?? 0)
    const pattern = PATTERNS.find((one) => matches(reader, one, filling))
    if (pattern === undefined) code.next()
    const bytes = reader.bytes.subarray(start, reader.at)
    pieces.push({ bytes, pattern, filling, opcode: pattern ? -1 : code.opcode, gas: pattern ? 0 : code.gas })
  }
  return { declared, locals, pieces }
}

/** The bytes of all sections but those given here by ID, which stand in their place. */
export const withSections = (parts: ModuleParts, others: Record<number, number[]>): Uint8Array => {
  const out = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  for (const [id, { bytes, at, end }] of parts.sections) {
    const content = others[id] ?? [...bytes.subarray(at, end)]
    out.push(id)
    for (let length = content.length; ; length >>>= 7) {
      out.push(length < 0x80 ? length : (length & 0x7f) | 0x80)
      if (length < 0x80) break
    }
    for (const byte of content) out.push(byte)
  }
  return Uint8Array.from(out)
}
