/**
 * A call that reads two keys and writes one, at `quorum:2` on two other agents, beside a pure call at the same level; both
 * through the agent of the caller, in which the state is kept. Accounts are drawn by Zipf's law; one call in ten reads a key
 * that nobody can know from its input.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect, fn } from '../node/sdk.ts'
import { type BenchAgent, startAgent } from './agents.ts'
import { ACCOUNTS } from './functions/transfer/transfer.ts'
import { interleave, latencies, median, rounded, row } from './measure.ts'
import { openSyncs } from './syncs.ts'

const ROUNDS = 9
const CALLS = 60
const HIDDEN = 0.1
const CLI = join(import.meta.dirname, '../bin/wayside.js')
const VERIFY = { verify: 'quorum:2', remote: true } as const

/** By Zipf's law: the k-th of all accounts is drawn 1/k times as often as the first. */
const zipf = (): (() => number) => {
  let sum = 0
  const sums = Array.from({ length: ACCOUNTS }, (_, k) => {
    sum += 1 / (k + 1)
    return sum
  })
  return () => {
    const drawn = Math.random() * sum
    return sums.findIndex((upTo) => upTo > drawn)
  }
}

interface Reads {
  foreseen: number
  asked: number
  waits: number
}

const readsOf = async ({ data }: BenchAgent): Promise<Reads> => {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'status', '--json', '--data', data])
  return (JSON.parse(stdout) as { reads: Reads }).reads
}

const measure = async (home: BenchAgent, print: (line: string) => void): Promise<Record<string, number>> => {
  const mesh = await connect({ data: home.data })
  const trivial = fn<typeof import('./trivial.ts').default>(new URL('./trivial.ts', import.meta.url))
  const transfer = fn<typeof import('./functions/transfer/transfer.ts').default>(
    new URL('./functions/transfer/transfer.ts', import.meta.url),
  )
  const account = zipf()
  let n = 0
  const pure = () => mesh.call(trivial, { n: n++ }, VERIFY)
  const stateful = () =>
    mesh.call(transfer, { from: account(), to: account(), isHidden: Math.random() < HIDDEN }, VERIFY)
  const syncs = openSyncs(join(home.data, 'bench-sync'))
  // What is measured is what is learnt: the warm-up is none of it.
  await latencies(stateful, CALLS)
  const before = await readsOf(home)
  const results = await interleave(
    [
      { name: 'stateful', run: () => latencies(stateful, CALLS) },
      { name: 'pure', run: () => latencies(pure, CALLS) },
      { name: 'fsync', run: async () => [syncs.median()] },
    ],
    ROUNDS,
    0,
  )
  const after = await readsOf(home)
  syncs.close()
  await mesh.close()
  const of = (name: string) => median((results.get(name) ?? []).flat())
  const [p50, pureP50, fsync] = [of('stateful'), of('pure'), of('fsync')]
  for (const name of ['stateful', 'pure'])
    print(`${row(`${name}, quorum:2`, 'ms', (results.get(name) ?? []).map(median))}  fsync_p50_ms ${rounded(fsync)}`)
  const [foreseen, asked] = [after.foreseen - before.foreseen, after.asked - before.asked]
  const round_trips_mean = 1 + (after.waits - before.waits) / (ROUNDS * CALLS)
  print(`reads that travelled: ${foreseen} of ${foreseen + asked}; round trips: ${rounded(round_trips_mean)}, aim 1.2`)
  print(`beside a pure call and one fsync: ${rounded(p50 / (pureP50 + fsync))}, aim 1.5`)
  return {
    p50_ms: rounded(p50),
    pure_quorum_p50_ms: rounded(pureP50),
    fsync_p50_ms: rounded(fsync),
    round_trips_mean: rounded(round_trips_mean),
    hit_rate: rounded(foreseen / (foreseen + asked)),
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const home = await startAgent({ cpus: 1 })
  const lenders = [await startAgent({ cpus: 1, join: home.ticket }), await startAgent({ cpus: 1, join: home.ticket })]
  try {
    return await measure(home, print)
  } finally {
    for (const agent of [...lenders, home]) await agent.stop()
  }
}
