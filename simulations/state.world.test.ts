import { expect, test } from 'vitest'
import { seedFor } from '../scripts/test/seed.ts'
import { runBank } from './bank-workload.ts'
import { checkBank } from './checkers/bank.ts'
import { checkHistory } from './checkers/serialisability.ts'
import { FakeClock } from './clock.ts'
import { deriveSeed, seededRandom } from './random.ts'
import { FaultyState, type StateFaults } from './state-faults.ts'
import { runWorkload } from './state-workload.ts'

/** Lets time pass until it is done. */
const untilDone = async <T>(clock: FakeClock, work: Promise<T>): Promise<T> => {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) await clock.advance(1000)
  return done
}

const worldOf = (name: string, faults: Partial<StateFaults> = {}) => {
  const seed = seedFor(name)
  const clock = new FakeClock()
  const state = new FaultyState({ clock, random: seededRandom(deriveSeed(seed, 'faults')), ...faults })
  const clients = { engineOf: state.engineOf, pause: state.pause, random: seededRandom(deriveSeed(seed, 'clients')) }
  return { clock, state, clients }
}

const FAULTS = { msPerCrash: 500, failureOneIn: 200, lostOneIn: 50 }

test('100,000 transactions on a machine that crashes, on a disk that fails, behind a line that loses answers', async () => {
  const { clock, state, clients } = worldOf('workload', FAULTS)
  let t = performance.now()
  const history = await untilDone(clock, runWorkload({ ...clients, clients: 64, transactions: 100_000, keys: 500 }))
  console.info('ran', performance.now() - t)
  t = performance.now()
  expect(checkHistory(history)).toEqual([])
  console.info('checked', performance.now() - t)
  const counts = Object.groupBy(history, ({ outcome }) => outcome)
  console.info({
    crashes: state.crashes,
    failures: state.failures,
    lost: state.lost,
    committed: counts.committed?.length,
    aborted: counts.aborted?.length,
    unknown: counts.unknown?.length,
  })
})

test('a bank', async () => {
  const { clock, clients } = worldOf('bank', FAULTS)
  const { total, audits } = await untilDone(
    clock,
    runBank({ ...clients, clients: 32, transactions: 10_000, accounts: 12 }),
  )
  expect(checkBank(audits, total)).toEqual([])
})
