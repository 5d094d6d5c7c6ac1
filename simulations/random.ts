import type { Random } from '../protocol/ports.ts'

const TWO_32 = 2 ** 32

/** A 32-bit seed for one named use of a run's seed: FNV-1a over both, then MurmurHash3's finaliser to spread the bits. */
export const deriveSeed = (seed: number, name: string): number => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(`${seed}/${name}`)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * xoshiro128** (Blackman and Vigna, 2018), its state filled from `seed` by SplitMix32. Uniform in [0, 2^32), with a
 * period of 2^128 - 1. The same seed gives the same numbers on every engine: only 32-bit integer operations.
 */
export const xoshiro128 = (seed: number): (() => number) => {
  let mixed = seed | 0
  const split = () => {
    mixed = (mixed + 0x9e3779b9) | 0
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let [a, b, c, d] = [split(), split(), split(), split()]
  const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits))
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result >>> 0
  }
}

/** The random port for worlds and tests: the same numbers for the same seed (a 32-bit integer). Not fit for secrets. */
export const seededRandom = (seed: number): Random => {
  const next = xoshiro128(seed)
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
    below(limit) {
      if (!Number.isInteger(limit) || limit < 1 || limit > TWO_32)
        throw new RangeError(`below(${limit}): the limit must be an integer from 1 to 2^32`)
      // Numbers past the last whole multiple of `limit` are drawn again: without that, small results come up more often.
      const bound = TWO_32 - (TWO_32 % limit)
      let drawn = next()
      while (drawn >= bound) drawn = next()
      return drawn % limit
    },
  }
}
