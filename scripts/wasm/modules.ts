/** Modules for tests, built byte by byte, so that each can be wrong in one place. */

import { MIB } from '../../protocol/limits.ts'
import type { FunctionType, MeteredLimits } from '../../sandbox/wasm/form.ts'
import { GAS_EXPORT, STACK_EXPORT } from '../../sandbox/wasm/form.ts'
import { OP } from '../../sandbox/wasm/opcodes.ts'
import { CHARGE, ENTER, emptyFilling, type Filling, LEAVE, type Pattern, SIZED } from '../../sandbox/wasm/patterns.ts'
import { KIND, VALUE_TYPE_BYTES } from '../../sandbox/wasm/sections.ts'
import { Writer } from '../../sandbox/wasm/writer.ts'
import { fill } from '../../sdk/bundle/wasm/charge.ts'

export const NO_RESULT: FunctionType = { params: [], results: [] }

export const LIMITS: MeteredLimits = {
  memoryBytesMax: 16 * MIB,
  imports: new Map([['env.log', { params: ['i32'], results: [] }]]),
}

export const u32 = (value: number): number[] => {
  const out = new Writer()
  out.u32(value)
  return [...out.bytes]
}
export const natural = (value: number): number[] => {
  const out = new Writer()
  out.natural(value)
  return [...out.bytes]
}
export const sized = (bytes: number[]): number[] => [...u32(bytes.length), ...bytes]
export const listOf = (...items: number[][]): number[] => [...u32(items.length), ...items.flat()]
export const text = (name: string): number[] => sized([...new TextEncoder().encode(name)])
export const i32 = (value: number): number[] => [OP.i32Const, ...natural(value)]

/** A pattern with its holes filled; gas and stack are the globals 0 and 1 unless said otherwise. */
export const written = (pattern: Pattern, filling: Partial<Filling> = {}): number[] => {
  const out = new Writer()
  fill(out, pattern, { ...emptyFilling(0, 4), cost: 1, frame: 1, ...filling })
  return [...out.bytes]
}
export const charge = (cost: number) => written(CHARGE, { cost })
export const enter = (cost: number, frame: number) => written(ENTER, { cost, frame })
export const leave = (frame: number) => written(LEAVE, { frame })
export const sizedPattern = (opcode: number, filling: Partial<Filling> = {}) => written(SIZED.get(opcode)!, filling)

export interface Body {
  /** Groups: how many, of which type. */
  locals?: [number, keyof typeof VALUE_TYPE_BYTES][]
  /** Instructions, without the last `end`. */
  code: number[]
}

const bodyOf = ({ locals = [], code }: Body): number[] =>
  sized([...listOf(...locals.map(([count, type]) => [...u32(count), VALUE_TYPE_BYTES[type]])), ...code, OP.end])

const typeOf = ({ params, results }: FunctionType): number[] => [
  0x60,
  ...listOf(...params.map((type) => [VALUE_TYPE_BYTES[type]])),
  ...listOf(...results.map((type) => [VALUE_TYPE_BYTES[type]])),
]

const RESERVED = [VALUE_TYPE_BYTES.i64, 1, OP.i64Const, 0, OP.end]
export const exported = (name: string, kind: number, index: number): number[] => [...text(name), kind, ...u32(index)]
const RESERVED_EXPORTS = [exported(GAS_EXPORT, KIND.global, 0), exported(STACK_EXPORT, KIND.global, 1)]

/** Contents of sections by ID, without their length. */
export type Sections = Record<number, number[] | undefined>

/** A module of functions of type `() -> ()`, whose sections `others` adds to or replaces. */
export const moduleOf = (bodies: Body[], others: Sections = {}): Uint8Array<ArrayBuffer> => {
  const sections: Sections = {
    1: listOf(typeOf(NO_RESULT), typeOf({ params: ['i32'], results: [] })),
    3: listOf(...bodies.map(() => [0])),
    6: listOf(RESERVED, RESERVED),
    7: listOf(...RESERVED_EXPORTS),
    10: listOf(...bodies.map(bodyOf)),
    ...others,
  }
  const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
  return assembled(order.flatMap((id) => (sections[id] === undefined ? [] : [[id, ...sized(sections[id])]])))
}

export const assembled = (sections: number[][]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...sections.flat()])

export const withExports = (...more: number[][]): Sections => ({ 7: listOf(...RESERVED_EXPORTS, ...more) })
export const MEMORY: Sections = { 5: listOf([1, 1, 4]) }
