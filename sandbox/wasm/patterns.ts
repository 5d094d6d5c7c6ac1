/** The only instructions that touch gas and stack, byte for byte: the pass writes these patterns, the checker knows no others. */
import { OP } from './opcodes.ts'
import type { Reader } from './reader.ts'

/**
 * What differs from one place of a pattern to another. `gas`, `stack`: indexes of globals. `pages`: the memory's maximum.
 * `cost`, `frame`: i64. `local`, `second`, `segment`: indexes.
 */
type Hole = 'gas' | 'stack' | 'pages' | 'cost' | 'frame' | 'local' | 'second' | 'segment'
export type Filling = Record<Hole, number>
/** What is the same all over a module, and nothing in the other holes. `gas`: index of its global. */
export const emptyFilling = (gas: number, pages: number): Filling => ({
  ...{ gas, stack: gas + 1, pages },
  ...{ cost: 0, frame: 0, local: 0, second: 0, segment: 0 },
})
/** Bytes and holes. */
export type Pattern = readonly (number | Hole)[]

const EMPTY = 0x40
const TRAP_IF = [OP.if, EMPTY, OP.unreachable, OP.end] as const
/** Of a charge, and of what is paid by size: traps if gas is below zero. */
export const GAS_CHECK: Pattern = [OP.globalGet, 'gas', OP.i64Const, 0, OP.i64LtS, ...TRAP_IF]
/** Of an entry: traps if gas or stack is. */
export const STACK_CHECK: Pattern = [
  ...[OP.globalGet, 'gas', OP.globalGet, 'stack', OP.i64Or, OP.i64Const, 0, OP.i64LtS, ...TRAP_IF],
] as Pattern
const PAY = [OP.globalGet, 'gas', OP.i64Const, 'cost', OP.i64Sub, OP.globalSet, 'gas'] as const

/** In front of straight-line code: pays for it, and traps if that was more than there was. */
export const CHARGE: Pattern = [...PAY, ...GAS_CHECK]
/** At the entry of a function that calls others: pays, and takes its frame from the stack. */
export const ENTER: Pattern = [
  ...PAY,
  ...[OP.globalGet, 'stack', OP.i64Const, 'frame', OP.i64Sub, OP.globalSet, 'stack'],
  ...STACK_CHECK,
] as Pattern
/** At its end. */
export const LEAVE: Pattern = [OP.globalGet, 'stack', OP.i64Const, 'frame', OP.i64Add, OP.globalSet, 'stack']

const NAN_32 = [OP.f32Const, 0, 0, 0xc0, 0x7f]
const NAN_64 = [OP.f64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
/** A NaN alone is not at most itself. */
const orNaN = (nan: number[], atMost: number): Pattern =>
  [...[OP.localTee, 'local', ...nan, OP.localGet, 'local', OP.localGet, 'local', atMost, OP.select]] as Pattern
/** Any NaN on top of the stack becomes the one canonical NaN whose sign is clear. */
export const CANONICAL_F32 = orNaN(NAN_32, OP.f32Le)
export const CANONICAL_F64 = orNaN(NAN_64, OP.f64Le)

/** Pays for an instruction by the i32 on top of the stack: `base` and what `scale` makes of it. */
const paidBySize = (scale: number[], base: number[], instruction: readonly (number | Hole)[]): Pattern =>
  [
    ...[OP.localTee, 'local', OP.globalGet, 'gas', OP.localGet, 'local', OP.i64ExtendI32U, OP.i64Const, ...scale],
    ...[OP.i64Const, ...base, OP.i64Add, OP.i64Sub, OP.globalSet, 'gas', ...GAS_CHECK, ...instruction],
  ] as Pattern
const prefixed = (opcode: number, ...rest: (number | Hole)[]) => [opcode >> 8, opcode & 0xff, ...rest]

const BYTES = [0, OP.i64Shl]
/** 512, and a gas for each byte: 16 bytes a nanosecond. */
const BULK_BASE = [0x80, 0x04]
/** A page is mapped and cleared when it is first touched: 2^20 gas each, and 4096 to ask the host. */
const PAGES = [20, OP.i64Shl]
const GROW_BASE = [0x80, 0x20]

const MINUS_ONE = 0x7f
/** -2^63: far below what a call can leave of its stack. */
const NO_STACK = [...new Array<number>(9).fill(0x80), 0x7f]
/**
 * Memory that a host does not have, though the maximum allows it, is not -1 here and a success elsewhere: it is a trap,
 * with a mark in the stack by which the host knows it for its own.
 */
const GROW = [
  ...[OP.memoryGrow, 0, OP.localTee, 'second', OP.i32Const, MINUS_ONE, OP.i32Eq, OP.if, EMPTY],
  ...[OP.memorySize, 0, OP.i64ExtendI32U, OP.localGet, 'local', OP.i64ExtendI32U, OP.i64Add, OP.i64Const, 'pages'],
  ...[OP.i64LeU, OP.if, EMPTY, OP.i64Const, ...NO_STACK, OP.globalSet, 'stack', OP.unreachable, OP.end, OP.end],
  ...[OP.localGet, 'second'],
] as const

/** By the opcode of the instruction, which stands in no other place. */
export const SIZED: ReadonlyMap<number, Pattern> = new Map([
  [OP.memoryGrow, paidBySize(PAGES, GROW_BASE, GROW)],
  [OP.memoryCopy, paidBySize(BYTES, BULK_BASE, prefixed(OP.memoryCopy, 0, 0))],
  [OP.memoryFill, paidBySize(BYTES, BULK_BASE, prefixed(OP.memoryFill, 0))],
  [OP.memoryInit, paidBySize(BYTES, BULK_BASE, prefixed(OP.memoryInit, 'segment', 0))],
])

/** Is it a signed number in the bytes? Indexes are not. */
export const isSigned = (hole: Hole) => hole === 'cost' || hole === 'frame' || hole === 'pages'

/**
 * Does `pattern` come next? Moves past it and fills in what is in its holes. `gas`, `stack` and `pages` must be
 * those of `filling`, and a local that stands in it twice must be the same.
 */
export const matches = (reader: Reader, pattern: Pattern, filling: Filling): boolean => {
  const start = reader.at
  const { gas, stack, pages } = filling
  const found: Partial<Filling> = { gas, stack, pages }
  for (const part of pattern) {
    if (typeof part === 'number') {
      if (reader.peek() !== part) return giveUp(reader, start)
      reader.at++
    } else {
      const value = isSigned(part) ? reader.natural() : reader.u32()
      if (value !== (found[part] ?? value)) return giveUp(reader, start)
      found[part] = value
    }
  }
  Object.assign(filling, found)
  return true
}

const giveUp = (reader: Reader, start: number): false => {
  reader.at = start
  return false
}
