import { describe, expect, test } from 'vitest'
import { FUEL_MAX, MEMORY_BYTES_MAX } from '../../protocol/limits.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { gibFuel, newAccount, UserAccount, WorkerAccount } from './account.ts'
import { crashAccounts } from './testing/crashing-accounts.ts'

const work = (fuel: number) => ({ fuel, gib_fuel: fuel, bytes: fuel })
const stated = (sequence: number, fuel: number) => ({ sequence, ...work(fuel) })

test('a million random operations with crashes: the books of all sum to zero, and hold what was done, once', () => {
  const { wrong, fuel } = crashAccounts(randomFor('usage'), 1_000_000, 50_000)
  expect(wrong).toEqual([])
  expect(fuel).toBeGreaterThan(0)
})

test('GiB-fuel counts begun MiB and is exact for the largest execution', () => {
  expect(gibFuel(1024, 1)).toBe(1)
  expect(gibFuel(1000, 64 * 1024 * 1024)).toBe(Math.ceil(64_000 / 1024))
  expect(BigInt(gibFuel(FUEL_MAX, MEMORY_BYTES_MAX))).toBe(2n * BigInt(FUEL_MAX))
})

describe('a user that', () => {
  const worker = () => {
    const account = new WorkerAccount(newAccount())
    account.count(work(100))
    expect(account.takes(stated(3, 60))).toBe('newer')
    return account
  }

  test('signs less than it signed before changes nothing', () => {
    const account = worker()
    expect(account.takes(stated(4, 59))).toBe('less')
    expect(account.takes({ ...stated(4, 70), bytes: 59 })).toBe('less')
    expect([account.state.sequence, account.state.stated.fuel]).toEqual([3, 60])
  })

  test('signs less than was done leaves that unsigned, and the count of its worker as it is', () => {
    const account = worker()
    expect(account.takes(stated(4, 61))).toBe('newer')
    expect([account.unsignedFuel, account.state.counted.fuel]).toEqual([39, 100])
  })

  test('replays an old tally is shown the newest', () => {
    const account = worker()
    expect(account.takes(stated(2, 1000))).toBe('old')
    expect(account.takes(stated(3, 60))).toBe('same')
    expect(account.state.stated.fuel).toBe(60)
  })

  test('signs two tallies of one number has signed the first', () => {
    const account = worker()
    expect(account.takes(stated(3, 50))).toBe('old')
    expect(account.takes(stated(3, 1000))).toBe('old')
    expect(account.state.stated.fuel).toBe(60)
  })

  test('signs for more than was done owes more', () => {
    const account = worker()
    expect(account.takes(stated(4, 1000))).toBe('newer')
    expect([account.state.counted.fuel, account.unsignedFuel]).toEqual([1000, 0])
  })
})

describe('a worker that', () => {
  const user = () => {
    const account = new UserAccount(newAccount(), true)
    account.count(work(10))
    expect(account.next()).toEqual(stated(1, 10))
    return account
  }

  test('agrees to nothing is asked again for the same, and for no more', () => {
    const account = user()
    account.count(work(5))
    expect(account.next()).toEqual(stated(1, 10))
    expect(account.isDue).toBe(true)
    expect(account.hears(stated(1, 10))).toBe('agreed')
    expect(account.next()).toEqual(stated(2, 15))
  })

  test('shows an old tally is not heard', () => {
    const account = user()
    account.hears(stated(1, 10))
    account.count(work(1))
    account.next()
    expect(account.hears(stated(1, 10))).toBe('old')
    expect(account.isDue).toBe(true)
  })
})

test('a user whose disk was set back goes on from what it signed, and adds what it has used since', () => {
  const account = new UserAccount({ sequence: 1, stated: work(10), counted: work(12) }, true)
  account.count(work(3))
  expect(account.next()).toEqual(stated(2, 15))
  expect(account.hears(stated(7, 90))).toBe('adopted')
  expect(account.next()).toEqual(stated(8, 93))
})

test('counts end where they would not be exact', () => {
  const account = new WorkerAccount(newAccount())
  account.count(work(Number.MAX_SAFE_INTEGER))
  account.count(work(5))
  expect(account.state.counted.fuel).toBe(Number.MAX_SAFE_INTEGER)
})
