import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { checkHistory } from '../../simulations/checkers/serialisability.ts'
import { runWorkload } from '../../simulations/state-workload.ts'
import { amidFaults } from './testing/faulty-homes.ts'

test('100,000 transactions at three homes, while leaders, homes and roads fail, are strictly serialisable', async () => {
  const workload = { clients: 48, transactions: 100_000, keys: 20_000 }
  const { result, faults } = await amidFaults(randomFor('etcd'), (clients) => runWorkload({ ...clients, ...workload }))
  const { committed = [], unknown = [] } = Object.groupBy(result, ({ outcome }) => outcome)
  console.info(JSON.stringify({ ...faults, committed: committed.length, unknown: unknown.length }))
  expect(checkHistory(result).map(({ words }) => words)).toEqual([])
  expect(committed.length + unknown.length).toBe(100_000)
  expect(unknown.length).toBeLessThan(5000)
})
