/** Tables of the directory against the figures of Kademlia that others have: k = 20, ten asked at once, everybody there. */
import { describe, expect, test } from 'vitest'
import { expectHops } from './testing/hops.ts'

describe.each([1000, 10_000])('of %i peers', (peers) => {
  // `npm run torture` asks 100,000 and 1,000,000 as well, and more often.
  test('hops are as with Kademlia’s buckets, but for what leaves of up to 40 spare', () => {
    const { buckets, tables } = expectHops(peers, 400)
    expect(tables.mean).toBeLessThan(buckets.mean)
    expect(tables.recall).toBeGreaterThan(0.999)
  })
})
