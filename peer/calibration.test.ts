import { describe, expect, test } from 'vitest'
import { CALIBRATION_CODE, CALIBRATION_EXPORT, CALIBRATION_ROUNDS } from '../protocol/calibration.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { perform } from '../sandbox/fixture.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { FakeClock } from '../simulations/clock.ts'
import { createCostModelHost, FUEL_PER_MS, MODEL_FUNCTION, modelInput } from '../simulations/cost-model.ts'
import { Calibration } from './calibration.ts'

const machineOf = (speedAt: (ms: number) => number) => {
  const clock = new FakeClock()
  const tasks: number[] = []
  const host = createCostModelHost(
    clock,
    () => speedAt(clock.monotonic()),
    ({ id }) => tasks.push(id),
  )
  const pool = createSandboxPool({ clock, sandboxHost: host, log: { event: () => {} } }, { slots: 1, idleMs: 60_000 })
  const lends = { isIdle: true, measured: 0 }
  const calibration = new Calibration(clock, pool, {
    isIdle: () => lends.isIdle,
    measured: () => lends.measured++,
  })
  const until = async (ms: number) => {
    while (clock.monotonic() < ms) {
      await clock.advance(500)
      calibration.consider()
    }
  }
  return { clock, pool, calibration, lends, tasks, until }
}

describe('what a machine says of its speed', () => {
  test('is fuel per ms of the calibration, the best of eight runs after 20 s, and no other run counts', async () => {
    const speeds = [8, 0.25, 0.25, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25]
    const { calibration, lends, tasks, until } = machineOf((ms) => speeds[(ms - 20_000) / 500] as number)
    await until(24_000)
    expect(calibration.speed).toBe(0)
    await until(30_000)
    expect(calibration.speed).toBe(0.5 * FUEL_PER_MS)
    expect([lends.measured, tasks]).toEqual([1, []])
  })

  test('is not measured while the machine does not lend, or does something', async () => {
    const { calibration, pool, lends, until } = machineOf(() => 2)
    lends.isIdle = false
    await until(30_000)
    lends.isIdle = true
    const own = pool.run({
      ...{ party: 'self', functionId: 'model', code: () => MODEL_FUNCTION.code, exportName: 'default', effects: [] },
      ...{ input: modelInput({ id: 0, ms: 20_000 }), seed: new Uint8Array(32), limits: MODEL_FUNCTION.limits },
      ...{ journal: [], timeoutMs: 60_000 },
    })
    await until(40_000)
    expect([own.state(), calibration.speed]).toEqual(['done', 0])
    await until(50_000)
    expect([calibration.speed, lends.measured]).toEqual([2 * FUEL_PER_MS, 1])
  })

  test('stays unknown where the clock stands still while it computes', async () => {
    const { calibration, lends, until } = machineOf(() => Number.POSITIVE_INFINITY)
    await until(60_000)
    expect([calibration.speed, lends.measured]).toEqual([0, 0])
  })
})

test('the calibration uses the same fuel wherever it runs', () => {
  const { result, fuel } = perform(CALIBRATION_CODE, CALIBRATION_ROUNDS, {
    ...{ exportName: CALIBRATION_EXPORT, effects: [], seed: new Uint8Array(32) },
    limits: { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX },
  })
  expect(result.ok).toBe(true)
  expect(fuel).toBe(124_046)
})
