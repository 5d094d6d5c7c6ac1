/** `wayside` as a program meets it: through the agent of this machine, and without one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { MeshError } from '../protocol/errors.ts'
import { compileWasi } from '../sdk/bundle/wasm/testing/compile.ts'
import { connect, type Fn, fn, type Mesh } from './sdk.ts'
import { freshDirectory, startMesh, type TestAgent } from './testing/wayside.ts'

const SOURCE = `interface Shape { side: number }

export default function area(shape: Shape): number {
  return shape.side ** 2
}

export function broken(shape: Shape): number {
  console.log('looking at', shape.side)
  if (shape.side < 0) throw new RangeError('a side is not negative')
  return shape.side
}

export const forever = () => { for (;;); }
export const when = () => new Date()
export const greedy = () => { const all = []; for (;;) all.push(new Uint8Array(1e6)) }
`

interface Source {
  default(shape: { side: number }): number
  broken(shape: { side: number }): number
  forever(): never
  when(): unknown
  greedy(): never
}

let home = ''
let lender: TestAgent
let agent: TestAgent
let url: URL

beforeAll(async () => {
  home = freshDirectory()
  writeFileSync(join(home, 'shapes.ts'), SOURCE)
  url = pathToFileURL(join(home, 'shapes.ts'))
  const mesh = await startMesh(2)
  agent = mesh[0]!
  lender = mesh[1]!
})

const open = async (data: string): Promise<Mesh> => {
  const mesh = await connect({ data })
  onTestFinished(() => mesh.close())
  return mesh
}

const area = () => fn<Source['default']>(url)
const named = <Name extends 'broken' | 'forever' | 'when' | 'greedy'>(name: Name) =>
  fn<Source, Name>(url, { export: name })
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: MeshError) => error,
  )

describe('through the agent of this machine', () => {
  test('a call goes to another machine', async () => {
    const mesh = await open(agent.data)
    const { value, receipt } = await mesh.call(area(), { side: 3 }, { receipt: true })
    expect([value, receipt.local]).toEqual([9, false])
    expect(receipt.executors).toContain(lender.status.peer)
  })

  test('a map comes back in order, each item with its own outcome', async () => {
    const mesh = await open(agent.data)
    const sides = Array.from({ length: 500 }, (_, i) => ({ side: i - 1 }))
    let index = 0
    for await (const item of mesh.map(named('broken'), sides, { verify: 'none' })) {
      expect(item.index).toBe(index++)
      if (item.index > 0) expect(item).toEqual({ ok: true, index: item.index, value: item.index - 1 })
      else expect(item).toMatchObject({ ok: false, error: { code: 'E_FUNCTION_THREW' } })
    }
    expect(index).toBe(500)
  })

  test('leaving a map of endless inputs leaves nothing under way', async () => {
    const mesh = await open(agent.data)
    let ended = false
    const endless = function* () {
      try {
        for (let side = 0; ; side++) yield { side }
      } finally {
        ended = true
      }
    }
    for await (const item of mesh.map(area(), endless(), { verify: 'none' })) if (item.index === 20) break
    await expect.poll(() => ended).toBe(true)
    expect(await mesh.call(area(), { side: 2 })).toBe(4)
  })

  test('a signal ends a call that would never end', async () => {
    const mesh = await open(agent.data)
    const started = performance.now()
    const error = await failureOf(mesh.call(named('forever'), undefined, { signal: AbortSignal.timeout(500) }))
    expect(error).toMatchObject({ code: 'E_CANCELLED' })
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('the agent goes on after the program has left', async () => {
    await (await open(agent.data)).close()
    expect(await (await open(agent.data)).call(area(), { side: 1 })).toBe(1)
  })
})

describe('what a function does wrong is said', () => {
  test('it throws: its message, where in its source, and what it wrote before', async () => {
    const mesh = await open(agent.data)
    const error = await failureOf(mesh.call(named('broken'), { side: -1 }))
    expect(error).toMatchObject({ code: 'E_FUNCTION_THREW', message: 'RangeError: a side is not negative' })
    expect(error?.fields.stack).toMatch(/broken .*shapes\.ts:9:/)
    expect(error?.fields.console).toEqual([{ level: 'log', text: 'looking at -1' }])
  })

  test('it never ends, or returns or keeps what it may not', async () => {
    const mesh = await open(agent.data)
    const limits = { fuel: 10_000_000 }
    expect(await failureOf(mesh.call(named('forever'), undefined, { limits }))).toMatchObject({ code: 'E_FUEL_LIMIT' })
    const when = await failureOf(mesh.call(named('when'), undefined))
    expect(when).toMatchObject({ code: 'E_VALUE', message: expect.stringMatching(/^result: Date/) })
    expect(await failureOf(mesh.call(named('greedy'), undefined))).toMatchObject({ code: 'E_MEMORY_LIMIT' })
    expect(await mesh.call(area(), { side: 5 })).toBe(25)
  })

  test('it has no such export, does not parse, or is not there', async () => {
    const mesh = await open(agent.data)
    const unknown = fn(`${url.href}#nothing`)
    expect(await failureOf(mesh.call(unknown, 1))).toMatchObject({ code: 'E_EXPORT_UNKNOWN' })
    writeFileSync(join(home, 'torn.ts'), 'export default (')
    expect(await failureOf(mesh.call(fn(join(home, 'torn.ts')), 1))).toMatchObject({ code: 'E_FUNCTION_SYNTAX' })
    expect(await failureOf(mesh.call(fn(join(home, 'gone.ts')), 1))).toMatchObject({ code: 'E_BUNDLE' })
  })
})

describe('a .wasm file', () => {
  const SHOUT = `
#include <ctype.h>
#include <stdio.h>
int main(void) {
  int c, count = 0;
  while ((c = getchar()) != EOF) {
    if (c == '!') for (;;);
    if (c == '?') { fprintf(stderr, "a question after %d", count); return 3; }
    count++;
    putchar(toupper(c));
  }
}`
  let shout: Fn<Uint8Array, Uint8Array>

  beforeAll(() => {
    writeFileSync(join(home, 'shout.wasm'), compileWasi(SHOUT))
    shout = fn<(text: Uint8Array) => Uint8Array>(new URL('./shout.wasm', url))
  })

  const utf8 = (text: string) => new TextEncoder().encode(text)

  test('is a function by its URL: another machine runs it, and the memory of one call is gone in the next', async () => {
    const mesh = await open(agent.data)
    const { value, receipt } = await mesh.call(shout, utf8('hello'), { receipt: true })
    expect([new TextDecoder().decode(value), receipt.local]).toEqual(['HELLO', false])
    const words = ['one', 'two', 'what?', 'four']
    const found: unknown[] = []
    for await (const item of mesh.map(shout, words.map(utf8)))
      found.push(item.ok ? new TextDecoder().decode(item.value) : item.error.code)
    expect(found).toEqual(['ONE', 'TWO', 'E_FUNCTION_THREW', 'FOUR'])
  })

  test('says how it failed, and is stopped by its fuel', async () => {
    const mesh = await open(agent.data)
    const failed = await failureOf(mesh.call(shout, utf8('what?')))
    expect(failed).toMatchObject({ code: 'E_FUNCTION_THREW', message: expect.stringContaining('3') })
    expect(failed?.fields.console).toEqual([{ level: 'error', text: 'a question after 4' }])
    const endless = mesh.call(shout, utf8('stop!'), { limits: { fuel: 500_000 } })
    expect(await failureOf(endless)).toMatchObject({ code: 'E_FUEL_LIMIT' })
    const unknown = fn(new URL('./shout.wasm#nothing', url))
    expect(await failureOf(mesh.call(unknown, null))).toMatchObject({ code: 'E_EXPORT_UNKNOWN' })
  })
})

test('with no agent a call executes here, and says so', async () => {
  const mesh = await open(join(home, 'nobody'))
  const { value, receipt } = await mesh.call(area(), { side: 4 }, { receipt: true })
  expect([value, receipt.local]).toEqual([16, true])
  expect(await failureOf(mesh.call(area(), { side: 4 }, { remote: true }))).toMatchObject({ code: 'E_NO_PEER' })
})
