/** As in `kademlia.test.ts`, up to a million peers. */
import { expect, test } from 'vitest'
import { expectHops } from './testing/hops.ts'

test.each([
  [1000, 0.999],
  [10_000, 0.999],
  [100_000, 0.99],
  // Of a thousand keepers below its deepest leaf a table knows twenty.
  [1_000_000, 0.5],
])('of %i peers hops are as they must be, and so much of what is nearest is found', (peers, recall) => {
  const { buckets, tables } = expectHops(peers, 6000)
  console.log(
    `${peers} peers: ${buckets.mean.toFixed(3)} hops by buckets, ${tables.mean.toFixed(3)} by tables, which find ${tables.recall.toFixed(4)}`,
  )
  expect(buckets.recall).toBeGreaterThan(0.999)
  expect(tables.recall).toBeGreaterThan(recall)
  if (peers > 10_000) expect(tables.mean).toBeGreaterThan(buckets.mean)
  else expect(tables.mean).toBeLessThan(buckets.mean)
})
