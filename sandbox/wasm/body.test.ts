/** What a hostile publisher may try inside of functions: each module breaks one rule, in one place, and is refused for it. */
import { describe, expect, test } from 'vitest'
import {
  type Body,
  charge,
  enter,
  exported,
  i32,
  LIMITS,
  leave,
  listOf,
  MEMORY,
  moduleOf,
  NO_RESULT,
  sizedPattern,
  text,
  written,
} from '../../scripts/wasm/modules.ts'
import { GAS_EXPORT, STACK_EXPORT } from './form.ts'
import { entryGas, frameBytes } from './frame.ts'
import { OP } from './opcodes.ts'
import { CANONICAL_F64, CHARGE } from './patterns.ts'
import { KIND } from './sections.ts'
import { validateMetered } from './validate.ts'

const EMPTY = 0x40
const ENTRY = entryGas(0)
const NOPS = (count: number) => new Array<number>(count).fill(OP.nop)
const FRAME = frameBytes(NO_RESULT, 0, 0)

const verdictOn = (code: Uint8Array) => validateMetered(code, LIMITS)
const reasonOf = (code: Uint8Array) => {
  const verdict = verdictOn(code)
  return verdict.ok ? undefined : verdict.reason
}
const body = (...code: (number | number[])[]): Body => ({ code: code.flat() })
const only = (...code: (number | number[])[]) => moduleOf([body(...code)])
/** Hosts take it too: what is tested is our rule, not a module that nobody would run. */
const isValid = (code: Uint8Array) =>
  new WebAssembly.Module(code as Uint8Array<ArrayBuffer>) instanceof WebAssembly.Module

const CALLING = (cost: number, frame: number, ...inside: (number | number[])[]) =>
  body(enter(cost, frame), OP.block, EMPTY, inside.flat(), OP.end, leave(frame))
const LEAF = body(charge(ENTRY))

describe('a module in the metered form is taken:', () => {
  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ['one that does nothing', only(charge(ENTRY))],
    ['one that pays more than it must', only(charge(ENTRY + 100), NOPS(3))],
    ['one that pays again and again', only(charge(ENTRY + 1), NOPS(1), charge(2), NOPS(2))],
    ['a loop', only(charge(ENTRY), OP.loop, EMPTY, charge(3), i32(0), OP.brIf, 0, OP.end)],
    [
      'a loop that keeps what is for after it',
      only(charge(ENTRY + 2), OP.loop, EMPTY, charge(3), i32(0), OP.brIf, 0, OP.end, NOPS(2)),
    ],
    [
      'arms that differ',
      only(charge(ENTRY + 2), i32(0), OP.if, EMPTY, charge(5), NOPS(5), OP.else, charge(1), NOPS(1), OP.end),
    ],
    [
      'what both arms cost, paid before',
      only(charge(ENTRY + 3), i32(0), OP.if, EMPTY, charge(4), NOPS(5), OP.else, NOPS(1), OP.end),
    ],
    ['code after an end of the world', only(charge(ENTRY + 1), OP.unreachable, NOPS(100))],
    ['a call', moduleOf([CALLING(ENTRY + 3, FRAME, OP.call, 1), LEAF])],
    ['memory that grows', moduleOf([growing()], MEMORY)],
  ])('%s', (_, code) => {
    expect(isValid(code)).toBe(true)
    expect(verdictOn(code)).toMatchObject({ ok: true })
  })
})

function growing(): Body {
  return { locals: [[1, 'i32']], code: [charge(ENTRY + 2), i32(1), sizedPattern(OP.memoryGrow), [OP.drop]].flat() }
}

describe('charges', () => {
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['an entry without one', only(NOPS(1)), /does not begin with a charge/],
    ['one after the first instruction', only(NOPS(1), charge(9)), /does not begin with a charge/],
    ['one too small by one', only(charge(ENTRY + 2), NOPS(3)), /not paid for: 1 gas is missing/],
    ['one of nothing', only(charge(0)), /a charge .* is of nothing|charge before \d+ is of nothing/],
    ['a negative one', only(written(CHARGE).map((byte, at) => (at === 3 ? 0x7f : byte))), /out of its range/],
    ['one after the call that it is for', calling(OP.call, 1, charge(3)), /not paid for/],
    ['one that a branch skips', only(charge(ENTRY + 5), skippingBranch()), /not paid for/],
    ['one in the other arm', only(charge(ENTRY + 2), i32(0), oneArm(), NOPS(1)), /not paid for/],
    [
      'one in the arm that is not there',
      only(charge(ENTRY + 2), i32(0), OP.if, EMPTY, charge(1), OP.end, NOPS(1)),
      /not paid/,
    ],
    ['a loop without one', only(charge(ENTRY + 99), OP.loop, EMPTY, OP.br, 0, OP.end), /the loop .* does not begin/],
    [
      'a loop with one after its first instruction',
      only(charge(9), OP.loop, EMPTY, OP.nop, charge(9), OP.end),
      /the loop/,
    ],
    ['a loop that lives on what came before', loopOn(charge(2)), /a loop uses what was paid for after it/],
    ['a way back by br_table', only(charge(ENTRY + 9), tableLoop()), /a loop uses what was paid for after it/],
    ['locals that are many', moduleOf([{ locals: [[40, 'i64']], code: charge(ENTRY + 9) }]), /1 gas is missing/],
  ])('%s', (_, code, reason) => {
    expect(isValid(code)).toBe(true)
    expect(reasonOf(code)).toMatch(reason)
  })

  function calling(...code: (number | number[])[]) {
    return moduleOf([CALLING(ENTRY, FRAME, ...code), LEAF])
  }
  /** The branch leaves the block before the charge of what follows the block. */
  function skippingBranch(): number[] {
    return [OP.block, EMPTY, i32(0), OP.brIf, 0, charge(9), OP.end, NOPS(4)].flat() as number[]
  }
  function oneArm(): number[] {
    return [OP.if, EMPTY, charge(1), OP.else, OP.end].flat() as number[]
  }
  function loopOn(charged: number[]) {
    return only(charge(ENTRY + 5), OP.loop, EMPTY, charged, i32(0), OP.brIf, 0, OP.end, NOPS(5))
  }
  function tableLoop(): number[] {
    return [OP.loop, EMPTY, charge(3), i32(0), OP.brTable, 2, 1, 0, 0, OP.end].flat() as number[]
  }
})

