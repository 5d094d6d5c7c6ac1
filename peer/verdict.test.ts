import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { drawOrder, type VoteView, verdictOf, winnerOf } from './verdict.ts'

const votes = (outcomes: string): VoteView => ({
  count: outcomes.length,
  same: (i, j) => outcomes[i] === outcomes[j],
})

describe('verdict', () => {
  test.each([
    ['', 2, 'insufficient', -1],
    ['a', 2, 'insufficient', -1],
    ['aa', 2, 'agreed', 0],
    ['ab', 2, 'disputed', -1],
    ['aba', 2, 'agreed', 0],
    ['abb', 2, 'agreed', 1],
    ['abc', 2, 'disputed', -1],
    ['aabb', 3, 'disputed', -1],
    ['aa', 3, 'insufficient', -1],
    ['baaa', 3, 'agreed', 1],
  ])('%j at quorum %i: %s', (outcomes, quorum, verdict, winner) => {
    expect(verdictOf(votes(outcomes), quorum)).toBe(verdict)
    expect(winnerOf(votes(outcomes), quorum)).toBe(winner)
  })
})

describe('draw', () => {
  const hash = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
  const secret = new Uint8Array(32).fill(7)

  const peers = Array.from({ length: 40 }, (_, i) => `peer ${i}`)

  test('depends on the secret, the receipt and the round, and on nothing else', () => {
    const receipt = new Uint8Array(32).fill(1)
    const drawn = drawOrder(hash, secret, receipt, 1, peers)
    expect(drawn.toSorted()).toEqual(peers.toSorted())
    expect(drawOrder(hash, secret, receipt, 1, peers.toReversed())).toEqual(drawn)
    const others = [
      drawOrder(hash, secret, receipt, 2, peers),
      drawOrder(hash, new Uint8Array(32), receipt, 1, peers),
      drawOrder(hash, secret, new Uint8Array(32), 1, peers),
    ]
    expect(others).not.toContainEqual(drawn)
    expect(drawOrder(hash, secret, receipt, 1, [])).toEqual([])
  })

  test('of those that may be asked, each is first about equally often, wherever they stand', () => {
    const may = new Set(['peer 0', 'peer 1', 'peer 2', 'peer 3', 'peer 39'])
    const counts = new Map([...may].map((peer) => [peer, 0]))
    for (let i = 0; i < 5000; i++) {
      const drawn = drawOrder(hash, secret, hash(Uint8Array.of(i & 255, i >> 8)), 1, peers)
      const first = drawn.find((peer) => may.has(peer))!
      counts.set(first, counts.get(first)! + 1)
    }
    // Mean 1000, standard deviation 28: five of them either side.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(142)
  })
})
