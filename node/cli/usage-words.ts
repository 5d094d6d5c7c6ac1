/** What `usage` prints: what this machine and others have done for each other. */
import type { UsageRow } from '../../peer/usage/usage.ts'
import { countWords, tableWords } from './words.ts'

const HEAD = ['PEER', 'LENT', 'USED', 'BALANCE', 'UNSIGNED', 'TURN']

const balanceWords = (fuel: number): string =>
  fuel > 0 ? `+${countWords(fuel)}` : fuel < 0 ? `-${countWords(-fuel)}` : '0'

/** A row for each peer, in fuel; balances both have signed, so that there the same stands with the other sign. */
export const usageWords = (rows: readonly UsageRow[]): string => {
  if (rows.length === 0) return 'nobody has worked here for others yet, nor others for this machine\n'
  const table = rows.map(({ peer, lent, used, balance_fuel, unsigned_fuel, weight }) => [
    ...[peer, countWords(lent.fuel), countWords(used.fuel), balanceWords(balance_fuel)],
    ...[unsigned_fuel > 0 ? countWords(unsigned_fuel) : '', `${weight}`],
  ])
  return tableWords([HEAD, ...table])
}