describe('gas and stack', () => {
  const setting = (index: number) => [OP.i64Const, 0, OP.globalSet, index]
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['gas is written', only(charge(ENTRY + 9), setting(0)), /gas or stack is used outside a charge/],
    ['stack is written', only(charge(ENTRY + 9), setting(1)), /gas or stack is used outside a charge/],
    ['gas is read', only(charge(ENTRY + 9), OP.globalGet, 0, OP.drop), /gas or stack is used outside a charge/],
    ['written where nothing runs', only(charge(ENTRY + 9), OP.unreachable, setting(0)), /outside a charge/],
    [
      'a charge that adds',
      only(charge(9).map((byte) => (byte === OP.i64Sub ? OP.i64Add : byte))),
      /begin with a charge/,
    ],
    [
      'a charge that does not trap',
      only(charge(9).map((byte) => (byte === OP.unreachable ? OP.nop : byte))),
      /begin with/,
    ],
    ['a charge to the stack', only(written(CHARGE, { gas: 1, cost: 9 })), /does not begin with a charge/],
    ['stack given back twice', twice(leave(FRAME)), /does not give back|outside a charge/],
    ['stack given back unasked', only(charge(ENTRY + 9), leave(64)), /outside a charge/],
    ['entered again', moduleOf([CALLING(ENTRY + 9, FRAME, enter(9, 9))]), /outside a charge/],
    [
      'too little stack',
      moduleOf([CALLING(ENTRY + 3, FRAME - 1, OP.call, 1), LEAF]),
      /takes 95 bytes of stack, not 96/,
    ],
    ['a call without taking stack', moduleOf([body(charge(9), OP.call, 1), LEAF]), /takes 0 bytes of stack/],
    ['less given back than taken', uneven(), /does not give back what it took/],
    ['a branch past the giving back', moduleOf([CALLING(ENTRY + 9, FRAME, OP.br, 1)]), /past the giving back/],
    ['a return past it', moduleOf([CALLING(ENTRY + 9, FRAME, OP.return)]), /past the giving back/],
    ['a call after it', afterLeaving(), /does not give back|bytes after/],
    ['no block after the entry', moduleOf([body(enter(ENTRY, FRAME), leave(FRAME))]), /no block follows the entry/],
    ['a frame of many locals without calls', moduleOf([wide()]), /takes 0 bytes of stack/],
    ['operands count', moduleOf([deepOperands()]), /bytes of stack, not/],
  ])('%s', (_, code, reason) => {
    expect(isValid(code)).toBe(true)
    expect(reasonOf(code)).toMatch(reason)
  })

  function twice(again: number[]) {
    return moduleOf([body(enter(ENTRY, FRAME), OP.block, EMPTY, OP.end, leave(FRAME), again)])
  }
  function uneven() {
    return moduleOf([body(enter(ENTRY, FRAME), OP.block, EMPTY, OP.end, leave(FRAME + 1))])
  }
  function afterLeaving() {
    return moduleOf([body(enter(ENTRY + 9, FRAME), OP.block, EMPTY, OP.end, leave(FRAME), OP.call, 1), LEAF])
  }
  function wide(): Body {
    return { locals: [[2000, 'i64']], code: charge(ENTRY + 500) }
  }
  function deepOperands(): Body {
    const values = new Array(50).fill(i32(0)).flat()
    return CALLING(ENTRY + 200, FRAME, values, new Array(50).fill(OP.drop), OP.call, 0)
  }

  const reserved = (...exports: number[][]) => moduleOf([LEAF], { 7: listOf(...exports) })
  const gas = exported(GAS_EXPORT, KIND.global, 0)
  const stack = exported(STACK_EXPORT, KIND.global, 1)
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['gas under a second name', reserved(gas, stack, exported('more', KIND.global, 0)), /exports the global "more"/],
    [
      'names exchanged',
      reserved(exported(GAS_EXPORT, KIND.global, 1), exported(STACK_EXPORT, KIND.global, 0)),
      /not exported as/,
    ],
    ['gas not exported', reserved(stack), /not exported as wayside:gas/],
    ['stack not exported', reserved(gas), /not exported as wayside:stack/],
    ['a function as gas', reserved(exported(GAS_EXPORT, KIND.function, 0), stack), /not exported as wayside:gas/],
    [
      'immutable gas',
      moduleOf([LEAF], { 6: listOf([0x7e, 0, 0x42, 0, 0x0b], [0x7e, 1, 0x42, 0, 0x0b]) }),
      /two mutable i64/,
    ],
    [
      'gas of 32 bits',
      moduleOf([LEAF], { 6: listOf([0x7f, 1, 0x41, 0, 0x0b], [0x7e, 1, 0x42, 0, 0x0b]) }),
      /two mutable i64/,
    ],
    ['no globals', moduleOf([LEAF], { 6: undefined }), /two mutable i64/],
    [
      'gas that is imported',
      moduleOf([LEAF], { 2: listOf([...text('a'), ...text('b'), 3, 0x7e, 1]) }),
      /imports the global a.b/,
    ],
  ])('%s', (_, code, reason) => {
    expect(reasonOf(code)).toMatch(reason)
  })
})

