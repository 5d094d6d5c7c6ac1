import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import { bytesOf, limits, seed } from '../sandbox/fixture.ts'
import { createSandboxPool, type SandboxJob, type SandboxRun } from '../sandbox/pool.ts'
import { DEPTH, keepOlderRelease } from '../scripts/test/older-release.ts'
import { systemClock } from './clock.ts'
import { createSandboxHost } from './sandbox-host.ts'
import { RELEASES, type SandboxRelease } from './sandbox-releases.ts'

let older: SandboxRelease

beforeAll(async () => {
  const kept = await keepOlderRelease()
  older = kept.release
  return kept.remove
})

const poolOf = (slots: number) => {
  const events: string[] = []
  const log = { event: (name: string) => void events.push(name) }
  const sandboxHost = createSandboxHost(NO_FAIL_POINTS, undefined, [...RELEASES, older])
  const pool = createSandboxPool({ sandboxHost, clock: systemClock, log }, { slots, idleMs: 60_000 })
  onTestFinished(() => pool.stop())
  const on = (engine: string, changes: Partial<SandboxJob> = {}) =>
    pool.run({
      ...{ party: 'somebody', functionId: 'depth', code: () => bytesOf(DEPTH), exportName: 'default' },
      ...{ effects: ['call'], input: encodeValue(null), seed, limits, journal: [], timeoutMs: 60_000, engine },
      ...changes,
    })
  return { on, events }
}

const depthOf = async (run: SandboxRun): Promise<number> => {
  const result = await run.result
  expect(result).toMatchObject({ kind: 'outcome', decoded: { result: { ok: true } } })
  return decodeValue((result as { decoded: { result: { value: Uint8Array } } }).decoded.result.value) as number
}

describe('an agent that carries two releases of the sandbox', () => {
  test('runs each task on the engine that it names, one after another in one slot', async () => {
    const { on, events } = poolOf(1)
    const [newest, before] = [ENGINE_ID, older.engines[0] as string]
    const depths = []
    for (const engine of [newest, before, before, newest]) depths.push(await depthOf(on(engine)))
    expect(depths[0]).toBeGreaterThanOrEqual(1000)
    expect(depths[1]).toBeLessThan(300)
    expect(depths).toEqual([depths[0], depths[1], depths[1], depths[0]])
    expect(events.filter((name) => name === 'sandbox.spawned')).toHaveLength(3)
  })

  test('runs both at once in two slots, and no task waits for ever', async () => {
    const { on } = poolOf(2)
    const engines = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? (older.engines[0] as string) : ENGINE_ID))
    const depths = await Promise.all(engines.map((engine) => depthOf(on(engine))))
    expect(depths.map((depth) => depth < 300)).toEqual(engines.map((engine) => engine !== ENGINE_ID))
  })

  test('keeps a run that waits for an answer on the engine that it began with, also when its process went', async () => {
    const { on } = poolOf(1)
    const requested = vi.fn()
    const waiting = on(older.engines[0] as string, { input: encodeValue('ask'), onRequest: requested })
    await vi.waitFor(() => expect(requested).toHaveBeenCalled(), 20_000)
    expect(await depthOf(on(ENGINE_ID))).toBeGreaterThanOrEqual(1000)
    waiting.answer(0, { ok: true, value: encodeValue(null) })
    expect(await depthOf(waiting)).toBeLessThan(300)
  })
})
