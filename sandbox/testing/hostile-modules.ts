/**
 * Hostile WebAssembly: modules that are malformed, that do not pay or pay too little, and those in the right form that use
 * up whatever there is. What the checker says to each rule broken is in sandbox/wasm/; here is how they end in a sandbox.
 */
import { MIB } from '../../protocol/limits.ts'
import {
  type Body,
  charge,
  exported,
  i32,
  listOf,
  MEMORY,
  moduleOf,
  type Sections,
  text,
  u32,
  withExports,
} from '../../scripts/wasm/modules.ts'
import { parsed } from '../../scripts/wasm/parsed.ts'
import type { CodeForm } from '../job.ts'
import { FORM, metered } from '../program/testing/programs.ts'
import { entryGas } from '../wasm/frame.ts'
import { FUNCTIONS_MAX, LOCALS_MAX, NESTING_MAX, TABLE_ENTRIES_MAX } from '../wasm/limits.ts'
import { OP } from '../wasm/opcodes.ts'
import { KIND } from '../wasm/sections.ts'
import type { HostileProgram } from './hostile-programs.ts'

const EMPTY = 0x40
const FUEL = 1_000_000
const MEMORY_BYTES = 20 * MIB

type End = HostileProgram['expected'] | string
interface Changes {
  fuel?: number
  form?: CodeForm
  timeoutMs?: number
}

/** `end`: the result, what it fails with, or part of the reason for which it is refused. */
const hostile = (name: string, code: Uint8Array, end: End, changes: Changes = {}): HostileProgram => ({
  name: `WebAssembly: ${name}`,
  code,
  form: changes.form ?? FORM,
  limits: { fuel: changes.fuel ?? FUEL, memory_bytes: MEMORY_BYTES, output_bytes: MIB },
  timeoutMs: changes.timeoutMs ?? 60_000,
  effects: [],
  endsByItself: changes.timeoutMs === undefined,
  expected: typeof end === 'string' ? { code: 'E_MODULE_REFUSED', message: end } : end,
})

/** The Value of no bytes. */
const DONE = { value: Uint8Array.of(0x40) }
const OUT_OF_FUEL = { code: 'E_FUEL_LIMIT', message: 'it used up its fuel' }
const threw = (message: string) => ({ code: 'E_FUNCTION_THREW', message })

const STARTED = withExports(exported('_start', KIND.function, 0))
const times = (count: number, ...items: number[]): number[] => Array.from({ length: count }, () => items).flat()
const paid = (...code: number[][]): Body => ({ code: [...charge(10_000_000), ...code.flat()] })
/** A command with this body. */
const only = (body: Body, others: Sections = {}) => moduleOf([body], { ...STARTED, ...others })

const endless = (...inside: number[][]) => [OP.loop, EMPTY, ...inside.flat(), OP.br, 0, OP.end]
const command = (text: string) => metered(parsed(`(module ${text})`), MEMORY_BYTES)
const FORKS: Body = {
  locals: [[250, 'i64']],
  code: [...charge(1_000_000), ...times(33_000, OP.block, EMPTY, ...i32(0), OP.brIf, 0, OP.end)],
}

const MALFORMED = [
  hostile('JavaScript instead', new TextEncoder().encode('export default () => 1'), 'not a core WebAssembly module'),
  hostile('cut short', only(paid()).subarray(0, -5), 'too early'),
  hostile(
    'a section of four gigabytes',
    Uint8Array.from([...only(paid()).subarray(0, 8), 10, ...u32(2 ** 32 - 1)]),
    'too early',
  ),
  hostile('a table of ten million entries', only(paid(), { 4: listOf([0x70, 0, ...u32(10_000_000)]) }), 'table of'),
  hostile('more memory than the task has', only(paid(), { 5: listOf([1, 1, ...u32(321)]) }), 'larger than'),
  hostile('memory without a maximum', only(paid(), { 5: listOf([0, 1]) }), 'no maximum'),
  hostile(
    'a hundred thousand blocks in blocks',
    only(paid(times(100_000, OP.block, EMPTY), times(100_000, OP.end))),
    'more than 262144 bytes',
  ),
  hostile(
    'a hundred thousand locals',
    only({ ...paid(), locals: [[100_000, 'i64']] }),
    `more than ${LOCALS_MAX} locals`,
  ),
  hostile('four billion locals', only({ ...paid(), locals: [[2 ** 32 - 1, 'i64']] }), `more than ${LOCALS_MAX} locals`),
  hostile(
    'a program of the machine',
    only(paid(), { 2: listOf([...text('env'), ...text('system'), 0, 0]) }),
    'not provided',
  ),
  hostile('a start section that never ends', only(paid(endless(charge(100))), { 8: [0] }), 'start function'),
  hostile('types that do not fit', only(paid([OP.drop])), 'no valid WebAssembly'),
  hostile(
    'locals times branches, many times over',
    moduleOf([FORKS, FORKS, FORKS, FORKS, FORKS], STARTED),
    'too many branches',
  ),
]

