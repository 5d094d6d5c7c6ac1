import { describe, expect, test } from 'vitest'
import { FUEL_TICK, MIB, TRACE_POINTS_MAX } from '../protocol/limits.ts'
import { bytesOf, outcomeOf, runOf, sha256, wasm } from './fixture.ts'
import type { Run } from './job.ts'
import { createSandbox } from './sandbox.ts'
import { TRACE_BYTES_A_TICK, Tracer } from './tracer.ts'

/** Ticks of the hashes of a run of `ticks`, with `bytes` of memory to look at. */
const ticksOf = (distanceTicks: number, ticks: number, bytes: (tick: number) => number = () => 0): number[] => {
  const tracer = new Tracer(distanceTicks, (state) => state)
  for (let tick = 0; tick < ticks; tick++) tracer.at(tick, bytes(tick), () => new Uint8Array(32))
  return tracer.trace.map(({ tick }) => tick)
}

const upTo = (ticks: number, distance = 1) =>
  Array.from({ length: Math.ceil(ticks / distance) }, (_, i) => i * distance)

describe('a trace', () => {
  test('has the first tick, and one every so many', () => {
    expect(ticksOf(1, 10)).toEqual(upTo(10))
    expect(ticksOf(4, 10)).toEqual([0, 4, 8])
    expect(ticksOf(1000, 10)).toEqual([0])
  })

  test('of more ticks than fit has every other one, so that two stay comparable', () => {
    expect(ticksOf(1, TRACE_POINTS_MAX)).toEqual(upTo(TRACE_POINTS_MAX))
    expect(ticksOf(1, TRACE_POINTS_MAX + 1)).toEqual(upTo(TRACE_POINTS_MAX + 1, 2))
    for (const ticks of [100, 1000, 12_345]) {
      const found = ticksOf(3, ticks)
      const distance = (found[1] as number) - (found[0] as number)
      expect(found).toEqual(upTo(ticks, distance))
      expect(Math.log2(distance / 3) % 1).toBe(0)
      expect(found.length).toBeGreaterThan(TRACE_POINTS_MAX / 2 - 2)
      expect(found.length).toBeLessThanOrEqual(TRACE_POINTS_MAX)
    }
  })

  test('looks at no more memory than goes with its ticks, however much there is', () => {
    for (const bytes of [MIB, 2 * MIB, 3 * MIB, 2048 * MIB]) {
      let looked = 0
      const tracer = new Tracer(1, (state) => state)
      for (let tick = 0; tick < 10_000; tick++)
        tracer.at(tick, bytes, () => {
          looked += bytes
          expect(looked).toBeLessThanOrEqual(TRACE_BYTES_A_TICK * (tick + 1))
          return new Uint8Array(32)
        })
      expect(looked).toBeGreaterThan(0)
    }
    expect(ticksOf(1, 9, () => 3 * MIB)).toEqual([2, 5, 8])
  })
})

const COUNTS = `export default (n) => {
  const all = []
  for (let i = 0; i < n; i++) all[i % 1000] = i * i
  return all.length
}`

/** A trace of one run, with what was done to the memory before each hash. */
const traceOf = (sandbox = createSandbox({ wasm }), input: unknown = 60_000, changes: Partial<Run> = {}) => {
  sandbox.load(COUNTS, bytesOf(COUNTS), runOf().limits.memory_bytes)
  const tracer = new Tracer(1, sha256)
  const { result } = sandbox.run(COUNTS, runOf(input, changes), { tracer })
  return { outcome: outcomeOf(result), trace: tracer.trace }
}

describe('a traced run', () => {
  test('has a hash a tick, the same in the engine that loaded it, in one reset, and in one restored', () => {
    const sandbox = createSandbox({ wasm })
    const first = traceOf(sandbox)
    expect(first.trace.map(({ tick }) => tick)).toEqual(upTo(Math.ceil(first.outcome.fuel / FUEL_TICK)))
    expect(first.trace.length).toBeGreaterThan(10)
    expect(new Set(first.trace.map(({ hash }) => hash.join())).size).toBe(first.trace.length)
    expect(traceOf(sandbox)).toEqual(first)
    const other = createSandbox({ wasm })
    other.restore(COUNTS, runOf().limits.memory_bytes, sandbox.exported(COUNTS, runOf().limits.memory_bytes)!)
    expect(traceOf(other)).toEqual(first)
  })

  test('has the outcome of one that is not', () => {
    const sandbox = createSandbox({ wasm })
    const { outcome } = traceOf(sandbox)
    expect(outcomeOf(sandbox.run(COUNTS, runOf(60_000)).result)).toEqual(outcome)
  })

  test('with another input differs from the first tick on', () => {
    const [a, b] = [traceOf(), traceOf(createSandbox({ wasm }), 60_001)]
    expect(a.trace[0]?.hash).not.toEqual(b.trace[0]?.hash)
  })

  test('that ends at its limit of fuel has the hashes of one that goes on', () => {
    const { outcome, trace } = traceOf(createSandbox({ wasm }), 60_000, { limits: { ...runOf().limits, fuel: 50_000 } })
    expect(outcome.result).toMatchObject({ code: 'E_FUEL_LIMIT' })
    expect(trace).toEqual(traceOf().trace.slice(0, 5))
  })

  test('of a function that cannot be loaded has none', () => {
    const sandbox = createSandbox({ wasm })
    sandbox.load('broken', bytesOf('export default ('), runOf().limits.memory_bytes)
    const tracer = new Tracer(1, sha256)
    outcomeOf(sandbox.run('broken', runOf(), { tracer }).result)
    expect(tracer.trace).toEqual([])
  })
})
