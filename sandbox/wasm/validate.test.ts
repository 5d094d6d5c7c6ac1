/** What a hostile publisher may try: each module breaks one rule, in one place, and is refused for that. */
import { describe, expect, test } from 'vitest'
import {
  assembled,
  type Body,
  charge,
  exported,
  i32,
  LIMITS,
  listOf,
  MEMORY,
  moduleOf,
  sized,
  text,
  u32,
  withExports,
} from '../../scripts/wasm/modules.ts'
import { START_EXPORT } from './form.ts'
import { entryGas } from './frame.ts'
import { BODY_BYTES_MAX, LOCALS_MAX, MODULE_BYTES_MAX, NESTING_MAX } from './limits.ts'
import { OP } from './opcodes.ts'
import { KIND } from './sections.ts'
import { validateMetered } from './validate.ts'

const EMPTY = 0x40
const ENTRY = entryGas(0)

const verdictOn = (code: Uint8Array) => validateMetered(code, LIMITS)
const reasonOf = (code: Uint8Array) => {
  const verdict = verdictOn(code)
  return verdict.ok ? undefined : verdict.reason
}
const body = (...code: (number | number[])[]): Body => ({ code: code.flat() })
const only = (...code: (number | number[])[]) => moduleOf([body(...code)])
/** Hosts take it too. */
const isValid = (code: Uint8Array) =>
  new WebAssembly.Module(code as Uint8Array<ArrayBuffer>) instanceof WebAssembly.Module

const times = <T>(count: number, items: T[]): T[] => Array.from({ length: count }, () => items).flat()
const LEAF = body(charge(ENTRY))

describe('what a module is made of', () => {
  const pages = (...bytes: number[]) => moduleOf([LEAF], { 5: listOf(bytes) })
  const table = (...bytes: number[]) => moduleOf([LEAF], { 4: listOf([0x70, ...bytes]) })
  const importing = (...what: number[]) => moduleOf([LEAF], { 2: listOf([...text('env'), ...what]) })
  const code = (...bytes: number[]) => only(charge(99), bytes)

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /end too early/],
    ['another format', Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), /not a core WebAssembly module/],
    ['too many bytes', new Uint8Array(MODULE_BYTES_MAX + 1), /are more than/],
    ['a memory without a maximum', pages(0, 1), /no maximum/],
    ['a memory that is too large', pages(1, 1, ...u32(257)), /larger than/],
    ['a memory that starts larger than it ends', pages(1, 4, 3), /larger than/],
    ['a shared memory', pages(3, 1, 4), /shared or a 64-bit/],
    ['a memory of 64 bits', pages(5, 1, 4), /shared or a 64-bit/],
    ['two memories', moduleOf([LEAF], { 5: listOf([1, 1, 1], [1, 1, 1]) }), /2 memories are more than 1/],
    ['a huge table', table(0, ...u32(10_000_000)), /table of 10000000 entries/],
    ['two tables', moduleOf([LEAF], { 4: listOf([0x70, 0, 1], [0x70, 0, 1]) }), /2 tables are more than 1/],
    ['a table of references from outside', moduleOf([LEAF], { 4: listOf([0x6f, 0, 1]) }), /not one of functions/],
    [
      'an exported table',
      moduleOf([LEAF], { 4: listOf([0x70, 0, 1]), ...withExports(exported('t', KIND.table, 0)) }),
      /exports the table "t"/,
    ],
    [
      'memory under another name',
      moduleOf([LEAF], { ...MEMORY, ...withExports(exported('m', KIND.memory, 0)) }),
      /exports the memory "m"/,
    ],
    ['a start function', moduleOf([LEAF], { 8: [0] }), /start function/],
    ['a start that takes something', startWith(1), /wayside:start is \(i32\) -> \(\)/],
    [
      'an export of what is not there',
      moduleOf([LEAF], withExports(exported('x', KIND.function, 7))),
      /function 7, which is not there/,
    ],
    ['two exports of one name', moduleOf([LEAF], withExports(exported('x', 0, 0), exported('x', 0, 0))), /one name/],
    [
      'an import that nobody provides',
      importing(...text('nothing'), 0, 0),
      /imports env.nothing, which is not provided/,
    ],
    ['an import of another type', importing(...text('log'), 0, 0), /imports env.log as \(\) -> \(\) instead of/],
    ['an imported memory', importing(...text('memory'), 2, 0, 1), /imports the memory env.memory/],
    ['an imported table', importing(...text('table'), 1, 0x70, 0, 1), /imports the table env.table/],
    ['a custom section', withCustom('name'), /custom section/],
    [
      'a section twice',
      assembled([
        [1, 1, 0],
        [1, 1, 0],
      ]),
      /twice/,
    ],
    [
      'sections out of order',
      assembled([
        [3, 1, 0],
        [1, 1, 0],
      ]),
      /must precede/,
    ],
    ['a section that nobody knows', assembled([[14, 1, 0]]), /section 14 is not known/],
    ['a section cut short', moduleOf([LEAF]).subarray(0, -3), /too early/],
    ['a section longer than its content', assembled([[1, 2, 0, 0]]), /more bytes than content/],
    ['more functions than bodies', moduleOf([LEAF], { 3: listOf([0], [0]) }), /2 functions have 1 bodies/],
    [
      'a data count that is wrong',
      moduleOf([LEAF], { ...MEMORY, 12: [2], 11: listOf([1, 0]) }),
      /1 data segments, and says 2/,
    ],
    [
      'a million empty functions',
      moduleOf([LEAF], { 3: [...u32(1_000_000), ...new Array(1_000_000).fill(0)] }),
      /1000000 functions are more/,
    ],
    ['counts that lie', moduleOf([LEAF], { 3: u32(60_000) }), /the bytes end before 60000 functions/],
    ['a number with a byte too many', moduleOf([LEAF], { 3: [0x81, 0x00, 0x00] }), /too long/],
    ['a constant with a byte too many', code(OP.i32Const, 0x80, 0x00, OP.drop), /too long/],
    ['a negative constant with one too many', code(OP.i32Const, 0xff, 0x7f, OP.drop), /too long/],
    [
      'an initial value that is computed',
      moduleOf([LEAF], { 6: listOf([0x7f, 0, OP.globalGet, 0, OP.end]) }),
      /not one constant/,
    ],
    ['a passive element segment', moduleOf([LEAF], { 9: listOf([1, 0, ...listOf([0])]) }), /active one of functions/],
    ['a type that is no function', moduleOf([LEAF], { 1: listOf([0x5f, 0]) }), /not that of a function/],
    ['references as parameters', moduleOf([LEAF], { 1: listOf([0x60, 1, 0x6f, 0]) }), /none of i32/],
  ])('%s', (_, bytes, reason) => {
    expect(reasonOf(bytes)).toMatch(reason)
  })

  function startWith(type: number) {
    const exports = withExports(exported(START_EXPORT, KIND.function, 0))
    return moduleOf([LEAF], { 3: listOf([type]), ...exports })
  }
  function withCustom(name: string) {
    return Uint8Array.from([...moduleOf([LEAF]), 0, ...sized([...text(name), 1, 2, 3])])
  }
})

