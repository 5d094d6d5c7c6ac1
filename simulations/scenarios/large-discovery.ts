import { runDiscovery } from '../level2/discovery-report.ts'
import { DiscoveryWatch } from '../pictures/discovery.ts'
import { type Scenario, violated } from '../scenarios.ts'

const LOOKS = 40

export const scenario: Scenario = {
  about: 'level 2: look-ups in the directory while peers come and go, the mesh falls into two halves and meets again',
  peers: 1000,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const watch = new DiscoveryWatch(seed)
    const report = runDiscovery({ seed, peers, rtts }, LOOKS, (world) => watch.look(world))
    const { liveShare, firstP50Ms, firstP95Ms, hopsMean, foundShare, cutFoundShare, healed, hash } = report
    return {
      figures: {
        ...{ live_share: liveShare, first_peer_p50_ms: firstP50Ms, first_peer_p95_ms: firstP95Ms, hops_mean: hopsMean },
        ...{ rejoin_p50_ms: report.rejoinP50Ms, rejoin_p95_ms: report.rejoinP95Ms, hash },
        ...{ found_share: foundShare, found_share_cut: cutFoundShare, found_share_healed: healed.foundShare },
      },
      violations: violated({
        [`of the records that were found ${liveShare} are of peers that are there`]: liveShare > 0.85,
        [`${foundShare} of the look-ups led to somebody`]: foundShare > 0.9,
        [`${healed.foundShare} did so after two halves had met again`]: healed.foundShare > 0.9,
        [`somebody is heard of by ${hopsMean} hops`]: hopsMean <= 4,
      }),
      pictures: watch.pictures(),
    }
  },
}
