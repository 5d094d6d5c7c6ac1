/** What hops must be. */
import { expect } from 'vitest'
import { TABLE_DEPTH_MAX } from '../../../peer/provider-keys.ts'
import { K } from '../kademlia.ts'
import { bucketsOf, Crowd, type Hops, hopsOf, tablesOf } from './look-ups.ts'

/** Fixed: of fresh ones one in 370 would be more than three standard errors away by chance. */
const SEED = 1

/** Of buckets of 20 that are never cut off: the mean of so many look-ups, of another program, to two places. */
const FIGURES: Readonly<Record<number, { mean: number; lookups: number }>> = {
  1000: { mean: 2.07, lookups: 1500 },
  10000: { mean: 2.71, lookups: 1500 },
  100000: { mean: 3.06, lookups: 1500 },
  1000000: { mean: 3.62, lookups: 600 },
}
const ROUNDED = 0.005

const expectNear = (a: Hops, mean: number, standardError: number, beside = 0) =>
  expect(Math.abs(a.mean - mean)).toBeLessThan(3 * Math.hypot(a.standardError, standardError) + beside)

/**
 * Within three standard errors: buckets of Kademlia have the hops of the figures, and the tables of `kademlia.ts` those of buckets that
 * differ in what kad-dht differs in: all of a leaf of up to 2 K is known, and none is split below a depth.
 */
export const expectHops = (peers: number, lookups: number): { buckets: Hops; tables: Hops } => {
  const crowd = new Crowd(peers, SEED)
  const hops = (closest: Parameters<typeof hopsOf>[1], seed: number) => hopsOf(crowd, closest, lookups, seed)
  const buckets = hops(bucketsOf(crowd, SEED, { whole: K, depth: 32 }), 1)
  const figure = FIGURES[peers]
  if (!figure) throw new Error(`there is no figure for ${peers} peers`)
  expectNear(buckets, figure.mean, buckets.standardError * Math.sqrt(lookups / figure.lookups), ROUNDED)
  const alike = hops(bucketsOf(crowd, SEED, { whole: 2 * K, depth: TABLE_DEPTH_MAX }), 2)
  const tables = hops(tablesOf(crowd, SEED), 3)
  expectNear(tables, alike.mean, alike.standardError)
  return { buckets, tables }
}
