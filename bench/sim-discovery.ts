/**
 * How a peer of a mesh of 1,000,000 that come and go finds who offers what none of its neighbours does, at level 2
 * (`simulations/level2/discovery.ts`): how long it takes to shake hands with the first, by how many hops, where one peer of so many
 * offers it. Then the directory alone, for who has no neighbours: also which share of the records found is of peers that are
 * there; how long a peer that comes back is alone if every bootstrap peer is gone; the mesh in two halves, and healed; and keepers
 * that lie: some by chance, and some whose keys were made to sit around those that are looked for.
 */
import { randomInt } from 'node:crypto'
import { type LooksReport, runDiscovery, runNeeds } from '../simulations/level2/discovery-report.ts'
import { runEclipses } from '../simulations/level2/eclipse-report.ts'
import { rounded } from './measure.ts'

const PEERS = 1_000_000
const LOOKS = 200
/** One peer of so many offers what is needed; the figures of an aim are those of the second. */
const ONE_IN = [100, 1000, 10_000] as const
const ECLIPSE_PEERS = 30_000
const ECLIPSE_LOOKS = 40

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32))
  print(`WAYSIDE_SEED=${seed}: ${PEERS} peers, ${LOOKS} look-ups of each kind`)
  const needs = ONE_IN.map((oneIn) => {
    const report = runNeeds({ seed, peers: PEERS, oneIn }, LOOKS)
    print(`one in ${oneIn} offers it, with neighbours: ${JSON.stringify(report)}`)
    return report
  })
  const [common, needed, rare] = needs as [LooksReport, LooksReport, LooksReport]
  const report = runDiscovery({ seed, peers: PEERS }, LOOKS)
  print(`all offer it, by the directory alone: ${JSON.stringify(report)}`)
  const { byChance, aimed } = runEclipses({ seed, peers: ECLIPSE_PEERS }, ECLIPSE_LOOKS)
  const lying = byChance.map(({ permille, alone }) => [`found_share_hostile_${permille / 10}`, alone.foundShare])
  const made = aimed.flatMap(({ keys, alone, withNeighbours }) => [
    [`found_share_aimed_${keys}`, alone.foundShare],
    [`found_share_aimed_${keys}_with_neighbours`, withNeighbours.foundShare],
  ])
  return {
    live_share: rounded(report.liveShare),
    first_peer_p50_ms: rounded(needed.firstP50Ms),
    first_peer_p95_ms: rounded(needed.firstP95Ms),
    hops_mean: rounded(needed.hopsMean),
    found_share: needed.foundShare,
    first_peer_1_in_100_p50_ms: rounded(common.firstP50Ms),
    first_peer_1_in_100_p95_ms: rounded(common.firstP95Ms),
    first_peer_1_in_10000_p50_ms: rounded(rare.firstP50Ms),
    first_peer_1_in_10000_p95_ms: rounded(rare.firstP95Ms),
    first_peer_alone_p50_ms: rounded(report.firstP50Ms),
    first_peer_alone_p95_ms: rounded(report.firstP95Ms),
    hops_alone_mean: rounded(report.hopsMean),
    found_share_alone: report.foundShare,
    rejoin_p50_ms: rounded(report.rejoinP50Ms),
    rejoin_p95_ms: rounded(report.rejoinP95Ms),
    found_share_cut: report.cutFoundShare,
    found_share_healed: report.healed.foundShare,
    live_share_healed: rounded(report.healed.liveShare),
    ...Object.fromEntries([...lying, ...made]),
  }
}
