/** What look-ups of a large mesh bring: in the calm, cut in two halves, healed, and with keepers that lie. */
import { deriveSeed } from '../random.ts'
import { type Chance, quickChance } from './chance.ts'
import { type Discovering, DiscoveryWorld, type Look } from './discovery.ts'
import { rejoinMs } from './rejoining.ts'

/** Longer than any record lasts, twice: nobody knows any more how it began. */
export const SETTLES_MINUTES = 20
export const CUT_MINUTES = 15
const MINUTE_MS = 60_000

export interface LooksReport {
  /** Of the records that were found, the share whose peers are there. */
  liveShare: number
  /** Until hands are shaken with the first that is there; Infinity: so many found nobody. */
  firstP50Ms: number
  firstP95Ms: number
  /** By how many peers, one after another, the first was heard of. */
  hopsMean: number
  /** Share of look-ups that led to somebody. */
  foundShare: number
}

/** Nearest rank. */
export const quantile = (figures: readonly number[], share: number): number =>
  figures.toSorted((a, b) => a - b)[Math.ceil(share * figures.length) - 1] as number

export const lookReport = (world: DiscoveryWorld, random: Chance, count: number, ofFirstCell = false): LooksReport =>
  reportOf(Array.from({ length: count }, () => world.look(world.seeker(random, { ofFirstCell }))))

/** Of peers with neighbours none of whom offers what they need. */
export const needReport = (world: DiscoveryWorld, random: Chance, count: number, ofFirstCell = false): LooksReport =>
  reportOf(
    Array.from({ length: count }, () =>
      world.need(world.seeker(random, { ofFirstCell, suits: (peer) => !world.hasAtHand(peer) })),
    ),
  )

const reportOf = (looks: readonly Look[]): LooksReport => {
  const count = looks.length
  const sum = (of: (one: (typeof looks)[number]) => number) => looks.reduce((total, one) => total + of(one), 0)
  const found = looks.filter(({ firstMs }) => firstMs < Number.POSITIVE_INFINITY).length
  const firsts = looks.map(({ firstMs }) => firstMs)
  return {
    liveShare: sum(({ live }) => live) / sum(({ records }) => records),
    firstP50Ms: quantile(firsts, 0.5),
    firstP95Ms: quantile(firsts, 0.95),
    hopsMean: sum(({ hops }) => hops) / found,
    foundShare: found / count,
  }
}

export interface DiscoveryReport extends LooksReport {
  rejoinP50Ms: number
  rejoinP95Ms: number
  /** Share of look-ups that led to somebody after a quarter of an hour in halves, and what is found a minute after they met again. */
  cutFoundShare: number
  healed: LooksReport
  hash: number
}

/** Lets `minutes` pass, and has `watch` look after each. */
const pass = (world: DiscoveryWorld, minutes: number, watch: (world: DiscoveryWorld) => void): void => {
  for (let minute = 0; minute < minutes; minute++) {
    world.runMs(MINUTE_MS)
    watch(world)
  }
}

/** The same report for the same options. `watch` is shown the world minute by minute, and changes nothing in it. */
export const runDiscovery = (
  options: Discovering,
  looks: number,
  watch: (world: DiscoveryWorld) => void = () => {},
): DiscoveryReport => {
  const random = quickChance(deriveSeed(options.seed, 'seekers'))
  const world = new DiscoveryWorld(options)
  pass(world, SETTLES_MINUTES, watch)
  const calm = lookReport(world, random, looks)
  const rejoins = Array.from({ length: looks }, () => rejoinMs(world, world.seeker(random, { isThere: false }), random))
  world.cut()
  pass(world, CUT_MINUTES, watch)
  const cut = lookReport(world, random, looks)
  world.heal()
  pass(world, 1, watch)
  const healed = lookReport(world, random, looks)
  const hash = world.wheel.hash >>> 0
  return {
    ...calm,
    ...{ rejoinP50Ms: quantile(rejoins, 0.5), rejoinP95Ms: quantile(rejoins, 0.95), cutFoundShare: cut.foundShare },
    ...{ healed, hash },
  }
}

/** Nobody knows any more how it began. */
export const settledWorld = (options: Discovering): DiscoveryWorld => {
  const world = new DiscoveryWorld(options)
  world.runMs(SETTLES_MINUTES * MINUTE_MS)
  return world
}

/** Look-ups by peers that have neighbours, none of whom offers what is needed. */
export const runNeeds = (options: Discovering, looks: number): LooksReport =>
  needReport(settledWorld(options), quickChance(deriveSeed(options.seed, 'seekers')), looks)
