/** Every bootstrap peer vanishes for good: what members find then, and who was away for the night. */
import { deriveSeed } from '../random.ts'
import { quickChance } from './chance.ts'
import { type Discovering, DiscoveryWorld } from './discovery.ts'
import { type LooksReport, lookReport, quantile, SETTLES_MINUTES } from './discovery-report.ts'
import { rejoinMs } from './rejoining.ts'

const MINUTE_MS = 60_000
export const NIGHT_MINUTES = 8 * 60
/** After the loss, those at which the world is shown to who watches: until records have run out often, then once an hour. */
const LOOKED_MINUTES = [5, 10, 15, 30, ...Array.from({ length: NIGHT_MINUTES / 60 }, (_, hour) => 60 * (hour + 1))]
/** Those that never leave by themselves: machines of operators, whose addresses are in tickets. */
const BOOTSTRAP = 'server'

export interface LossReport {
  /** Before the loss, a minute after it, and in the morning. */
  before: LooksReport
  after: LooksReport
  morning: LooksReport
  /** Of the peers that were there, and of the keepers of the directory, the share that vanished. */
  lostShare: number
  lostKeepersShare: number
  /** Of those who left before the loss, come back in the morning and remember members: the share that finds one of these. */
  rejoinShare: number
  rejoining: number
  rejoinP50Ms: number
  rejoinP95Ms: number
  hash: number
}

/** The same report for the same options. `watch` is shown the world, with the minute, and changes nothing in it. */
export const runLoss = (
  options: Pick<Discovering, 'seed' | 'peers' | 'rtts'>,
  looks: number,
  watch: (world: DiscoveryWorld, minute: number) => void = () => {},
): LossReport => {
  const random = quickChance(deriveSeed(options.seed, 'seekers'))
  const world = new DiscoveryWorld(options)
  const { population, wheel } = world
  for (let minute = 1; minute <= SETTLES_MINUTES; minute++) {
    world.runMs(MINUTE_MS)
    watch(world, minute)
  }
  const before = lookReport(world, random, looks)
  const all = Array.from({ length: population.size }, (_, peer) => peer)
  const there = all.filter((peer) => population.online[peer] === 1)
  const lost = there.filter((peer) => population.deviceOf(peer).name === BOOTSTRAP)
  const lossTicks = wheel.now
  for (const peer of all) if (population.deviceOf(peer).name === BOOTSTRAP) world.lose(peer)
  world.runMs(MINUTE_MS)
  const after = lookReport(world, random, looks)
  watch(world, SETTLES_MINUTES + 1)
  let passed = 1
  for (const minute of LOOKED_MINUTES) {
    world.runMs((minute - passed) * MINUTE_MS)
    passed = minute
    watch(world, SETTLES_MINUTES + minute)
  }
  const morning = lookReport(world, random, looks)
  const isAway = (peer: number) => population.online[peer] === 0 && (population.turnedAt[peer] as number) < lossTicks
  const remembers = (peer: number) =>
    population.deviceOf(peer).carriesDirectory && population.deviceOf(peer).name !== BOOTSTRAP
  const away = all.filter((peer) => isAway(peer) && remembers(peer))
  const rejoins = away.map((peer) => rejoinMs(world, peer, random))
  return {
    ...{ before, after, morning },
    lostShare: lost.length / there.length,
    lostKeepersShare: lost.length / there.filter((peer) => world.isKeeper(peer)).length,
    rejoining: rejoins.length,
    rejoinShare: rejoins.filter((ms) => ms < Number.POSITIVE_INFINITY).length / rejoins.length,
    rejoinP50Ms: quantile(rejoins, 0.5),
    rejoinP95Ms: quantile(rejoins, 0.95),
    hash: wheel.hash >>> 0,
  }
}