describe('memory and NaN', () => {
  const sizes = [i32(0), i32(0), i32(0)].flat()
  const withMemory = (...code: (number | number[])[]) =>
    moduleOf(
      [
        {
          locals: [
            [1, 'i32'],
            [1, 'f64'],
          ],
          code: code.flat(),
        },
      ],
      { ...MEMORY, 12: [1], 11: listOf([1, 0]) },
    )
  const value = [OP.localGet, 1]

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['copied without a charge', withMemory(charge(99), sizes, 0xfc, 10, 0, 0), /without a charge/],
    ['filled without one', withMemory(charge(99), sizes, 0xfc, 11, 0), /without a charge/],
    ['initialised without one', withMemory(charge(99), sizes, 0xfc, 8, 0, 0), /without a charge/],
    ['grown without one', withMemory(charge(99), i32(1), OP.memoryGrow, 0, OP.drop), /without a charge/],
    ['charged by another local', byOther(), /outside a charge|without a charge/],
    ['charged for less', byLess(), /outside a charge|without a charge/],
    ['grown as if it might be larger', grownBeyond(5), /outside a charge|without a charge/],
    ['grown as if it might not be as large', grownBeyond(3), /outside a charge|without a charge/],
    [
      'a float stored as it comes',
      withMemory(charge(99), i32(0), value, OP.f64Store, 3, 0),
      /the bits of a NaN escape/,
    ],
    ['reinterpreted', withMemory(charge(99), value, OP.i64ReinterpretF64, OP.drop), /the bits of a NaN escape/],
    ['its sign copied', withMemory(charge(99), value, value, OP.f64Copysign, OP.drop), /the bits of a NaN escape/],
    [
      'made canonical, then added to',
      withMemory(charge(99), i32(0), value, value, canonical(), 0xa0, OP.f64Store, 3, 0),
      /NaN/,
    ],
    [
      'from the end of a block',
      withMemory(charge(99), i32(0), OP.block, 0x7c, value, canonical(), OP.end, OP.f64Store, 3, 0),
      /NaN/,
    ],
  ])('%s', (_, code, reason) => {
    expect(isValid(code)).toBe(true)
    expect(reasonOf(code)).toMatch(reason)
  })

  function canonical() {
    return written(CANONICAL_F64, { local: 1 })
  }
  function byOther() {
    const pattern = sizedPattern(OP.memoryGrow, { local: 0 })
    const at = pattern.indexOf(OP.localGet) + 1
    const code = [charge(99), i32(1), pattern.map((byte, index) => (index === at ? 2 : byte)), [OP.drop]].flat()
    return moduleOf([{ locals: [[3, 'i32']], code }], MEMORY)
  }
  function grownBeyond(pages: number) {
    const code = [charge(99), i32(1), sizedPattern(OP.memoryGrow, { pages }), [OP.drop]].flat()
    return moduleOf([{ locals: [[1, 'i32']], code }], MEMORY)
  }
  function byLess() {
    const pattern = sizedPattern(OP.memoryGrow)
    const code = [charge(99), i32(1), pattern.map((byte) => (byte === 20 ? 1 : byte)), [OP.drop]].flat()
    return moduleOf([{ locals: [[1, 'i32']], code }], MEMORY)
  }

  test('a float whose bits are known is stored as it is', () => {
    const stores = [
      [OP.f64Const, 0, 0, 0, 0, 0, 0, 0, 0],
      [...value, ...canonical()],
      [...i32(0), OP.f64Load, 3, 0],
      [...i32(0), OP.f64ConvertI32S],
    ]
    for (const store of stores) {
      expect(reasonOf(withMemory(charge(99), i32(0), store, OP.f64Store, 3, 0))).toBe(undefined)
    }
  })
})
