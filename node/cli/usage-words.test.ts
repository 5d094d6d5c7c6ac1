import { expect, test } from 'vitest'
import { usageWords } from './usage-words.ts'

const work = (fuel: number) => ({ fuel, gib_fuel: 0, bytes: 0 })

test('a row for each peer, in columns, the balance with its sign', () => {
  const rows = [
    { peer: 'a', lent: work(1200), used: work(200), balance_fuel: 1000, unsigned_fuel: 5, weight: 1 },
    { peer: 'bb', lent: work(0), used: work(30), balance_fuel: -30, unsigned_fuel: 0, weight: 8 },
    { peer: 'c', lent: work(1), used: work(1), balance_fuel: 0, unsigned_fuel: 0, weight: 1 },
  ]
  expect(usageWords(rows)).toBe(
    [
      'PEER  LENT   USED  BALANCE  UNSIGNED  TURN',
      'a     1,200  200   +1,000   5         1',
      'bb    0      30    -30                8',
      'c     1      1     0                  1',
      '',
    ].join('\n'),
  )
})

test('where nobody has worked, it says so', () => {
  expect(usageWords([])).toMatch(/^nobody has worked here/)
})
