import { DEVICES } from '../level2/devices.ts'
import { isDay } from '../level2/rhythm.ts'
import { DAY_HOURS, runLargeRouting } from '../level2/routing.ts'
import { DayWatch, dayPictures } from '../pictures/day.ts'
import { type Scenario, violated } from '../scenarios.ts'

/** In an hour, on average: they come within some 5 s of it. */
const JOBS_PER_PEER = 2
/** A quarter as many by night: a stated model. */
const BY_NIGHT = 0.25

const isNight = (hour: number): boolean => !isDay(hour)

export const scenario: Scenario = {
  about:
    'level 2: 24 h, peers over all time zones come and go by the hour there, and ask more by day; jobs of 1 s at load 0.6 for some seconds of each hour; beside a world in which all hours are alike',
  peers: 80,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const work = {
      jobMs: 1000,
      load: 0.6,
      workload: 'poisson',
      firstJobs: 0,
      jobs: DAY_HOURS * JOBS_PER_PEER * peers,
    } as const
    const asked = { ...work, seed, peers, invokers: Math.max(1, Math.floor(peers / 8)), rtts, churn: true }
    const [watch, evenWatch] = [new DayWatch(), new DayWatch()]
    const day = runLargeRouting({ ...asked, day: { byNight: BY_NIGHT }, watch })
    const devices = DEVICES.map((device) => ({ ...device, byDay: 1 }))
    const even = runLargeRouting({ ...asked, devices, day: { byNight: 1 }, watch: evenWatch })
    const [byDay, byNight] = [watch.of(isDay), watch.of(isNight)]
    return {
      figures: {
        ...{ mean_ms: day.meanMs, p99_ms: day.p99Ms, even_mean_ms: even.meanMs, even_p99_ms: even.p99Ms },
        ...{ asked_by_day_mean_ms: byDay.meanMs, asked_by_night_mean_ms: byNight.meanMs },
        ...{ there_by_day_share: byDay.thereShare, there_by_night_share: byNight.thereShare },
        ...{ even_there_share: evenWatch.of(() => true).thereShare, duplicate_share: day.duplicateShare },
        ...{ even_duplicate_share: even.duplicateShare, lost: day.lost, unanswered: day.unanswered, hash: day.hash },
      },
      violations: violated({
        [`${day.unanswered} of ${work.jobs} jobs have no answer`]: day.unanswered === 0,
        [`${even.unanswered} have none where all hours are alike`]: even.unanswered === 0,
        [`jobs took ${day.meanMs} ms, and ${even.meanMs} where all hours are alike`]: day.meanMs < 2 * even.meanMs,
      }),
      pictures: dayPictures(watch, evenWatch),
    }
  },
}
