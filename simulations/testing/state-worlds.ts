/** Worlds around a faulty state engine, and what became of them. */
import { seedFor } from '../../scripts/test/seed.ts'
import { type Bank, runBank } from '../bank-workload.ts'
import { checkBank } from '../checkers/bank.ts'
import type { History, Recorded } from '../checkers/history.ts'
import { checkHistory } from '../checkers/serialisability.ts'
import { FakeClock } from '../clock.ts'
import { deriveSeed, seededRandom } from '../random.ts'
import type { Clients } from '../state-clients.ts'
import { FaultyState, type StateFaults } from '../state-faults.ts'
import { runWorkload, type Workload } from '../state-workload.ts'

type Faults = Omit<StateFaults, 'clock' | 'random'>

export const ALL_FAULTS: Faults = { msPerCrash: 500, failureOneIn: 200, lostOneIn: 50 }

const worldOf = (name: string, faults: Faults) => {
  const seed = seedFor(name)
  const clock = new FakeClock()
  const state = new FaultyState({ clock, random: seededRandom(deriveSeed(seed, 'faults')), ...faults })
  const { engineOf, pause } = state
  return { clock, state, clients: { engineOf, pause, random: seededRandom(deriveSeed(seed, 'clients')) } }
}

/** Lets time pass until it is done. */
const untilDone = async <T>(clock: FakeClock, work: Promise<T>): Promise<T> => {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) await clock.advance(100)
  return done
}

/** How many of each outcome. */
const counted = (history: History): Record<Recorded['outcome'], number> => {
  const counts = { committed: 0, aborted: 0, unknown: 0 }
  for (const { outcome } of history) counts[outcome] += 1
  return counts
}

export const workIn = async (name: string, faults: Faults, workload: Omit<Workload, keyof Clients> & Sizes) => {
  const { clock, state, clients } = worldOf(name, faults)
  const history = await untilDone(clock, runWorkload({ ...clients, ...workload }))
  const { crashes, failures, lost } = state
  return { history, violations: checkHistory(history), counts: { ...counted(history), crashes, failures, lost } }
}

type Sizes = Pick<Clients, 'clients' | 'transactions'>

export const bankIn = async (name: string, faults: Faults, bank: Omit<Bank, keyof Clients> & Sizes) => {
  const { clock, clients } = worldOf(name, faults)
  const { total, audits } = await untilDone(clock, runBank({ ...clients, ...bank }))
  return { total, audits, wrong: checkBank(audits, total) }
}
