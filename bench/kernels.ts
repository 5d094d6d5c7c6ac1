/**
 * Six kernels in V8, interpreted, and as WebAssembly with and without charges; and interpreted in the engine as its
 * package has it, beside ours with its charges and its padded stack. Medians of each kernel, then their geometric mean.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newQuickJSWASMModule } from 'quickjs-emscripten'
import { FUEL_MAX } from '../protocol/limits.ts'
import { createSandbox } from '../sandbox/sandbox.ts'
import { GAS_PER_FUEL, STACK_BYTES_MAX } from '../sandbox/wasm/constants.ts'
import { GAS_EXPORT, STACK_EXPORT, START_EXPORT } from '../sandbox/wasm/form.ts'
import { IMPORTS } from '../sandbox/wasm/imports.ts'
import { ENGINE_FILE } from '../scripts/engine/source.ts'
import { bundle } from '../sdk/bundle/bundle.ts'
import { compileAssemblyScript } from '../sdk/bundle/wasm/assembly-script.ts'
import { meterModule } from '../sdk/bundle/wasm/meter.ts'
import { KERNELS } from './functions/kernels.ts'
import { ensurePlausible, interleave, median, rounded } from './measure.ts'
import { answerOf, runOf } from './sandbox-runs.ts'

/** So large that V8 computes for some milliseconds. */
const SIZES = { fib: 27, nbody: 12_000, spectral: 160, mandel: 160, collatz: 20_000, sha: 192 } as const
type Kernel = keyof typeof SIZES

const ROUNDS = 9
const WARM_UPS = 3
const MIB = 1024 * 1024

interface Figure {
  ms: number
  fuel?: number
}

type Runner = (kernel: Kernel, size: number) => Figure

const rightResult = (kernel: Kernel, size: number): number => (KERNELS[kernel] as (n: number) => number)(size)

const checked = (kernel: Kernel, size: number, result: number): void => {
  if (Math.abs(result - rightResult(kernel, size)) > 1e-9) throw new Error(`${kernel}(${size}) is not ${result}`)
}

const timed = (act: () => number): { ms: number; result: number } => {
  const fromMs = performance.now()
  const result = act()
  return { ms: performance.now() - fromMs, result }
}

const inV8: Runner = (kernel, size) => ({ ms: timed(() => rightResult(kernel, size)).ms })

const interpreted = (code: Uint8Array): Runner => {
  const sandbox = createSandbox({ wasm: new WebAssembly.Module(readFileSync(ENGINE_FILE)) })
  const run = runOf(null)
  sandbox.load('kernels', code, run.limits.memory_bytes)
  return (kernel, size) => {
    const handle = { ...runOf({ kernel, size }), limits: { ...run.limits, fuel: FUEL_MAX } }
    let fuel = 0
    const { ms, result } = timed(() => {
      const ended = sandbox.run('kernels', handle)
      fuel = ended.result?.kind === 'outcome' ? ended.result.decoded.fuel : 0
      return answerOf(ended) as number
    })
    checked(kernel, size, result)
    return { ms, fuel }
  }
}

/** The engine as its package has it: no charges, no padding; asked whether to go on as often as ours is. */
const original = async (code: Uint8Array): Promise<Runner> => {
  const engine = (await newQuickJSWASMModule()).newContext()
  engine.runtime.setInterruptHandler(() => false)
  const module = engine.unwrapResult(engine.evalCode(new TextDecoder().decode(code), 'kernels.js', { type: 'module' }))
  const entry = engine.getProp(module, 'default')
  return (kernel, size) => {
    const input = engine.unwrapResult(engine.evalCode(`(${JSON.stringify({ kernel, size })})`))
    const { ms, result } = timed(() =>
      engine
        .unwrapResult(engine.callFunction(entry, engine.undefined, input))
        .consume((value) => engine.getNumber(value)),
    )
    checked(kernel, size, result)
    return { ms }
  }
}

type Exports = Record<Kernel, (size: number) => number> & Record<string, { value: bigint } & (() => void)>

const GAS = 2n ** 60n

const compiled = (wasm: Uint8Array): Runner => {
  const imports = { env: { abort: () => {} } }
  const exports = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), imports)
    .exports as unknown as Exports
  const [gas, stack, start] = [exports[GAS_EXPORT], exports[STACK_EXPORT], exports[START_EXPORT]]
  const fill = () => {
    if (gas) gas.value = GAS
    if (stack) stack.value = BigInt(STACK_BYTES_MAX)
  }
  fill()
  if (typeof start === 'function') start()
  return (kernel, size) => {
    fill()
    const { ms, result } = timed(() => exports[kernel](size))
    checked(kernel, size, result)
    return { ms, ...(gas && { fuel: Number(GAS - gas.value) / GAS_PER_FUEL }) }
  }
}

const runners = async (): Promise<Record<string, Runner>> => {
  const { code } = await bundle(new URL('./functions/kernels.ts', import.meta.url))
  const { bytes: plain } = await compileAssemblyScript(
    join(import.meta.dirname, 'functions/kernels.as.ts'),
    'kernels.as.ts',
  )
  const metered = await meterModule(plain, { memoryBytesMax: 16 * MIB, imports: IMPORTS })
  return {
    V8: inV8,
    metered: compiled(metered.code),
    unmetered: compiled(plain),
    interpreted: interpreted(code),
    original: await original(code),
  }
}

const geometricMean = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const all = await runners()
  const ratios: Record<string, number[]> = {}
  const perFuel: number[] = []
  const note = (name: string, ratio: number) => {
    ratios[name] = [...(ratios[name] ?? []), ratio]
  }
  print(
    `${'ms'.padEnd(10)}${Object.keys(all)
      .map((name) => name.padStart(13))
      .join('')}`,
  )
  for (const [kernel, size] of Object.entries(SIZES) as [Kernel, number][]) {
    const subjects = Object.entries(all).map(([name, runner]) => ({ name, run: async () => runner(kernel, size) }))
    const results = await interleave(subjects, ROUNDS, WARM_UPS)
    const figures = (name: string) => results.get(name) ?? []
    const ms = (name: string) => median(figures(name).map((figure) => figure.ms))
    const nsAFuel = (name: string) => (1e6 * ms(name)) / (figures(name)[0]?.fuel ?? Number.NaN)
    note('quickjs_vs_v8', ms('interpreted') / ms('V8'))
    note('wasm_vs_v8', ms('metered') / ms('V8'))
    note('metering_overhead', ms('metered') / ms('unmetered'))
    note('padded_vs_unpadded', ms('interpreted') / ms('original'))
    perFuel.push(nsAFuel('interpreted') / nsAFuel('metered'))
    const cells = Object.keys(all).map((name) => ms(name).toFixed(2).padStart(13))
    print(
      `${kernel.padEnd(10)}${cells.join('')}   ns a fuel: ${nsAFuel('interpreted').toFixed(1)} / ${nsAFuel('metered').toFixed(1)}`,
    )
  }
  print(`a fuel of the interpreter takes ${rounded(geometricMean(perFuel))} times as long as one of WebAssembly`)
  const keys = Object.fromEntries(Object.entries(ratios).map(([name, each]) => [name, rounded(geometricMean(each))]))
  // A V8 that were held back would flatter us.
  ensurePlausible('V8 beside the interpreter', keys.quickjs_vs_v8 as number, 10, 'times its speed')
  return keys
}
