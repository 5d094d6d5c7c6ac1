import { expect, test } from 'vitest'
import { type Book, checkUsage } from './usage.ts'

const work = (fuel: number) => ({ fuel, gib_fuel: 2 * fuel, bytes: 3 })
const none = { fuel: 0, gib_fuel: 0, bytes: 0 }
const book = (peer: string, other: string, lent = none, used = none): Book => ({ peer, other, lent, used })

test('what one has lent and the other has used is right', () => {
  expect(checkUsage([book('a', 'b', work(5), work(2)), book('b', 'a', work(2), work(5))])).toEqual([])
})

test('who has lent more than the other has used is named, and the sum that is not zero', () => {
  expect(checkUsage([book('a', 'b', work(5)), book('b', 'a', none, work(4))])).toEqual([
    'a has lent b 5 fuel, which has used 4',
    'all balances of fuel come to 1',
    'a has lent b 10 gib_fuel, which has used 8',
    'all balances of gib_fuel come to 2',
  ])
})

test('whoever keeps no book of another has used nothing of it', () => {
  expect(checkUsage([book('a', 'b', work(1))])).toContain('a has lent b 1 fuel, which has used 0')
})
