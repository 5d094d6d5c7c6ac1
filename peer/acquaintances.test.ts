import { expect, test } from 'vitest'
import { ACQUAINTANCES_MAX, type Acquaintance, Acquaintances } from './acquaintances.ts'

const told = (peer: string, teller: string): Acquaintance => ({
  ...{ peer, teller, addresses: ['/memory/x'], sequence: 1, coordinate: undefined, lends: true, lot: 0.5 },
  ...{ unreached: undefined, isProbe: false, tries: 0, dueMs: 0 },
})

test('a hundred times as many as are kept: one who tells of many displaces only what it told itself', () => {
  const known = new Acquaintances()
  for (let i = 0; i < 20; i++) known.add(told(`honest ${i}`, `teller ${i % 4}`))
  for (let i = 0; i < 100 * ACQUAINTANCES_MAX; i++) known.add(told(`made up ${i}`, 'liar'))
  const all = [...known.all()].map(({ peer }) => peer)
  expect(all).toHaveLength(ACQUAINTANCES_MAX)
  expect(all.filter((peer) => peer.startsWith('honest'))).toHaveLength(20)
})
