import { expect, test } from 'vitest'
import type { Ports } from '../protocol/ports.ts'
import { Needs } from './needs.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'

test('a hundred times as many needs as are looked for in a minute are passed over, and looked for later', () => {
  let nowMs = 0
  const member = { member: true, features: ['acquaintances'] } as unknown as Neighbour
  const asked: string[] = []
  const needs = new Needs({ clock: { monotonic: () => nowMs }, random: { below: () => 0 } } as unknown as Ports, {
    neighbours: { all: () => [member], lenders: () => [] } as unknown as NeighbourTable,
    roster: { meet: () => {} },
    lookups: { ask: async (_, { capability, known }) => void (known && asked.push(capability)) },
    rounds: undefined,
    cell: () => '',
  })
  for (let i = 0; i < 1600; i++) expect(needs.seeks(`engine ${i}`)).toBe(i < 16)
  expect(asked).toHaveLength(16)
  nowMs = 60_000
  expect(needs.seeks('engine 1599')).toBe(true)
  expect(asked).toHaveLength(17)
})
