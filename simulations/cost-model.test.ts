import { describe, expect, test } from 'vitest'
import { decodeValue } from '../protocol/values.ts'
import type { SandboxJob } from '../sandbox/pool.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { lyingHost } from './adversaries.ts'
import { FakeClock } from './clock.ts'
import { createCostModelHost, MODEL_FUNCTION, modelInput, modelResult } from './cost-model.ts'

const poolOf = (slots: number, { speed = 1, lies = false } = {}) => {
  const clock = new FakeClock()
  const host = createCostModelHost(clock, () => speed)
  const sandboxHost = lies ? lyingHost(host) : host
  const log = { event: () => {} }
  const pool = createSandboxPool({ clock, sandboxHost, log }, { slots, idleMs: 60_000 })
  const ended: { id: number; atMs: number; value: unknown }[] = []
  const run = (id: number, ms: number, timeoutMs = 60_000) => {
    const job: SandboxJob = {
      ...{ party: 'caller', functionId: 'model', code: () => MODEL_FUNCTION.code, exportName: 'default', effects: [] },
      ...{ input: modelInput({ id, ms }), seed: new Uint8Array(32), limits: MODEL_FUNCTION.limits, journal: [] },
      timeoutMs,
    }
    const started = pool.run(job)
    void started.result.then((result) => {
      const value = result.kind === 'outcome' && result.decoded?.result.ok && decodeValue(result.decoded.result.value)
      ended.push({ id, atMs: clock.monotonic(), value })
    })
    return started
  }
  return { clock, pool, run, ended }
}

test('runs take the time that their input says, one after another in each slot', async () => {
  const { clock, run, ended } = poolOf(2)
  for (const id of [1, 2, 3]) run(id, 100)
  await clock.advance(200)
  expect(ended).toEqual([
    { id: 1, atMs: 100, value: modelResult(1) },
    { id: 2, atMs: 100, value: modelResult(2) },
    { id: 3, atMs: 200, value: modelResult(3) },
  ])
})

test('a machine of double speed takes half of it', async () => {
  const { clock, run, ended } = poolOf(1, { speed: 2 })
  const started = run(1, 1000)
  await clock.advance(499)
  expect(ended).toEqual([])
  expect(started.fuel()).toBeGreaterThan(0)
  await clock.advance(1)
  expect(ended).toHaveLength(1)
  expect(started.ranMs()).toBe(500)
})

test('short runs are reported together, each with its own time', async () => {
  const { clock, run, ended } = poolOf(1)
  run(0, 0.5)
  await clock.advance(1)
  const runs = [1, 2, 3, 4, 5].map((id) => run(id, 0.5))
  await clock.advance(2)
  expect(ended.map(({ atMs }) => atMs)).toEqual([0.5, 3, 3, 3, 3])
  await clock.advance(1)
  expect(runs.map((one) => one.ranMs())).toEqual([0.5, 0.5, 0.5, 0.5, 0.5])
})

describe('a run that is ended', () => {
  test('by its caller says nothing more, and 40 ms later its slot is free for the next', async () => {
    const { clock, run, ended } = poolOf(1)
    const first = run(1, 1000)
    run(2, 100)
    await clock.advance(400)
    first.kill('not wanted')
    await clock.advance(140)
    expect(ended).toEqual([
      { id: 1, atMs: 400, value: false },
      { id: 2, atMs: 540, value: modelResult(2) },
    ])
  })

  test('by its timeout is inconclusive', async () => {
    const { clock, run } = poolOf(1)
    const { result } = run(1, 1000, 300)
    await clock.advance(400)
    expect(await result).toMatchObject({ kind: 'inconclusive' })
  })
})

test('liars are made of it as of any other host', async () => {
  const { clock, run, ended } = poolOf(1, { lies: true })
  run(7, 10)
  await clock.advance(10)
  expect(ended).toEqual([{ id: 7, atMs: 10, value: modelResult(7) + 1 }])
})

test('what it computes is what its code does', async () => {
  const module = await import(`data:text/javascript,${new TextDecoder().decode(MODEL_FUNCTION.code)}`)
  for (const id of [0, 1, 12_345, 2 ** 32 - 1]) expect(modelResult(id)).toBe(module.default({ id }))
})

test('what is computed on each task is told, also of one that is killed, up to its end', async () => {
  const clock = new FakeClock()
  const spent: [number, number][] = []
  const host = createCostModelHost(
    clock,
    () => 2,
    ({ id }, ms) => void spent.push([id, ms]),
  )
  const pool = createSandboxPool({ clock, sandboxHost: host, log: { event: () => {} } }, { slots: 1, idleMs: 60_000 })
  const run = (id: number, ms: number) =>
    pool.run({
      ...{ party: 'caller', functionId: 'model', code: () => MODEL_FUNCTION.code, exportName: 'default', effects: [] },
      ...{ input: modelInput({ id, ms }), seed: new Uint8Array(32), limits: MODEL_FUNCTION.limits, journal: [] },
      timeoutMs: 60_000,
    })
  run(1, 1000)
  const second = run(2, 1000)
  await clock.advance(620)
  second.kill('not wanted')
  await clock.advance(1000)
  expect(spent).toEqual([
    [1, 500],
    [2, 120 + 40],
  ])
})
