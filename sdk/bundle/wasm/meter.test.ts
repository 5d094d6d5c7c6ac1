/** Modules of real compilers, metered: they compute what they did, pay for it exactly, and end where they must. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConsoleStdout, File, OpenFile, WASI } from '@bjorn3/browser_wasi_shim'
import { beforeAll, describe, expect, test } from 'vitest'
import { MIB } from '../../../protocol/limits.ts'
import { GAS_EXPORT, NO_MEMORY_MARK, STACK_EXPORT } from '../../../sandbox/wasm/form.ts'
import { IMPORTS } from '../../../sandbox/wasm/imports.ts'
import { validateMetered } from '../../../sandbox/wasm/validate.ts'
import { parsed } from '../../../scripts/wasm/parsed.ts'
import { COUNT_EXPORT, withReferenceCount } from '../../../scripts/wasm/reference.ts'
import { meterModule } from './meter.ts'
import { compileWasi } from './testing/compile.ts'
import { KERNELS, kernelsInAssemblyScript, kernelsInC } from './testing/kernels.ts'
import { type Running, running } from './testing/run.ts'

const LIMITS = { memoryBytesMax: 16 * MIB, imports: IMPORTS }

const metered = async (module: Uint8Array) => (await meterModule(module, LIMITS)).code
const meteredText = (text: string) => metered(parsed(text))
const refusalOf = async (module: Uint8Array) => {
  const error = await meterModule(module, LIMITS).catch((error) => error)
  return [error.code, error.message]
}

describe.each([
  ['C', () => Promise.resolve(kernelsInC())],
  ['AssemblyScript', kernelsInAssemblyScript],
])('kernels in %s', (_, compile) => {
  let plain: Uint8Array
  let code: Uint8Array
  beforeAll(async () => {
    plain = await compile()
    code = await metered(plain)
  })

  test.each(Object.entries(KERNELS))('%s gives the same, for gas', (kernel, size) => {
    const run = running(code)
    expect(run.call(kernel, size)).toBe(running(plain).call(kernel, size))
    expect(run.gasUsed()).toBeGreaterThan(1000n)
  })

  test.each(Object.entries(KERNELS))('%s uses exactly what its instructions cost, one by one', (kernel, size) => {
    const counted = running(withReferenceCount(code))
    counted.call(kernel, size)
    expect(counted.gasUsed()).toBe(counted.value(COUNT_EXPORT))
  })

  test.each(Object.entries(KERNELS))('%s ends when its gas does', (kernel, size) => {
    const run = running(code, {}, 900n)
    expect(() => run.call(kernel, size)).toThrow(/unreachable/)
    expect(run.value(GAS_EXPORT)).toBeLessThan(0n)
  })

  test('the same bytes again', async () => {
    expect(await metered(plain)).toEqual(code)
  })
})

describe('a WASI command in C, with its library', () => {
  const source = readFileSync(join(import.meta.dirname, 'testing/sort.c'), 'utf8')

  const outputOf = (code: Uint8Array, input: string) => {
    let output = ''
    const stdin = new OpenFile(new File(new TextEncoder().encode(input)))
    const stdout = ConsoleStdout.lineBuffered((line) => {
      output += line
    })
    const wasi = new WASI([], [], [stdin, stdout, stdout])
    const run: Running = running(code, { wasi_snapshot_preview1: wasi.wasiImport })
    const status = wasi.start({ exports: run.exports as Parameters<typeof wasi.start>[0]['exports'] })
    return { output, status, run }
  }

  test.each([['-O2'], ['-O0'], ['-Os', '-mbulk-memory', '-mnontrapping-fptoint', '-msign-ext', '-mmultivalue']])(
    'compiled with %s',
    async (...options) => {
      const plain = compileWasi(source, ...options)
      const code = await metered(plain)
      const expected = outputOf(plain, '1000')
      expect(expected).toMatchObject({ output: expect.stringMatching(/^(-?\d+\.\d{6} )+$/), status: 0 })
      expect(outputOf(code, '1000')).toMatchObject({ output: expected.output, status: 0 })
      const counted = outputOf(withReferenceCount(code), '1000')
      expect(counted.run.gasUsed()).toBe(counted.run.value(COUNT_EXPORT))
    },
  )
})

describe('what compilers write', () => {
  const exact = (code: Uint8Array, ...args: number[]) => {
    const run = running(withReferenceCount(code))
    const result = run.call('run', ...args)
    expect(run.gasUsed()).toBe(run.value(COUNT_EXPORT))
    return result
  }

  test('br_table, with branches out of blocks and back to a loop', async () => {
    const code = await meteredText(`(module (func (export "run") (param i32) (result i32) (local i32 i32)
      (loop $again
        (block $three (block $two (block $one
          (br_table $one $two $again $three (local.tee 1 (i32.rem_u (local.get 0) (i32.const 5)))))
          (local.set 2 (i32.add (local.get 2) (i32.const 1)))
          (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $again))
          (local.set 2 (i32.add (local.get 2) (i32.const 10)))
          (local.set 0 (i32.add (local.get 0) (i32.const 2))) (br $again)))
      (local.get 2)))`)
    expect(exact(code, 5)).toBe(11)
  })

  test('call_indirect, several results, early returns', async () => {
    const code =
      await meteredText(`(module (table 2 2 funcref) (elem (i32.const 0) $both $none) (type $t (func (param i32) (result i32 i32)))
      (func $both (type $t) (if (i32.gt_s (local.get 0) (i32.const 3)) (then (return (i32.const 1) (i32.const 2)))) (i32.const 3) (i32.const 4))
      (func $none (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func (export "run") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 1)) (i32.add)))`)
    expect([exact(code, 0), exact(code, 9)]).toEqual([7, 3])
  })

  test('memory that is copied, filled and grown, by its size', async () => {
    const code = await meteredText(`(module (memory 1) (data $d "abcdefgh")
      (func (export "run") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get 0))
        (memory.copy (i32.const 1000) (i32.const 0) (local.get 0))
        (memory.init $d (i32.const 3) (i32.const 0) (i32.const 8)) (data.drop $d)
        (i32.add (memory.grow (i32.const 3)) (i32.add (memory.size) (i32.load8_u (i32.const 10))))))`)
    expect(exact(code, 0)).toBe(1 + 4 + 'h'.charCodeAt(0))
    const gas = (size: number) => {
      const run = running(code)
      run.call('run', size)
      return run.gasUsed()
    }
    expect(gas(8000) - gas(0)).toBe(16_000n)
  })

  test('memory grows to what it says, or to what a task may have', async () => {
    const growing = (memory: string) =>
      parsed(`(module (memory ${memory}) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))`)
    const facts = async (memory: string) => (await meterModule(growing(memory), LIMITS)).facts.memory
    expect(await facts('1 4')).toEqual({ initialBytes: 65_536, maximumBytes: 4 * 65_536 })
    expect(await facts('1')).toEqual({ initialBytes: 65_536, maximumBytes: 16 * MIB })
    expect(await facts('1 60000')).toEqual({ initialBytes: 65_536, maximumBytes: 16 * MIB })
    const code = await metered(growing('1 4'))
    expect([running(code).call('run', 3), running(code).call('run', 4)]).toEqual([1, -1])
    expect(await refusalOf(growing('300'))).toEqual([
      'E_BUNDLE',
      expect.stringMatching(/memory of 300 to 300 pages is larger/),
    ])
  })

  test('a host without the memory that a module may have is found out, and gives no outcome', async () => {
    const module = parsed(
      '(module (memory 1 9) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))',
    )
    const code = await metered(module)
    // The maximum of its memory, which stands in the pattern too, is lowered behind the checker's back.
    const at = code.findIndex((byte, index) => byte === 1 && code[index + 1] === 1 && code[index + 2] === 9) + 2
    const lower = code.with(at, 4)
    const run = running(lower)
    expect([run.call('run', 3), run.call('run', 9)]).toEqual([1, -1])
    expect(() => run.call('run', 2)).toThrow(/unreachable/)
    expect([run.value(STACK_EXPORT), run.gasUsed() < 2n ** 50n]).toEqual([NO_MEMORY_MARK, true])
    expect(validateMetered(lower, LIMITS)).toMatchObject({ ok: false })
  })

  test('a start function becomes an export, which runs for gas like all else', async () => {
    const code =
      await meteredText(`(module (global $g (mut i32) (i32.const 0)) (start $s) (func $s (global.set $g (i32.const 9)))
      (func (export "run") (result i32) (global.get $g)))`)
    expect(exact(code)).toBe(9)
    expect(() => running(code, {}, 0n)).toThrow(/unreachable/)
  })

  test('tables and globals that are exported are not: nobody outside needs them', async () => {
    const { facts, code } = await meterModule(
      parsed(`(module (table (export "t") 1 1 funcref) (global (export "g") (mut i32) (i32.const 0)) (memory (export "mem") 1)
        (func (export "run")))`),
      LIMITS,
    )
    expect(facts.exports.map(({ name }) => name)).toEqual(['run'])
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code as Uint8Array<ArrayBuffer>), {})
    expect(Object.keys(exports).toSorted()).toEqual(['memory', 'run', GAS_EXPORT, STACK_EXPORT])
  })

  test('a NaN has the same bits on every processor once they can be seen', async () => {
    const code = await meteredText(`(module (memory 1)
      (func (export "run") (param f64) (result i64) (local $x f64) (local.set $x (f64.div (local.get 0) (local.get 0)))
        (f64.store (i32.const 0) (local.get $x)) (i64.load (i32.const 0)))
      (func (export "single") (param f32) (result i32) (i32.reinterpret_f32 (f32.sub (local.get 0) (local.get 0))))
      (func (export "sign") (param f64) (result f64) (f64.copysign (f64.const 2) (f64.mul (local.get 0) (f64.const 0))))
      (func (export "kept") (result i64) (i64.store (i32.const 8) (i64.const 0x7ff8000000000abc))
        (f64.store (i32.const 16) (f64.load (i32.const 8))) (i64.load (i32.const 16))))`)
    const run = running(code)
    expect(run.call('run', 0)).toBe(0x7ff8_0000_0000_0000n)
    expect(run.call('run', 3)).toBe(0x3ff0_0000_0000_0000n)
    expect(run.call('single', Number.POSITIVE_INFINITY)).toBe(0x7fc0_0000)
    expect(run.call('sign', Number.POSITIVE_INFINITY)).toBe(2)
    expect(run.call('kept')).toBe(0x7ff8_0000_0000_0abcn)
  })
})

describe('what is refused, and says why', () => {
  test.each([
    [
      'vectors',
      '(module (memory 1) (func (v128.store (i32.const 0) (v128.const i64x2 0 0))) (export "run" (func 0)))',
      /vectors \(SIMD\)/,
    ],
    ['exceptions', '(module (tag $t) (func (throw $t)) (export "run" (func 0)))', /exceptions/],
    ['tail calls', '(module (func (return_call 0)) (export "run" (func 0)))', /tail calls/],
    [
      'threads',
      '(module (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0)))) (export "run" (func 0)))',
      /shared/,
    ],
    [
      'memory of 64 bits',
      '(module (memory i64 1 1) (func (drop (i32.load (i64.const 0)))) (export "run" (func 0)))',
      /64-bit/,
    ],
    [
      'references',
      '(module (func (result externref) (ref.null extern)) (export "run" (func 0)))',
      /none of i32, i64, f32 and f64/,
    ],
    [
      'imports that nobody provides',
      '(module (import "env" "fetch" (func $f)) (func (call $f)) (export "run" (func 1)))',
      /imports env.fetch, which is not provided/,
    ],
    [
      'a reserved name',
      '(module (func) (export "wayside:gas" (func 0)))',
      /"wayside:gas", which is reserved; give it another name/,
    ],
  ])('%s', async (_, text, reason) => {
    expect(await refusalOf(parsed(text))).toEqual(['E_BUNDLE', expect.stringMatching(reason)])
  })

  test('what is no module', async () => {
    const [code, message] = await refusalOf(Uint8Array.of(1, 2, 3, 4))
    expect([code, message]).toEqual([
      'E_BUNDLE',
      expect.stringMatching(/not a WebAssembly module that can be compiled: /),
    ])
  })
})
