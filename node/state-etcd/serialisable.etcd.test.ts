import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runBank } from '../../simulations/bank-workload.ts'
import { checkBank } from '../../simulations/checkers/bank.ts'
import { checkHistory } from '../../simulations/checkers/serialisability.ts'
import { runWorkload } from '../../simulations/state-workload.ts'
import { amidFaults } from './testing/faulty-homes.ts'

test('10,000 transactions at three homes, while leaders, homes and roads fail, are strictly serialisable', async () => {
  const workload = { clients: 48, transactions: 10_000, keys: 2000 }
  const { result, faults } = await amidFaults(randomFor('etcd'), (clients) => runWorkload({ ...clients, ...workload }))
  const { committed = [], unknown = [] } = Object.groupBy(result, ({ outcome }) => outcome)
  console.info(JSON.stringify({ ...faults, committed: committed.length, unknown: unknown.length }))
  expect(checkHistory(result).map(({ words }) => words)).toEqual([])
  expect(committed.length + unknown.length).toBe(10_000)
  expect(unknown.length).toBeLessThan(500)
  expect(Object.values(faults).every((count) => count > 0)).toBe(true)
})

test('the money of a bank stays the same', async () => {
  const bank = { clients: 12, transactions: 1000, accounts: 12 }
  const { result, faults } = await amidFaults(randomFor('bank on etcd'), (clients) => runBank({ ...clients, ...bank }))
  expect(result.total).toBe(240)
  expect(result.audits.length).toBeGreaterThan(100)
  expect(checkBank(result.audits, result.total)).toEqual([])
  expect(faults['leader killed']).toBeGreaterThan(0)
})
