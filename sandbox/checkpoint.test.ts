/** A run that goes on from a checkpoint is the run that it was: outcome, fuel and memory. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { awaitedIn, type JournalEntry } from '../protocol/journal.ts'
import {
  CHECKPOINT_ANSWERS,
  CHECKPOINT_BYTES_MAX,
  CHECKPOINT_TICKS,
  FUEL_TICK,
  MEMORY_BYTES_MIN,
  MIB,
} from '../protocol/limits.ts'
import { encodeValue } from '../protocol/values.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { bases, begin, outcomeOf, runOf, sha256, wasm } from './fixture.ts'
import type { Run } from './job.ts'
import { decodeRegions } from './region-file.ts'
import { createSandbox } from './sandbox.ts'

/** Between requests it computes for somewhat more than a checkpoint is due for: to copy a large array onto itself is many ticks, and no work. */
const HEAVY = `
  const bytes = new Uint8Array(250_000)
  const work = () => { for (let i = 0; i < 90_000; i++) bytes.copyWithin(0, 0) }`

const MODULES: Record<string, string> = {
  'closures, generators, maps and promises that wait': `${HEAVY}
    export default async (rounds, env, ctx) => {
      const seen = new Map(), weak = new WeakMap(), g = (function* () { for (let i = 0; ; i++) yield i * Math.random() })()
      const late = ctx.call('#f', 'late')
      for (let i = 0; i < rounds; i++) {
        work()
        const key = { i }
        weak.set(key, g.next().value)
        const [a, b] = await Promise.all([ctx.call('#f', i), ctx.call('#g', [i, new Uint8Array([i])])])
        console.log('round', i, a, b)
        seen.set(i, [a, weak.get(key), 'x'.repeat(1000 * i)])
      }
      return [[...seen.values()].map(([a, w, s]) => [a, w, s.length]), await late, Math.random()]
    }`,
  'memory that has grown': `${HEAVY}
    export default async (rounds, env, ctx) => {
      const all = []
      for (let i = 0; i < rounds; i++) {
        work()
        all.push(new Uint8Array(1_000_000).fill(i + 1).subarray(0, 500_000))
        await ctx.call('#f', i)
        for (let k = 0; k < 100; k++) all.push({ k, text: 'y'.repeat(k) })
      }
      return all.reduce((sum, one) => sum + (one.length ?? one.k), 0)
    }`,
}

const limits = { fuel: 100_000 * FUEL_TICK, memory_bytes: 64 * MIB, output_bytes: 1 * MIB }
const ROUNDS = 3

interface Rested {
  answers: number
  checkpoint: Uint8Array
  hash: string
}

const freshly = () => createSandbox({ wasm, bases })

/** A run that is answered as it asks, the oldest request last; what it came to, its checkpoints and its memory at each tick. */
const performed = (module: string, changes: Partial<Run> = {}) => {
  const run = runOf(ROUNDS, { limits, ...changes })
  const journal: JournalEntry[] = [...run.journal]
  const rests: Rested[] = []
  const asked: number[] = []
  const handle = begin(
    module,
    run,
    {
      requested: (request) => {
        journal.push({ entry: 'request', ...request })
        asked.push(request.n)
      },
      rested: (answers, make) => {
        const checkpoint = make() as Uint8Array
        rests.push({ answers, checkpoint, hash: Buffer.from(sha256(checkpoint)).toString('hex') })
      },
    },
    freshly(),
  )
  // Whatever its journal left open.
  asked.unshift(...awaitedIn(run.journal))
  while (!handle.result) {
    const n = asked.pop() as number
    const answer = { ok: true as const, value: encodeValue([n, 'answer']) }
    journal.push({ entry: 'answer', n, answer })
    handle.answer(n, answer)
  }
  return { result: handle.result, rests, journal }
}

const named = (rests: readonly Rested[]) => rests.map(({ answers, hash }) => [answers, hash])

/** With all that was requested before the answer behind so many. */
const upTo = (journal: readonly JournalEntry[], answers: number): JournalEntry[] => {
  let given = 0
  const end = journal.findIndex(({ entry }) => entry === 'answer' && ++given > answers)
  return end === -1 ? [...journal] : journal.slice(0, end)
}

