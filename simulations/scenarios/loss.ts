import { runLossScenario } from '../loss-scenario.ts'
import { lossPictures } from '../pictures/loss.ts'
import { type Scenario, violated } from '../scenarios.ts'

export const scenario: Scenario = {
  about:
    'real peers, of which a tenth, by whom all others joined, is killed at once; another tenth comes back after ten minutes',
  peers: 12,
  async run({ machine, seed, peers }) {
    const figures = await runLossScenario({ machine, seed, peers })
    const { first, returned, rejoined, rejoinMsMax, calls, right, joinsByOldTicket, joinsByNewTicket } = figures
    return {
      figures: {
        ...{ first, returned, rejoin_share: rejoined / returned, rejoin_max_ms: rejoinMsMax },
        ...{ neighbours_least: figures.seen.at(-1)?.neighboursLeast as number, calls, right_share: right / calls },
        ...{ joins_by_old_ticket: Number(joinsByOldTicket), joins_by_new_ticket: Number(joinsByNewTicket) },
      },
      violations: violated({
        [`of ${returned} that came back ${rejoined} found somebody`]: rejoined === returned,
        [`of ${calls} calls ${right} had the right answer`]: right === calls,
        'a ticket of one that is gone let somebody in': !joinsByOldTicket,
        'a ticket of one that is there let nobody in': joinsByNewTicket,
      }),
      pictures: lossPictures(figures),
    }
  },
}
