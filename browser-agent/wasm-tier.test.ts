import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, test, vi } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import { bringsWebAssembly, encodeFrame } from '../sandbox/frames.ts'

/** Empty, and a module all the same; the checker wants more. */
const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const SCRIPT = encodeFrame([['code', 'plain', 'javascript', [], Uint8Array.of(1), [], []]])
const PROGRAM = encodeFrame([['code', 'program', 'webassembly', [], MODULE, [], []]])
const CARRYING = encodeFrame([
  ['drop', 1],
  ['code', 'carrying', 'javascript', [8], MODULE, [], []],
])
const OTHER = encodeFrame([['drop', 7]])

let here: { tier: 'here'; url: string }

beforeAll(async () => {
  const source = join(import.meta.dirname, '../sandbox/program/program.ts')
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, write: false, format: 'esm' })
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`
  here = { tier: 'here', url }
})

/** As in a worker that has just begun. */
const fresh = async () => {
  vi.resetModules()
  const { TierGate, openProgram } = await import('./wasm-tier.ts')
  const passed: Uint8Array[] = []
  const want = vi.fn()
  const gate = new TierGate((frame) => passed.push(frame), bringsWebAssembly, want)
  return { gate, passed, want, open: () => openProgram(MODULE, MIB) }
}

test('only code that is WebAssembly, or has some, needs it', () => {
  expect([SCRIPT, OTHER, PROGRAM, CARRYING].map(bringsWebAssembly)).toEqual([false, false, true, true])
})

test.each([PROGRAM, CARRYING])(
  'frames wait for it from the first that needs it, and keep their order',
  async (first) => {
    const { gate, passed, want, open } = await fresh()
    gate.frame(SCRIPT)
    expect(passed).toEqual([SCRIPT])
    expect(want).not.toHaveBeenCalled()
    for (const frame of [first, OTHER, PROGRAM]) gate.frame(frame)
    expect(passed).toEqual([SCRIPT])
    await gate.take(here)
    expect(passed).toEqual([SCRIPT, first, OTHER, PROGRAM])
    expect(want).toHaveBeenCalledOnce()
    // From now on nothing waits.
    gate.frame(PROGRAM)
    expect(passed).toHaveLength(5)
    expect(open()).toMatchObject({ code: 'E_MODULE_REFUSED' })
  },
)

test.each([
  [
    'the page could not load it',
    { tier: 'failed', why: 'it is not what was promised' } as const,
    'not what was promised',
  ],
  ['it is no module', { tier: 'here', url: 'data:text/javascript,export{' } as const, 'did not load: '],
])('%s: all that waited goes on, what needs it fails and asks for it again', async (_, order, why) => {
  const { gate, passed, want, open } = await fresh()
  for (const frame of [PROGRAM, OTHER]) gate.frame(frame)
  await gate.take(order)
  expect(passed).toEqual([PROGRAM, OTHER])
  expect(want).toHaveBeenCalledOnce()
  expect(open).toThrow(why)
  expect(want).toHaveBeenCalledTimes(2)
  await gate.take(here)
  expect(open()).toMatchObject({ code: 'E_MODULE_REFUSED' })
})
