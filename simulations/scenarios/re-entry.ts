import { reEntryPictures } from '../pictures/re-entry.ts'
import { type ReEntry, runReEntry, type Way } from '../re-entry.ts'
import { type Scenario, violated } from '../scenarios.ts'
import type { Tally } from '../verification.ts'

/** Results a peer, for each peer: 200 have 10,000 each. */
const RESULTS = 50
/** After so many each figure is told. */
const TOLD = [100, 300, 1000, 3000, 10_000]
/** The curve has so many points for each tenfold. */
const POINTS = 10

const lengthsOf = (peers: number): number[] => {
  const most = RESULTS * peers
  const points = Array.from({ length: Math.floor(POINTS * Math.log10(most)) + 1 }, (_, i) =>
    Math.round(10 ** (i / POINTS)),
  )
  return [...new Set([...points, ...TOLD.filter((length) => length < most), most])].sort((a, b) => a - b)
}

type At = (run: ReEntry, length: number) => Tally

/** By way in and results a peer, at the worst rate of lies; on a public mesh, of newcomers for whom an operator vouches, and of the others. */
const executionsOf = (runs: readonly ReEntry[], told: readonly number[], at: At) => {
  const worst = (way: Way, length: number, of: (tally: Tally) => number) =>
    Math.max(...runs.filter((run) => run.way === way).map((run) => of(at(run, length))))
  return [...new Set(runs.map(({ way }) => way))].flatMap((way) =>
    told.flatMap((length): [string, number][] => [
      [`executions_${way}_${length}`, worst(way, length, ({ executions, results }) => executions / results)],
      [`guest_executions_${way}_${length}`, worst(way, length, (one) => one.guestExecutions / one.guestResults)],
      [`alone_executions_${way}_${length}`, worst(way, length, (one) => one.aloneExecutions / one.aloneResults)],
    ]),
  )
}

export const scenario: Scenario = {
  about: `trials of verification, ${RESULTS} results a peer for each peer: a fifth in collusion always comes back as somebody else; by who answers for it`,
  peers: 20,
  async run({ seed, peers }) {
    const lengths = lengthsOf(peers)
    const runs = runReEntry(seed, peers, lengths)
    const most = lengths.at(-1) as number
    const told = [...TOLD.filter((length) => length < most), most]
    const at: At = ({ tallies }, length) => tallies[lengths.indexOf(length)] as Tally
    const wrong = (run: ReEntry, length: number) => at(run, length).wrongByIntent / at(run, length).results
    const last = (way: Way) => wrong(runs.find((run) => run.way === way) as ReEntry, most)
    return {
      figures: Object.fromEntries<number>([
        ...runs.flatMap((run) =>
          told.map((length) => [`wrong_${run.way}_${run.lies}_${length}`, wrong(run, length)] as const),
        ),
        ...executionsOf(runs, told, at).filter(([, figure]) => Number.isFinite(figure)),
        ...runs.map((run) => [`identities_${run.way}_${run.lies}`, at(run, most).badIdentities] as const),
      ]),
      violations: violated({
        [`${last('founder')} are wrong where the founder answers, ${last('nobody')} where nobody does`]:
          last('founder') < last('nobody'),
        [`${last('member')} are wrong where a member answers, ${last('nobody')} where nobody does`]:
          last('member') < last('nobody'),
      }),
      pictures: reEntryPictures(runs, lengths),
    }
  },
}
