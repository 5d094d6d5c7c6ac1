import { expect, test } from 'vitest'
import { seedFor } from '../../scripts/test/seed.ts'
import { quickChance } from './chance.ts'
import { modelGeography } from './geography.ts'
import { Population } from './population.ts'
import { DEGREE, NEAR, Tables } from './tables.ts'

test.each([10, 50, 400])('of %i peers nobody has another twice for a neighbour, the nearest come first', (peers) => {
  const random = quickChance(seedFor(`tables ${peers}`))
  const population = new Population(peers, modelGeography(random), random)
  const { invokers, count, peer, delayTicks } = new Tables(population, 10, random)
  for (const [k, own] of invokers.entries()) {
    const [from, many] = [k * DEGREE, count[k] as number]
    const known = [...peer.subarray(from, from + many)]
    expect(new Set([...known, own]).size).toBe(many + 1)
    expect(known.every((other) => population.canReach(own, other))).toBe(true)
    const near = [...delayTicks.subarray(from, from + Math.min(NEAR, many))]
    expect(near).toEqual(near.toSorted((a, b) => a - b))
  }
})