describe.each(Object.entries(MODULES))('a run with %s', (_, module) => {
  const whole = performed(module)

  test('has a checkpoint at each rest that is due, the same when it is run again from its journal', () => {
    expect(whole.rests.length).toBeGreaterThanOrEqual(2)
    expect(outcomeOf(whole.result).fuel).toBeGreaterThan(whole.rests.length * CHECKPOINT_TICKS * FUEL_TICK)
    const again = performed(module, { journal: whole.journal })
    expect(named(again.rests)).toEqual(named(whole.rests))
    expect(again.result).toEqual(whole.result)
  })

  test('goes on from the first, with its journal, to the same outcome and fuel, by the same memory', () => {
    const [{ checkpoint }] = whole.rests as [Rested]
    const resumed = performed(module, { journal: whole.journal, from: checkpoint })
    expect(resumed.result).toEqual(whole.result)
    expect(named(resumed.rests)).toEqual(named(whole.rests.slice(1)))
  })

  test('goes on from each to answers that are still to come', () => {
    for (const [i, { answers, checkpoint }] of whole.rests.entries()) {
      const resumed = performed(module, { journal: upTo(whole.journal, answers), from: checkpoint })
      expect(resumed.result).toEqual(whole.result)
      expect(resumed.journal).toEqual(whole.journal)
      expect(named(resumed.rests)).toEqual(named(whole.rests.slice(i + 1)))
    }
  })

  test('begins at its start with one that is another run’s, another journal’s, or damaged', () => {
    const { answers, checkpoint } = whole.rests.at(-1) as Rested
    const cut = upTo(whole.journal, answers - 1)
    expect(named(performed(module, { journal: cut, from: checkpoint }).rests)).toEqual(named(whole.rests))
    expect(performed(module, { from: checkpoint.subarray(1) }).result).toEqual(whole.result)
  })
})

test('a run that asks much and computes little has one behind each hundred answers, wherever it began', () => {
  const rounds = 3 * CHECKPOINT_ANSWERS + 1
  const module =
    'export default async (rounds, env, ctx) => { for (let i = 0; i < rounds; i++) await ctx.call("#f", i) }'
  const input = encodeValue(rounds)
  const whole = performed(module, { input })
  expect(outcomeOf(whole.result).fuel).toBeLessThan(CHECKPOINT_TICKS * FUEL_TICK)
  expect(whole.rests.map(({ answers }) => answers)).toEqual([1, 2, 3].map((k) => k * CHECKPOINT_ANSWERS))
  const [{ checkpoint }] = whole.rests as [Rested]
  const resumed = performed(module, { input, journal: whole.journal, from: checkpoint })
  expect(named(resumed.rests)).toEqual(named(whole.rests.slice(1)))
  expect(resumed.result).toEqual(whole.result)
})

test('a run whose memory has grown beyond what every function has goes on in an engine that has not', () => {
  const bytes = MEMORY_BYTES_MIN + 1
  const module = `${HEAVY}
    export default async (size, env, ctx) => {
      const large = new Uint8Array(size)
      for (let at = 0; at < size; at += 1_000_000) large[at] = at / 1_000_000 + 1
      work()
      const more = await ctx.call('#f', 1)
      let sum = 0
      for (let at = 0; at < size; at += 250_000) sum += large[at]
      return [sum, large.length, more]
    }`
  const whole = performed(module, { input: encodeValue(bytes) })
  const [{ checkpoint } = {} as Rested] = whole.rests
  const { memory_bytes, regions } = decodeRegions(checkpoint).head
  expect(memory_bytes).toBeGreaterThan(MEMORY_BYTES_MIN)
  expect(Math.max(...regions.map(([at, length]) => at + length))).toBeGreaterThan(MEMORY_BYTES_MIN)
  const resumed = performed(module, { input: encodeValue(bytes), journal: whole.journal, from: checkpoint })
  expect(resumed).toEqual({ ...whole, rests: [] })
  expect(outcomeOf(resumed.result).result).toEqual({ ok: true, value: encodeValue([153, bytes, [0, 'answer']]) })
})

test('a checkpoint that is larger than its limit is none', () => {
  const module = `${HEAVY}
    export default async (bytes, env, ctx) => { const all = new Uint8Array(bytes).fill(1); work(); await ctx.call('#f', 1) }`
  const made = (bytes: number) => {
    const found: (Uint8Array | undefined)[] = []
    begin(module, runOf(bytes, { limits }), { rested: (_, make) => found.push(make()) }, freshly())
    return found.map((one) => one && one.length <= CHECKPOINT_BYTES_MAX)
  }
  expect(made(CHECKPOINT_BYTES_MAX - 2 * MIB)).toEqual([true])
  expect(made(CHECKPOINT_BYTES_MAX)).toEqual([undefined])
})

test('a checkpoint that is damaged gives an outcome or none, and reaches nothing beside its guest', () => {
  const module = MODULES['memory that has grown'] as string
  const { rests, journal } = performed(module)
  const { checkpoint } = rests.at(-1) as Rested
  const sandbox = createSandbox({ wasm, bases })
  begin('export default () => 1', runOf(), {}, sandbox)
  checkProperty(
    'damaged checkpoint',
    fc.property(
      fc.array(fc.tuple(fc.nat(checkpoint.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 64,
      }),
      (changes) => {
        const from = checkpoint.slice()
        for (const [at, change] of changes) from[at] = (from[at] as number) ^ change
        const handle = begin(module, runOf(ROUNDS, { limits, journal, from }), {}, sandbox)
        expect(handle.result?.kind ?? 'waits').toMatch(/^(outcome|inconclusive|diverged|waits)$/)
        handle.abandon()
        expect(begin('export default () => 1', runOf(), {}, sandbox).result).toMatchObject({ kind: 'outcome' })
      },
    ),
    { runs: 5 },
  )
})
