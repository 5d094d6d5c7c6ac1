/**
 * How long whoever goes on with a durable invocation takes until it is where that was: from the last checkpoint, and by its
 * whole journal of 10,000 requests, between which it has computed, four times as much in the second as in the first. What it
 * takes by the journal is the work that was done. Each is cut off at its worst, where the next checkpoint is due: so from the last
 * one there is as much to do again as there can be. And how long it takes to take one. One engine, in pristine memory.
 */
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, JournalEntry } from '../protocol/journal.ts'
import { FUEL_MAX, REQUESTS_MAX } from '../protocol/limits.ts'
import { encodeValue } from '../protocol/values.ts'
import { interleave, median, rounded, row } from './measure.ts'
import { beginner, runOf } from './sandbox-runs.ts'
import { openSyncs } from './syncs.ts'

const ROUNDS = 3
/** Rounds of a loop between two requests. */
const SPINS = [3000, 12_000]
const CODE = `export default async ([requests, spins], env, ctx) => {
  const seen = new Map()
  let sum = 0
  for (let i = 0; i < requests; i++) {
    for (let k = 0; k < spins; k++) sum = (sum * 31 + k) | 0
    seen.set(i % 1000, [sum, await ctx.call('#part', i)])
  }
  return sum
}`
const ANSWER: Answer = { ok: true, value: encodeValue('an answer') }

const begin = beginner(CODE, { effects: ['call'] })

const runWith = (spins: number) => {
  const run = runOf([REQUESTS_MAX, spins])
  return { ...run, limits: { ...run.limits, fuel: FUEL_MAX } }
}

const msOf = (run: () => void): number => {
  const fromMs = performance.now()
  run()
  return performance.now() - fromMs
}

/** A run cut off at its last checkpoint; `from`: the one before. */
const recorded = (spins: number) => {
  const run = runWith(spins)
  const journal: JournalEntry[] = []
  const rests: { answers: number; checkpoint: Uint8Array | undefined }[] = []
  const tookMs: number[] = []
  const handle = begin(run, {
    requested: (request) => journal.push({ entry: 'request', ...request }),
    rested: (answers, make) => {
      tookMs.push(msOf(() => rests.push({ answers, checkpoint: make() })))
      rests.splice(0, rests.length - 2)
    },
  })
  for (let n = 0; !handle.result; n++) {
    journal.push({ entry: 'answer', n, answer: ANSWER })
    handle.answer(n, ANSWER)
  }
  const [before, last] = rests
  if (!before?.checkpoint || !last) throw new Error(`with ${spins} rounds it comes to no two checkpoints`)
  // One request behind the other: each rest is behind one that has no answer yet.
  return { run: { ...run, journal: journal.slice(0, 2 * last.answers + 1) }, from: before.checkpoint, tookMs }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const syncs = openSyncs(join(tmpdir(), `wayside-checkpoint-${randomUUID()}`))
  const figures: Record<string, number> = {}
  const contestants = SPINS.flatMap((spins) => {
    const { run, from, tookMs } = recorded(spins)
    print(`${spins} rounds: a checkpoint of ${from.length} bytes, ${run.journal.length} entries of its journal`)
    print(row(`to take one, ${spins} rounds`, 'ms', tookMs))
    figures[`take_${spins}_ms`] = rounded(median(tookMs))
    const goOn = (changes: { from?: Uint8Array }) => async () =>
      msOf(() => {
        const handle = begin({ ...run, ...changes })
        if (handle.result) throw new Error('it has ended, where it was to wait')
        handle.abandon()
      })
    return [
      { name: `from the last checkpoint, ${spins} rounds`, key: `resume_${spins}_ms`, run: goOn({ from }) },
      { name: `by its journal, ${spins} rounds`, key: `replay_${spins}_ms`, run: goOn({}) },
    ]
  })
  const results = await interleave(contestants, ROUNDS, 0)
  for (const { name, key } of contestants) {
    const samples = results.get(name) ?? []
    print(row(name, 'ms', samples))
    figures[key] = rounded(median(samples))
  }
  figures.fsync_p50_ms = rounded(syncs.median())
  syncs.close()
  return figures
}
