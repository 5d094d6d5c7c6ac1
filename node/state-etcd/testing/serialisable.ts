/** Transactions of many clients at three homes on etcd while everything fails in turn: what they saw has one order. */
import { expect } from 'vitest'
import { randomFor } from '../../../scripts/test/seed.ts'
import { checkHistory } from '../../../simulations/checkers/serialisability.ts'
import { runWorkload } from '../../../simulations/state-workload.ts'
import { amidFaults } from './faulty-homes.ts'

const CLIENTS = 48
/** Of which nobody knows what came, at most. */
const UNKNOWN_SHARE = 0.05

export const ensureSerialisable = async (transactions: number): Promise<void> => {
  const workload = { clients: CLIENTS, transactions, keys: transactions / 5 }
  const { result, faults } = await amidFaults(randomFor('etcd'), (clients) => runWorkload({ ...clients, ...workload }))
  const { committed = [], unknown = [] } = Object.groupBy(result, ({ outcome }) => outcome)
  console.info(JSON.stringify({ ...faults, committed: committed.length, unknown: unknown.length }))
  expect(checkHistory(result).map(({ words }) => words)).toEqual([])
  expect(committed.length + unknown.length).toBe(transactions)
  expect(unknown.length).toBeLessThan(UNKNOWN_SHARE * transactions)
  expect(Object.entries(faults).filter(([, count]) => count === 0)).toEqual([])
}