const UNPAID = [
  hostile('a loop without a charge', only(paid(endless())), 'does not begin with a charge'),
  hostile('gas set as one likes', only(paid([0x42, 0, OP.globalSet, 0])), 'outside a charge'),
  hostile(
    'an entry that pays too little',
    only({ code: [...charge(entryGas(0)), ...times(10, OP.nop)] }),
    'not paid for',
  ),
  hostile(
    'memory filled without paying by size',
    only(paid(i32(0), i32(0), i32(65_536), [0xfc, 11, 0]), MEMORY),
    'without a charge',
  ),
]

const WITHIN_FORM = [
  hostile('a loop that never ends', only(paid(endless(charge(100)))), OUT_OF_FUEL),
  hostile(
    'a loop that only the clock ends',
    only(paid(endless(charge(1_000)))),
    { code: 'inconclusive', message: '' },
    { fuel: 1e12, timeoutMs: 500 },
  ),
  hostile(
    'memory filled for ever',
    await command(
      '(memory 300 300) (func (export "_start") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 19000000)) (br 0)))',
    ),
    OUT_OF_FUEL,
  ),
  hostile(
    'all memory, and then a trap',
    await command(
      '(memory 1 320) (func (export "_start") (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable))',
    ),
    { code: 'E_MEMORY_LIMIT', message: 'used up its' },
  ),
  hostile(
    'memory beyond its maximum',
    await command(
      '(memory 1 2) (func (export "_start") (if (i32.ne (memory.grow (i32.const 2)) (i32.const -1)) (then (unreachable))))',
    ),
    DONE,
  ),
  hostile('recursion without end', await command('(func $f (export "_start") (call $f))'), threw('nested deeper')),
  hostile(
    'recursion through 4,000 locals',
    await command(`(func $f (export "_start") (local ${'i64 '.repeat(4000)}) (call $f))`),
    threw('nested deeper'),
  ),
  hostile(
    'blocks in blocks, as deep as they may be',
    only(paid(times(NESTING_MAX, OP.block, EMPTY), times(NESTING_MAX, OP.end))),
    DONE,
  ),
  hostile('as much for a compiler as there may be', moduleOf([FORKS], STARTED), DONE),
  hostile(
    'as many functions as there may be',
    moduleOf(
      Array.from({ length: FUNCTIONS_MAX }, () => paid()),
      STARTED,
    ),
    DONE,
  ),
  hostile(
    'the largest table, called at its end',
    await command(
      `(type $t (func)) (table ${TABLE_ENTRIES_MAX} ${TABLE_ENTRIES_MAX} funcref) (func (export "_start") (call_indirect (type $t) (i32.const ${TABLE_ENTRIES_MAX - 1})))`,
    ),
    threw('through a pointer'),
  ),
  hostile(
    'data outside its memory',
    await command('(memory 1 1) (data (i32.const 65530) "0123456789") (func (export "_start"))'),
    { code: 'E_FUNCTION_LOAD', message: 'does not fit' },
  ),
  hostile(
    'a table segment outside its table',
    await command(
      '(table 1 1 funcref) (elem (i32.const 1) $f) (type $t (func)) (func $f (export "_start") (call_indirect (type $t) (i32.const 0)))',
    ),
    { code: 'E_FUNCTION_LOAD', message: 'does not fit' },
  ),
  hostile(
    'output without end',
    await command(`(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 1) (data (i32.const 0) "\\10\\00\\00\\00\\00\\80\\00\\00")
    (func (export "_start") (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0)))`),
    { code: 'E_OUTPUT_LIMIT', message: 'larger than' },
  ),
  hostile(
    'chance without end',
    await command(`(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") 300 300) (func (export "_start") (loop (drop (call $random (i32.const 0) (i32.const 19000000))) (br 0)))`),
    OUT_OF_FUEL,
  ),
]

const CARRIER = new TextEncoder().encode('const module = waysideModule("0")\nexport default () => module._start()')
const carrying = (module: Uint8Array): [Uint8Array, CodeForm] => [
  Uint8Array.from([...CARRIER, ...module]),
  { tier: 'javascript', modules: [module.length] },
]
const [unpaidCode, unpaidForm] = carrying(only(paid(endless())))
const [endlessCode, endlessForm] = carrying(only(paid(endless(charge(100)))))

const CARRIED = [
  hostile('a loop without a charge, carried by JavaScript', unpaidCode, 'module 0: the loop', { form: unpaidForm }),
  hostile(
    'a loop that never ends, carried by JavaScript',
    endlessCode,
    { code: 'E_FUEL_LIMIT', message: 'fuel' },
    { form: endlessForm },
  ),
]

export const HOSTILE_MODULES: readonly HostileProgram[] = [...MALFORMED, ...UNPAID, ...WITHIN_FORM, ...CARRIED]
