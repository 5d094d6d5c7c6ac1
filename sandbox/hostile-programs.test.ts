import { expect, test } from 'vitest'
import type { EffectRequest } from '../protocol/journal.ts'
import type { Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, type Value, valueToJson } from '../protocol/values.ts'
import { bytesOf, outcomeOf, runOf, seed, sha256, valueIn, wasm } from './fixture.ts'
import { createCutPut } from './large-puts.ts'
import { createSandbox, type RunHandle } from './sandbox.ts'
import { HOSTILE_MODULES } from './testing/hostile-modules.ts'
import { answerTo, HOSTILE_PROGRAMS, type HostileProgram } from './testing/hostile-programs.ts'

const HOSTILE = [...HOSTILE_PROGRAMS, ...HOSTILE_MODULES]

const NEIGHBOUR = `const kept = { list: [3, 1, 2] }
export default async (n) => [n, [...kept.list].sort().join(), await Promise.all([n, n + 1]), JSON.stringify({ a: [n] }), Math.max(n, 1)]`
const neighbourly = (n: number): Value => [n, '1,2,3', [n, n + 1], `{"a":[${n}]}`, Math.max(n, 1)]

/** What is asked by `#late` is answered only when the run is over. */
const isLate = ({ arguments: bytes }: EffectRequest): boolean => valueToJson(decodeValue(bytes)).includes('"#late"')

const perform = (
  sandbox: ReturnType<typeof createSandbox>,
  { name, code, form, effects, limits }: HostileProgram,
): RunHandle => {
  sandbox.load(name, code, limits.memory_bytes, form)
  const asked: EffectRequest[] = []
  const run = runOf({ list: [1] }, { limits, seed, effects })
  const handle = sandbox.run(name, run, { requested: (request) => void asked.push(request) })
  for (let next = 0; !handle.result && next < asked.length; next++) {
    const request = asked[next] as EffectRequest
    if (!isLate(request)) handle.answer(request.n, answerTo(request))
  }
  // Too late, twice, and of what it never asked.
  for (const request of [...asked.slice(0, 10), ...asked.slice(0, 10)]) handle.answer(request.n, answerTo(request))
  handle.answer(99_999, { ok: true, value: encodeValue('never asked') })
  return handle
}

const expectEnd = ({ result }: Outcome, { expected }: HostileProgram): void => {
  if ('value' in expected) expect(result).toEqual({ ok: true, value: expected.value })
  else expect(result).toMatchObject({ code: expected.code, message: expect.stringContaining(expected.message) })
}

test('there are enough of them, and no two have one name', () => {
  expect(HOSTILE_PROGRAMS.length).toBeGreaterThan(100)
  expect(HOSTILE_MODULES.length).toBeGreaterThan(24)
  expect(new Set(HOSTILE.map(({ name }) => name)).size).toBe(HOSTILE.length)
})

const shared = createSandbox({ wasm, compare: true, cutPut: createCutPut(sha256) })
shared.load('neighbour', bytesOf(NEIGHBOUR), 0)
let runs = 0

const expectNeighbour = () => {
  const run = runOf(++runs, { limits: { fuel: 1_000_000, memory_bytes: 0, output_bytes: 1000 } })
  expect(valueIn(outcomeOf(shared.run('neighbour', run).result))).toEqual(neighbourly(runs))
}

/** In one thread with a neighbour, and no clock to end it: by its own limits alone. */
test.each(HOSTILE.filter(({ endsByItself }) => endsByItself))('$name', (program) => {
  const outcome = outcomeOf(perform(shared, program).result)
  expectEnd(outcome, program)
  expect(outcome.fuel).toBeLessThanOrEqual(program.limits.fuel)
  expect(outcome.memory_bytes).toBeLessThanOrEqual(program.limits.memory_bytes)
  expectNeighbour()
})
