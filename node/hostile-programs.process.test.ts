import { afterAll, expect, test } from 'vitest'
import type { EffectRequest } from '../protocol/journal.ts'
import { MIB } from '../protocol/limits.ts'
import { decodeValue, encodeValue, ensureValue, type Value, valueToJson } from '../protocol/values.ts'
import { bytesOf, limits, seed } from '../sandbox/fixture.ts'
import { createSandboxPool, type SandboxJob, type SandboxResult, type SandboxRun } from '../sandbox/pool.ts'
import { HOSTILE_MODULES } from '../sandbox/testing/hostile-modules.ts'
import { answerTo, HOSTILE_PROGRAMS, type HostileProgram } from '../sandbox/testing/hostile-programs.ts'
import { childrenOf, textOf } from '../scripts/processes.ts'
import { systemClock } from './clock.ts'
import { createSandboxHost } from './sandbox-host.ts'

/** One for whoever is hostile, one for a neighbour. */
const SLOTS = 2
/** A run has so long more than it may, ten times over: its process may have to start, and others have the cores as well. */
const LATE_MS_MAX = 10 * 1000
/** What a process has beside the memory of its guests: Node itself, the engine, images and one output. */
const OWN_BYTES_MAX = 350 * MIB

const exits: string[] = []
const pool = createSandboxPool(
  {
    sandboxHost: createSandboxHost(),
    clock: systemClock,
    log: { event: (name, fields) => void (name === 'sandbox.exited' && exits.push(String(fields?.reason))) },
  },
  { slots: SLOTS, idleMs: 600_000 },
)
afterAll(() => pool.stop())

const job = (functionId: string, code: Uint8Array, input: unknown, changes: Partial<SandboxJob>): SandboxJob => ({
  ...{ party: 'somebody', functionId, code: () => code, exportName: 'default', effects: ['call'] as const },
  ...{ input: encodeValue(ensureValue(input)), seed, limits, journal: [], timeoutMs: 60_000, ...changes },
})

const NEIGHBOUR = bytesOf(`const kept = { list: [3, 1, 2] }
export default async (n) => [n, [...kept.list].sort().join(), await Promise.all([n, n + 1]), Math.max(n, 1)]`)
let neighbours = 0
const runNeighbour = () => {
  const n = ++neighbours
  const { result } = pool.run(job('neighbour', NEIGHBOUR, n, { party: 'a neighbour' }))
  return { result, expected: [n, '1,2,3', [n, n + 1], Math.max(n, 1)] as Value }
}

const valueIn = (result: SandboxResult): Value => {
  expect(result).toMatchObject({ kind: 'outcome', decoded: { result: { ok: true } } })
  const { decoded } = result as { decoded: { result: { value: Uint8Array } } }
  return decodeValue(decoded.result.value)
}

/** Begins a program; each request is answered at once and, once it is over, again. */
const begin = ({ name, code, form, effects, limits, timeoutMs }: HostileProgram): SandboxRun => {
  const asked: EffectRequest[] = []
  const run: SandboxRun = pool.run(
    job(
      name,
      code,
      { list: [1] },
      {
        ...{ party: 'a stranger', form, effects, limits, timeoutMs },
        onRequest: (request) => {
          asked.push(request)
          if (!valueToJson(decodeValue(request.arguments)).includes('"#late"'))
            queueMicrotask(() => run.answer(request.n, answerTo(request)))
        },
      },
    ),
  )
  run.result.then(() => {
    for (const request of asked.slice(0, 20)) run.answer(request.n, answerTo(request))
  })
  return run
}

const expectEnd = (result: SandboxResult, { expected, limits, timeoutMs }: HostileProgram): void => {
  if ('code' in expected && expected.code === 'inconclusive')
    return expect(result).toEqual({ kind: 'inconclusive', reason: `no result within ${timeoutMs} ms` })
  expect(result).toMatchObject({ kind: 'outcome' })
  const { decoded } = result as Extract<SandboxResult, { kind: 'outcome' }>
  if ('value' in expected) expect(decoded.result).toEqual({ ok: true, value: expected.value })
  else expect(decoded.result).toMatchObject({ code: expected.code, message: expect.stringContaining(expected.message) })
  expect(decoded.memory_bytes).toBeLessThanOrEqual(limits.memory_bytes)
}

/** The most that a process of this pool has had in memory, in bytes. */
const peakBytes = (): number => {
  const statuses = childrenOf(process.pid)
    .flatMap(childrenOf)
    .map((pid) => textOf(`/proc/${pid}/status`) ?? '')
  return Math.max(0, ...statuses.map((text) => Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024))
}

/** In real processes, with a neighbour beside each and after it: it ends in time, as it must, and hurts nobody. */
test.each([...HOSTILE_PROGRAMS, ...HOSTILE_MODULES])('$name', async (program) => {
  const fromMs = performance.now()
  const beside = runNeighbour()
  const { result } = begin(program)
  expectEnd(await result, program)
  expect(performance.now() - fromMs).toBeLessThan(program.timeoutMs + LATE_MS_MAX)
  expect(valueIn(await beside.result)).toEqual(beside.expected)
  const after = runNeighbour()
  expect(valueIn(await after.result)).toEqual(after.expected)
})

test('no process has ended but by the wall clock, and none has grown beyond what its guests may have', () => {
  expect([...new Set(exits)].filter((reason) => !/^killed with the run/.test(reason))).toEqual([])
  if (process.platform !== 'linux') return
  expect(peakBytes()).toBeGreaterThan(30 * MIB)
  expect(peakBytes()).toBeLessThan(OWN_BYTES_MAX + 128 * MIB)
})
