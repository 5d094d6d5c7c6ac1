import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { drawIndex, type VoteView, verdictOf, winnerOf } from './verdict.ts'

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

  test('depends on the secret, the receipt and the round, and on nothing else', () => {
    const receipt = new Uint8Array(32).fill(1)
    const drawn = drawIndex(hash, secret, receipt, 1, 1000)
    expect(drawIndex(hash, secret, receipt, 1, 1000)).toBe(drawn)
    const others = [
      drawIndex(hash, secret, receipt, 2, 1000),
      drawIndex(hash, new Uint8Array(32), receipt, 1, 1000),
      drawIndex(hash, secret, new Uint8Array(32), 1, 1000),
    ]
    expect(others).not.toContain(drawn)
  })

  test('every candidate is drawn about equally often', () => {
    const counts = new Array(5).fill(0)
    for (let i = 0; i < 5000; i++) counts[drawIndex(hash, secret, hash(Uint8Array.of(i & 255, i >> 8)), 1, 5)]++
    // Mean 1000, standard deviation 28: five of them either side.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(142)
  })
})
