import { expect, test } from 'vitest'
import { type Audit, checkBank } from './bank.ts'

const audit = (revision: number, ...balances: [account: string, balance: number][]): Audit => ({
  revision,
  balances: new Map(balances),
})

test('money that moves is right, at whatever revision somebody looks', () => {
  const right = [audit(1, ['a', 5], ['b', 5]), audit(3, ['b', 10]), audit(3, ['b', 10]), audit(2, ['a', 1], ['b', 9])]
  expect(checkBank(right, 10)).toEqual([])
})

test.each<[string, Audit[]]>([
  ['at revision 2 all accounts hold 11, and 10 was paid in', [audit(1, ['a', 10]), audit(2, ['a', 6], ['b', 5])]],
  ['at revision 1 account b holds -1', [audit(1, ['a', 11], ['b', -1])]],
  ['at revision 1 account b holds 0', [audit(1, ['a', 10], ['b', 0])]],
  [
    'at revision 1 account a holds 10 for one who looked, and 4 for another',
    [audit(1, ['a', 10]), audit(1, ['a', 4], ['b', 6])],
  ],
])('%s', (words, audits) => {
  expect(checkBank(audits, 10)).toEqual([words])
})
