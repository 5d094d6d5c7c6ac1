/** The same machines, places and arrivals at both levels: what level 2 leaves out must not show. */
import { type Counts, countsBetween } from '../message-counts.ts'
import { invokersOf, quantilesOf, type Setting, type Trial, type Tried, tryOnSeededClock } from '../trial.ts'
import type { Machine } from '../world.ts'
import { DEVICES, type DeviceClass } from './devices.ts'
import { LargeRoutingWorld, untilAnswered } from './routing.ts'
import { msOf } from './wheel.ts'
import { EVENT, type LargeWorld } from './world.ts'

const SERVER = DEVICES[0] as DeviceClass

/** Of six speeds, as in `routing-scenario.ts`; all can reach each other, and nothing stands between them but distance. */
const MACHINES: readonly DeviceClass[] = [0.5, 0.75, 1, 1.25, 1.5, 2].map((speed, i) => ({
  ...SERVER,
  ...{ name: `speed ${speed}`, permille: i < 4 ? 167 : 166, slots: 1, speed, accessMsMax: 8 },
}))

/** How finely it is looked for when counted jobs arrive, ms. */
const STEP_MS = 10

/** What both levels send, under the names of level 2. */
const sentAt2 = ({ sent, counts }: LargeWorld): Counts => ({
  asked: sent[EVENT.asked] as number,
  started: sent[EVENT.started] as number,
  answered: sent[EVENT.answered] as number,
  cancelled: sent[EVENT.cancelled] as number,
  refused: sent[EVENT.refused] as number,
  load: counts.loadWords,
})

/** An advertisement says the load as well, in place of the next word. */
const sentAt1 = ({
  invoke = 0,
  tied = 0,
  started = 0,
  answers = 0,
  cancel = 0,
  refused = 0,
  load = 0,
  advertise = 0,
}: Counts): Counts => ({
  ...{ asked: invoke + tied, started, answered: answers, cancelled: cancel, refused, load: load + advertise },
})

const tryOnColumns = (trial: Trial): { tried: Tried; setting: Setting } => {
  const { peers, jobs, firstJobs } = trial
  const routing = new LargeRoutingWorld({
    ...trial,
    ...{ invokers: invokersOf(peers), workload: 'poisson', churn: false, oracle: 'neighbours', devices: MACHINES },
    link: { lossPpm: 0, jobBytes: 1024 },
  })
  while (routing.arrivals.length <= firstJobs) routing.runMs(STEP_MS)
  const before = sentAt2(routing.world)
  while (routing.arrivals.length < firstJobs + jobs) routing.runMs(STEP_MS)
  const sent = countsBetween(before, sentAt2(routing.world))
  untilAnswered(routing)
  const { population } = routing.world
  const beganMs = routing.arrivals[0]?.atMs ?? 0
  const arrivals = routing.arrivals.slice(0, firstJobs + jobs).map((one) => ({ ...one, atMs: one.atMs - beganMs }))
  return {
    tried: { took: quantilesOf(Float64Array.from(routing.tookTicks.subarray(1), msOf)), sent },
    setting: {
      ...trial,
      arrivals,
      delayMs: (from, to) => msOf(population.delayTicks(from, to)),
      speedOf: (i) => population.deviceOf(i).speed,
    },
  }
}

export const compareLevels = async (machine: Machine, trial: Trial): Promise<{ level1: Tried; level2: Tried }> => {
  const { tried, setting } = tryOnColumns(trial)
  const { took, sent } = await tryOnSeededClock(machine, trial.seed, setting)
  return { level1: { took, sent: sentAt1(sent) }, level2: tried }
}
