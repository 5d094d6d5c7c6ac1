/**
 * Who is found in the directory of a mesh of 1,000,000 peers that come and go, at level 2 (`simulations/level2/discovery.ts`): which
 * share of the records found is of peers that are there, how long it takes to shake hands with the first, by how many hops. Then
 * how long a peer that comes back is alone if every bootstrap peer is gone; the mesh in two halves, and healed; and keepers that
 * lie: some by chance, and some whose keys were made to sit around those that are looked for.
 */
import { randomInt } from 'node:crypto'
import { runDiscovery, runEclipse } from '../simulations/level2/discovery-report.ts'
import { rounded } from './measure.ts'

const PEERS = 1_000_000
const LOOKS = 60
const ECLIPSE_PEERS = 30_000
const ECLIPSE_LOOKS = 40

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32))
  print(`WAYSIDE_SEED=${seed}: ${PEERS} peers, ${LOOKS} look-ups of each kind`)
  const report = runDiscovery({ seed, peers: PEERS }, LOOKS)
  print(JSON.stringify(report))
  const eclipse = (options: { hostilePermille?: number; aimed?: number }) =>
    rounded(runEclipse({ seed, peers: ECLIPSE_PEERS, ...options }, ECLIPSE_LOOKS).foundShare)
  return {
    live_share: rounded(report.liveShare),
    first_peer_p50_ms: rounded(report.firstP50Ms),
    first_peer_p95_ms: rounded(report.firstP95Ms),
    hops_mean: rounded(report.hopsMean),
    found_share: report.foundShare,
    rejoin_p50_ms: rounded(report.rejoinP50Ms),
    rejoin_p95_ms: rounded(report.rejoinP95Ms),
    found_share_cut: report.cutFoundShare,
    found_share_healed: report.healed.foundShare,
    live_share_healed: rounded(report.healed.liveShare),
    found_share_hostile_10: eclipse({ hostilePermille: 100 }),
    found_share_hostile_50: eclipse({ hostilePermille: 500 }),
    found_share_aimed_10: eclipse({ aimed: 10 }),
    found_share_aimed_20: eclipse({ aimed: 20 }),
    found_share_aimed_40: eclipse({ aimed: 40 }),
  }
}
