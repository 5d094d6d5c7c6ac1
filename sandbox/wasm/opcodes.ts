/** The instructions that a metered module may have: what follows each in the bytes, what it takes from the stack and puts there, its gas. */

// biome-ignore format: two groups
export const OP = {
  unreachable: 0x00, nop: 0x01, block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, brTable: 0x0e,
  return: 0x0f, call: 0x10, callIndirect: 0x11, drop: 0x1a, select: 0x1b, localGet: 0x20, localSet: 0x21, localTee: 0x22,
  globalGet: 0x23, globalSet: 0x24, f32Load: 0x2a, f64Load: 0x2b, f32Store: 0x38, f64Store: 0x39, memorySize: 0x3f,
  memoryGrow: 0x40, i32Const: 0x41, i64Const: 0x42, f32Const: 0x43, f64Const: 0x44, i32Eq: 0x46, i64LtS: 0x53, i64LeU: 0x58, f32Le: 0x5f, f64Le: 0x65,
  i64Add: 0x7c, i64Sub: 0x7d, i64Mul: 0x7e, i64Or: 0x84, i64Shl: 0x86, i64ShrU: 0x88, f32Copysign: 0x98, f64Copysign: 0xa6,
  i64ExtendI32U: 0xad, f32ConvertI32S: 0xb2, f64ConvertI32S: 0xb7,
  i32ReinterpretF32: 0xbc, i64ReinterpretF64: 0xbd, f32ReinterpretI32: 0xbe, f64ReinterpretI64: 0xbf,
  memoryInit: 0xfc08, dataDrop: 0xfc09, memoryCopy: 0xfc0a, memoryFill: 0xfc0b,
} as const

/** What follows an opcode: at most two numbers, or something of its own. */
export const IMMEDIATE = {
  none: 0,
  blockType: 1,
  index: 2,
  twoIndexes: 3,
  targets: 4,
  signed: 5,
  bytes4: 6,
  bytes8: 7,
  access: 8,
} as const

export interface Instruction {
  immediate: number
  /** Values taken and put. For those that depend on a type or a label (block, br, call, …) 0. */
  pops: number
  pushes: number
  gas: number
}

const table = new Map<number, Instruction>()

const define = (first: number, last: number, pops: number, pushes: number, gas = 1, immediate: number = 0) => {
  for (let opcode = first; opcode <= last; opcode++) table.set(opcode, { immediate, pops, pushes, gas })
}
const { blockType, index, twoIndexes, targets, signed, bytes4, bytes8, access } = IMMEDIATE

