/** Modules as functions: what becomes of a .wasm and of an .as.ts. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { bundle } from '../bundle.ts'
import { temporaryProject } from '../temporary-project.ts'
import { compileC, compileWasi } from './testing/compile.ts'

const SHOUT = `import { loud } from './loud'
export function alloc(length: i32): usize { return heap.alloc(length) }
export default function shout(at: usize, length: i32): u64 {
  const out = String.UTF8.encode(loud(String.UTF8.decodeUnsafe(at, length)))
  return ((<u64>changetype<usize>(out)) << 32) | <u64>out.byteLength
}
export function twice(n: i32): i32 { return 2 * n }
`
const LOUD = 'export function loud(text: string): string { return text.toUpperCase() + "!" }\n'

const projectWith = (name: string, bytes: Uint8Array): string => {
  const folder = temporaryProject({})
  writeFileSync(join(folder, name), bytes)
  return folder
}

describe('AssemblyScript', () => {
  test('is compiled with what it imports, to the same bytes in any folder', async () => {
    const folder = temporaryProject({ 'shout.as.ts': SHOUT, 'loud.ts': LOUD })
    const built = await bundle('shout.as.ts', { cwd: folder })
    expect(built).toMatchObject({ tier: 'webassembly', name: 'shout', exports: ['default', 'shout'], effects: [] })
    expect(built.files).toEqual([join(folder, 'shout.as.ts'), join(folder, 'loud.ts')])
    const other = join(temporaryProject({}), 'some/where')
    cpSync(folder, other, { recursive: true })
    expect((await bundle(join(other, 'shout.as.ts'), { cwd: folder })).code).toEqual(built.code)
  })

  test('that does not compile is refused with its place', async () => {
    const cwd = temporaryProject({ 'wrong.as.ts': 'export function f(): i32 { return "text" }\n' })
    await expect(bundle('wrong.as.ts', { cwd })).rejects.toMatchObject({
      code: 'E_FUNCTION_SYNTAX',
      message: expect.stringMatching(/^wrong\.as\.ts does not compile:[\s\S]*wrong\.as\.ts\(1,35\)/),
    })
  })
})

test('while modules are compiled and metered, timers and links of the program go on', async () => {
  const cwd = temporaryProject({
    'shout.as.ts': SHOUT,
    'loud.ts': LOUD,
    'main.ts':
      "import { twice } from './shout.as.ts'\nimport frame from './frame.as.ts'\nexport default () => [twice(1), frame.strip]\n",
  })
  cpSync('examples/raytracer/frame.as.ts', join(cwd, 'frame.as.ts'))
  cpSync('examples/raytracer/frame', join(cwd, 'frame'), { recursive: true })
  let ticks = 0
  const timer = setInterval(() => ticks++, 10)
  const began = performance.eventLoopUtilization()
  const { modules, files } = await bundle('main.ts', { cwd })
  // The share of the time in which this thread computed: close to 1 where it is held.
  const { utilization } = performance.eventLoopUtilization(began)
  clearInterval(timer)
  expect(modules).toHaveLength(2)
  expect(files).toEqual(expect.arrayContaining([join(cwd, 'loud.ts'), join(cwd, 'frame/light.as.ts')]))
  expect(ticks).toBeGreaterThan(10)
  expect(utilization).toBeLessThan(0.5)
})

describe('a .wasm', () => {
  test('that is a WASI command can be called by default', async () => {
    const cwd = projectWith('hello.wasm', compileWasi('#include <stdio.h>\nint main(void) { puts("hello"); }'))
    expect(await bundle('hello.wasm', { cwd })).toMatchObject({
      tier: 'webassembly',
      name: 'hello',
      exports: ['default'],
    })
  })

  test('with its memory limit from wayside.json', async () => {
    const cwd = projectWith(
      'hello.wasm',
      compileWasi('static volatile char room[40 << 20]; int main(void) { return room[1]; }'),
    )
    await expect(bundle('hello.wasm', { cwd })).resolves.toMatchObject({ name: 'hello' })
    writeFileSync(join(cwd, 'wayside.json'), '{"limits":{"memory":"32MiB"}}')
    await expect(bundle('hello.wasm', { cwd })).rejects.toMatchObject({
      code: 'E_BUNDLE',
      message: expect.stringContaining('hello.wasm: the WebAssembly module cannot be metered: its memory'),
    })
  })

  test('that cannot be called, or is none, is refused by name', async () => {
    const scalar = compileC('__attribute__((export_name("f"))) int f(int n) { return n; }')
    for (const [bytes, words] of [
      [scalar, 'f.wasm has nothing that can be called'],
      [Uint8Array.of(1, 2, 3), 'f.wasm: the file is not a WebAssembly module'],
    ] as const) {
      const bundling = bundle('f.wasm', { cwd: projectWith('f.wasm', bytes) })
      await expect(bundling).rejects.toMatchObject({ code: 'E_BUNDLE', message: expect.stringContaining(words) })
    }
  })
})
