import { runEclipses } from '../level2/eclipse-report.ts'
import { eclipsePictures } from '../pictures/eclipse.ts'
import { type Scenario, violated } from '../scenarios.ts'

const LOOKS = 20

export const scenario: Scenario = {
  about:
    'level 2: look-ups where keepers of the directory lie, by chance or with keys made to sit around those that a cell looks under',
  peers: 6000,
  takesLong: true,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const report = runEclipses({ seed, peers, rtts }, LOOKS)
    const { byChance, aimed } = report
    const lying = byChance.map(({ permille, alone }) => [`found_share_hostile_${permille / 10}`, alone.foundShare])
    const made = aimed.flatMap(({ keys, alone, withNeighbours }) => [
      [`found_share_aimed_${keys}`, alone.foundShare],
      [`found_share_aimed_${keys}_with_neighbours`, withNeighbours.foundShare],
    ])
    return {
      figures: Object.fromEntries([...lying, ...made]),
      violations: violated({
        ...Object.fromEntries(
          byChance.map(({ permille, alone }) => [
            `${permille} of 1,000 keepers lie, and ${alone.foundShare} of the look-ups led to somebody`,
            alone.foundShare > 0.9,
          ]),
        ),
        ...Object.fromEntries(
          aimed.map(({ keys, withNeighbours }) => [
            `${keys} keys were made, and ${withNeighbours.foundShare} of the look-ups of who has neighbours led to somebody`,
            withNeighbours.foundShare > 0.9,
          ]),
        ),
      }),
      pictures: eclipsePictures(report),
    }
  },
}
