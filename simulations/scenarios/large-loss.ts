import { SETTLES_MINUTES } from '../level2/discovery-report.ts'
import { NIGHT_MINUTES, runLoss } from '../level2/loss-report.ts'
import { DiscoveryWatch } from '../pictures/discovery.ts'
import { type Scenario, violated } from '../scenarios.ts'

const LOOKS = 20

export const scenario: Scenario = {
  about: `level 2: all servers, whose addresses are in tickets, vanish for good; look-ups in the ${NIGHT_MINUTES / 60} h after it, and who comes back after these`,
  peers: 800,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const ends = SETTLES_MINUTES + NIGHT_MINUTES
    const watch = new DiscoveryWatch(seed, { from: SETTLES_MINUTES, to: ends, label: 'no bootstrap peer is left' })
    const report = runLoss({ seed, peers, rtts }, LOOKS, (world, minute) => watch.look(world, minute))
    const { before, after, morning, rejoinShare } = report
    return {
      figures: {
        ...{ lost_share: report.lostShare, lost_keepers_share: report.lostKeepersShare },
        ...{ found_share: before.foundShare, live_share: before.liveShare, first_peer_p50_ms: before.firstP50Ms },
        ...{ found_share_after: after.foundShare, live_share_after: after.liveShare },
        ...{ first_peer_p50_after_ms: after.firstP50Ms, first_peer_p95_after_ms: after.firstP95Ms },
        ...{ found_share_morning: morning.foundShare, live_share_morning: morning.liveShare },
        ...{ first_peer_p50_morning_ms: morning.firstP50Ms, rejoining: report.rejoining, rejoin_share: rejoinShare },
        ...{ rejoin_p50_ms: report.rejoinP50Ms, rejoin_p95_ms: report.rejoinP95Ms, hash: report.hash },
      },
      violations: violated({
        [`a minute after the loss ${after.foundShare} of the look-ups led to somebody`]: after.foundShare > 0.9,
        [`in the morning ${morning.foundShare} did`]: morning.foundShare > 0.9,
        [`of the records found in the morning ${morning.liveShare} are of peers that are there`]:
          morning.liveShare > 0.85,
        [`${rejoinShare} of those that were away for the night found a member that they remembered`]:
          rejoinShare > 0.95,
      }),
      pictures: watch.pictures(),
    }
  },
}
