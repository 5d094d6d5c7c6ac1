/** Draws that large worlds need often. */
import type { Random } from '../../protocol/ports.ts'
import { ln } from '../exact-math.ts'
import { xoshiro128 } from '../random.ts'

const TWO_32 = 2 ** 32

export type Chance = Pick<Random, 'below'>

/**
 * The numbers of `seededRandom`, without its second draws: of a thousand results each comes up as often as the others but for
 * one part in four million.
 */
export const quickChance = (seed: number): Chance => {
  const next = xoshiro128(seed)
  return { below: (limit) => Math.floor((next() * limit) / TWO_32) }
}

/** Uniform in (0, 1]. */
export const uniform = (random: Chance): number => (random.below(TWO_32) + 1) / TWO_32

/** Exponential, of that mean. */
export const exponential = (random: Chance, mean: number): number => -mean * ln(uniform(random))

/** The same number in [0, 2^32) for the same two: MurmurHash3's finaliser. */
export const mixed = (a: number, b: number): number => {
  let hash = Math.imul(a, 0x9e3779b1) ^ b
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