// Gas is 1, roughly a nanosecond's third, and more where every processor takes longer. `block`, `else` and `end` make no code.
define(OP.unreachable, OP.unreachable, 0, 0)
define(OP.nop, OP.nop, 0, 0)
define(OP.block, OP.block, 0, 0, 0, blockType)
define(OP.loop, OP.loop, 0, 0, 0, blockType)
define(OP.if, OP.if, 1, 0, 1, blockType)
define(OP.else, OP.else, 0, 0, 0)
define(OP.end, OP.end, 0, 0, 0)
define(OP.br, OP.br, 0, 0, 1, index)
define(OP.brIf, OP.brIf, 1, 0, 1, index)
define(OP.brTable, OP.brTable, 1, 0, 3, targets)
define(OP.return, OP.return, 0, 0)
define(OP.call, OP.call, 0, 0, 3, index)
define(OP.callIndirect, OP.callIndirect, 1, 0, 8, twoIndexes)
define(OP.drop, OP.drop, 1, 0)
define(OP.select, OP.select, 3, 1)
define(OP.localGet, OP.localGet, 0, 1, 1, index)
define(OP.localSet, OP.localSet, 1, 0, 1, index)
define(OP.localTee, OP.localTee, 1, 1, 1, index)
define(OP.globalGet, OP.globalGet, 0, 1, 1, index)
define(OP.globalSet, OP.globalSet, 1, 0, 1, index)
define(0x28, 0x35, 1, 1, 1, access) // loads
define(0x36, 0x3e, 2, 0, 1, access) // stores
define(OP.memorySize, OP.memorySize, 0, 1, 1, index)
define(OP.i32Const, OP.i64Const, 0, 1, 1, signed)
define(OP.f32Const, OP.f32Const, 0, 1, 1, bytes4)
define(OP.f64Const, OP.f64Const, 0, 1, 1, bytes8)
define(0x45, 0x45, 1, 1) // i32.eqz
define(0x46, 0x4f, 2, 1) // comparisons of i32
define(0x50, 0x50, 1, 1) // i64.eqz
define(0x51, 0x66, 2, 1) // comparisons of i64, f32, f64
define(0x67, 0x69, 1, 1) // i32.clz, ctz, popcnt
define(0x6a, 0x78, 2, 1) // i32 arithmetic
define(0x6d, 0x70, 2, 1, 8) // i32.div, rem
define(0x79, 0x7b, 1, 1) // i64.clz, ctz, popcnt
define(0x7c, 0x8a, 2, 1) // i64 arithmetic
define(0x7f, 0x82, 2, 1, 12) // i64.div, rem
define(0x8b, 0x91, 1, 1) // f32.abs … sqrt
define(0x92, 0x98, 2, 1) // f32.add … copysign
define(0x99, 0x9f, 1, 1) // f64.abs … sqrt
define(0xa0, 0xa6, 2, 1) // f64.add … copysign
define(0xa7, 0xbf, 1, 1) // conversions
for (const slow of [0x91, 0x9f]) define(slow, slow, 1, 1, 6) // sqrt
for (const slow of [0x95, 0xa3]) define(slow, slow, 2, 1, 5) // f32.div, f64.div
define(0xc0, 0xc4, 1, 1) // sign extension
define(0xfc00, 0xfc07, 1, 1, 2) // conversions that saturate
define(OP.dataDrop, OP.dataDrop, 0, 0, 8, index)

// These stand in a pattern only (patterns.ts), which charges them by size.
define(OP.memoryGrow, OP.memoryGrow, 1, 1, 0, index)
define(OP.memoryInit, OP.memoryInit, 3, 0, 0, twoIndexes)
define(OP.memoryCopy, OP.memoryCopy, 3, 0, 0, twoIndexes)
define(OP.memoryFill, OP.memoryFill, 3, 0, 0, index)

export const INSTRUCTIONS: ReadonlyMap<number, Instruction> = table

/**
 * Arithmetic may make a NaN whose sign and payload differ from host to host. These instructions put a float on the
 * stack without arithmetic, or none at all; of every other, the canonical form is taken where bits can be seen.
 */
export const EXACT: ReadonlySet<number> = new Set([
  ...[OP.f32Load, OP.f64Load, OP.f32Const, OP.f64Const, OP.f32ReinterpretI32, OP.f64ReinterpretI64],
  ...[OP.f32ConvertI32S, 0xb3, 0xb4, 0xb5, OP.f64ConvertI32S, 0xb8, 0xb9, 0xba],
])
/** These show the bits of the float on top of the stack. */
export const NEEDS_EXACT: ReadonlySet<number> = new Set([
  ...[OP.f32Store, OP.f64Store, OP.i32ReinterpretF32, OP.i64ReinterpretF64, OP.f32Copysign, OP.f64Copysign],
])
/** Gas of making a float canonical. */
export const CANONICAL_GAS = 3

/** What is left out, by opcode: first, last, and what it is called. */
const LEFT_OUT: [number, number, string][] = [
  [0x06, 0x0a, 'exceptions'],
  [0x12, 0x13, 'tail calls'],
  [0x14, 0x15, 'typed function references'],
  [0x18, 0x1f, 'exceptions'],
  [0x1c, 0x1c, 'reference types'],
  [0x25, 0x26, 'reference types'],
  [0xd0, 0xd6, 'reference types'],
  [0xfb00, 0xfbff, 'garbage collection'],
  [0xfc0c, 0xfc11, 'reference types'],
  [0xfd00, 0xfdff, 'vectors (SIMD)'],
  [0xfe00, 0xfeff, 'threads'],
]
/** The name of the feature that an instruction belongs to, if metered modules do without it. */
export const featureLeftOut = (opcode: number): string =>
  LEFT_OUT.find(([first, last]) => first <= opcode && opcode <= last)?.[2] ?? 'unknown'
