import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runBank } from '../../simulations/bank-workload.ts'
import { checkBank } from '../../simulations/checkers/bank.ts'
import { amidFaults } from './testing/faulty-homes.ts'
import { ensureSerialisable } from './testing/serialisable.ts'

test('10,000 transactions at three homes, while leaders, homes and roads fail, are strictly serialisable', () =>
  ensureSerialisable(10_000))

test('the money of a bank stays the same', async () => {
  const bank = { clients: 12, transactions: 750, accounts: 12 }
  const { result, faults } = await amidFaults(randomFor('bank on etcd'), (clients) => runBank({ ...clients, ...bank }))
  expect(result.total).toBe(240)
  expect(result.audits.length).toBeGreaterThan(100)
  expect(checkBank(result.audits, result.total)).toEqual([])
  expect(faults['leader killed']).toBeGreaterThan(0)
})