describe('instructions', () => {
  test.each([
    ['tail calls', [0x12, 0]],
    ['indirect tail calls', [0x13, 0, 0]],
    ['exceptions', [0x06, EMPTY]],
    ['throw', [0x08, 0]],
    ['try_table', [0x1f, EMPTY, 0]],
    ['typed select', [0x1c, 1, 0x7f]],
    ['table.get', [0x25, 0]],
    ['table.set', [0x26, 0]],
    ['table.grow', [0xfc, 15, 0]],
    ['table.fill', [0xfc, 17, 0]],
    ['table.copy', [0xfc, 14, 0, 0]],
    ['ref.func', [0xd2, 0]],
    ['call_ref', [0x14, 0]],
    ['garbage collection', [0xfb, 0, 0]],
    ['vectors', [0xfd, 12, ...new Array(16).fill(0)]],
    ['relaxed vectors', [0xfd, 0x80, 0x02]],
    ['atomics', [0xfe, 0x10, 2, 0]],
    ['no instruction', [0xff]],
  ])('%s are refused', (_, bytes) => {
    expect(reasonOf(only(charge(99), bytes))).toMatch(/is not allowed/)
  })

  test('blocks in blocks have a limit, and cost nothing to check', () => {
    const nested = (depth: number) => only(charge(ENTRY), times(depth, [OP.block, EMPTY]), times(depth, [OP.end]))
    expect(reasonOf(nested(NESTING_MAX))).toBe(undefined)
    expect(reasonOf(nested(NESTING_MAX + 1))).toMatch(/nested deeper/)
    expect(reasonOf(nested(100_000))).toMatch(/more than|nested deeper/)
  })

  test('locals times branches have a limit, over all functions: compilers take time and memory for them', () => {
    const fork = [OP.block, EMPTY, ...i32(0), OP.brIf, 0, OP.end]
    const forks = (count: number): Body => ({
      locals: [[500, 'i64']],
      code: [...charge(10 ** 6), ...times(count, fork)],
    })
    expect(reasonOf(moduleOf([forks(16_000)]))).toBe(undefined)
    expect(reasonOf(moduleOf(times(2, [forks(16_000)])))).toMatch(/too many branches/)
  })

  test('a function has a limit', () => {
    expect(reasonOf(only(charge(10 ** 6), times(BODY_BYTES_MAX, [OP.nop])))).toMatch(/has more than 262144 bytes/)
  })

  test('locals have a limit', () => {
    const locals = (count: number) => moduleOf([{ locals: [[count, 'i64']], code: charge(9999) }])
    expect(reasonOf(locals(LOCALS_MAX + 1))).toMatch(/more than 4096 locals/)
    expect(reasonOf(locals(2 ** 32 - 1))).toMatch(/more than 4096 locals/)
  })

  test('a br_table of a million targets', () => {
    const table = [OP.brTable, ...u32(1_000_000), ...new Array(1_000_001).fill(0)]
    expect(reasonOf(only(charge(99), i32(0), table))).toMatch(/more than|targets/)
  })
})

test('facts: what it imports, exports and may use', () => {
  const code = moduleOf([LEAF], {
    2: listOf([...text('env'), ...text('log'), 0, 1]),
    ...MEMORY,
    ...withExports(exported('memory', KIND.memory, 0), exported('go', 0, 1), exported(START_EXPORT, 0, 1)),
  })
  expect(isValid(code)).toBe(true)
  expect(verdictOn(code)).toEqual({
    ok: true,
    facts: {
      imports: [{ module: 'env', name: 'log', type: { params: ['i32'], results: [] } }],
      exports: [{ name: 'go', type: { params: [], results: [] } }],
      memory: { initialBytes: 65_536, maximumBytes: 4 * 65_536 },
      start: true,
    },
  })
})
