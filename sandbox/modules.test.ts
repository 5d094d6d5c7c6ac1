/** A JavaScript function with WebAssembly modules, bundled as an author does it, in one sandbox with one meter. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { bundle } from '../sdk/bundle/bundle.ts'
import { temporaryProject } from '../sdk/bundle/temporary-project.ts'
import { compileC } from '../sdk/bundle/wasm/testing/compile.ts'
import { limits, outcomeOf, runOf, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

const KERNEL_C = `
static int calls;
static unsigned char room[1 << 16];
__attribute__((export_name("count"))) int count(void) { return ++calls; }
__attribute__((export_name("at"))) unsigned char *at(void) { return room; }
__attribute__((export_name("sum"))) long long sum(int n) { long long s = 0; for (int i = 0; i < n; i++) s += room[i]; return s; }
__attribute__((export_name("spin"))) int spin(int n) { volatile int x = 0; for (int i = 0; i < n; i++) x += i; return x; }
__attribute__((export_name("half"))) double half(float x, long long y) { return x / 2 + (double)y; }
__attribute__((export_name("fail"))) void fail(void) { __builtin_trap(); }
__attribute__((export_name("outside"))) int outside(int at) { return *(volatile int *)at; }
`

const FUNCTION = `
import kernel, { count } from './kernel.wasm'
import { twice } from './twice.as.ts'

export default (bytes: Uint8Array) => {
  const at = kernel.at()
  kernel.memory.write(at, bytes)
  const caught = []
  for (const wrong of [() => kernel.fail(), () => kernel.outside(-1), () => kernel.memory.read(1e9, 8), () => kernel.memory.write(0, 'x')]) {
    try { wrong() } catch (error) { caught.push(error.message) }
  }
  return { sum: kernel.sum(bytes.length), count: [count(), kernel.count()], read: kernel.memory.read(at, 2), half: kernel.half(3, 5n), twice: twice(21), caught }
}
export const spin = (n) => kernel.spin(n)
export const names = () => Object.keys(kernel)
export const deep = () => {
  const called = []
  const deeper = (depth) => {
    try {
      kernel.sum(1)
      called[depth] = true
    } catch (error) {
      return [called.length, error.message]
    }
    return deeper(depth + 1)
  }
  return deeper(0)
}
`

const EARLY = `import { count } from './kernel.wasm'
const n = count()
export default () => n
`

let project: string
let kernel: Uint8Array
beforeAll(() => {
  kernel = compileC(KERNEL_C)
})

const built = async (source: string) => {
  project = temporaryProject({
    'main.ts': source,
    'twice.as.ts': 'export function twice(n: i32): i32 { return 2 * n }\n',
  })
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'kernel.wasm'), kernel)
  const { code, modules = [], tier } = await bundle('main.ts', { cwd: project })
  const all = Buffer.concat([code, ...modules])
  const form = { tier, modules: modules.map(({ length }) => length) }
  const sandbox = createSandbox({ wasm, compare: true })
  return (input: unknown, exportName = 'default', fuel = limits.fuel) => {
    const run = runOf(input, { exportName, limits: { ...limits, memory_bytes: 64 * 1024 * 1024, fuel } })
    sandbox.load('f', new Uint8Array(all), run.limits.memory_bytes, form)
    const [first, second] = [sandbox.run('f', run).result, sandbox.run('f', run).result]
    expect(second).toEqual(first)
    return outcomeOf(first)
  }
}

test('calls its exports, and reads and writes its memory; each run finds it as it began', async () => {
  const call = await built(FUNCTION)
  const outcome = call(Uint8Array.of(1, 2, 3))
  expect(valueIn(outcome)).toEqual({
    sum: 6n,
    count: [1, 2],
    read: Uint8Array.of(1, 2),
    half: 6.5,
    twice: 42,
    caught: [
      'it reached code that is never to be reached: it has aborted',
      'it reached outside its memory or its table',
      expect.stringMatching(/^8 bytes at 1000000000 are outside the module's \d+ bytes of memory$/),
      'memory.write: expected a Uint8Array',
    ],
  })
  expect(valueIn(call(null, 'names'))).toEqual(['count', 'at', 'sum', 'spin', 'half', 'fail', 'outside', 'memory'])
})

test('cannot be called from a recursion so deep that both might not fit into the stack of a page', async () => {
  const call = await built(FUNCTION)
  expect(valueIn(call(null, 'deep'))).toEqual([expect.any(Number), 'it was called from too deep a recursion'])
  const [depth] = valueIn(call(null, 'deep')) as [number, string]
  expect(depth).toBeGreaterThan(200)
})

test('what it computes is charged to the run, and ends it where the fuel ends', async () => {
  const call = await built(FUNCTION)
  const [little, much] = [call(1000, 'spin').fuel, call(10_000_000, 'spin').fuel]
  expect(much - little).toBeGreaterThan(10_000)
  const limited = call(10_000_000, 'spin', 50_000)
  expect(limited.result).toMatchObject({ ok: false, code: 'E_FUEL_LIMIT' })
  expect(limited.fuel).toBe(50_000)
})

test('cannot be used while the function is evaluated, which is kept for every call', async () => {
  const call = await built(EARLY)
  expect(call(null).result).toMatchObject({
    code: 'E_FUNCTION_LOAD',
    message: expect.stringContaining('can be used once the function is called'),
  })
})

test('that is not metered, or changed by a byte, is refused before anything runs', async () => {
  const { code, modules = [] } = await (async () => {
    await built(FUNCTION)
    return bundle('main.ts', { cwd: project })
  })()
  const sandbox = createSandbox({ wasm })
  for (const [i, module] of [kernel, modules[0]!.slice(0, -1)].entries()) {
    const form = { tier: 'javascript' as const, modules: [module.length] }
    sandbox.load(`f${i}`, new Uint8Array(Buffer.concat([code, module])), limits.memory_bytes, form)
    const { result } = outcomeOf(sandbox.run(`f${i}`, runOf()).result)
    expect(result).toMatchObject({ code: 'E_MODULE_REFUSED', message: expect.stringContaining('module 0: ') })
  }
})
