import { expect, test } from 'vitest'
import { seedFor } from '../../scripts/test/seed.ts'
import { parseRttMatrix } from '../rtt-matrix.ts'
import { DEVICES } from './devices.ts'
import { PEER_WORDS } from './executors.ts'
import { type LargeRouting, LargeRoutingWorld, runLargeRouting } from './routing.ts'
import { WORKLOADS } from './workloads.ts'

const options = (name: string, changes: Partial<LargeRouting> = {}): LargeRouting => ({
  ...{ seed: seedFor(name), peers: 240, invokers: 60, jobMs: 1000, load: 0.6, workload: 'poisson', churn: false },
  ...{ jobs: 1500, firstJobs: 1500, link: { lossPpm: 1000, jobBytes: 1024 } },
  ...changes,
})

test('jobs of a second take little longer than if one saw everything, and little is done twice', () => {
  const report = runLargeRouting(options('oracle', { oracle: 'all' }))
  // Measured over 10,000 jobs: 1.05 and 0.017.
  expect(report.meanMs / report.oracleMeanMs).toBeLessThan(1.3)
  // It sees everything when a job comes, and nothing of what comes later; a copy goes where it can start first, so that one world in 120 has 0.995.
  expect(report.meanMs / report.oracleMeanMs).toBeGreaterThan(0.95)
  expect(report.duplicateShare).toBeLessThan(0.06)
  expect(report.unanswered).toBe(0)
})

test('the same seed gives the same run, another one another, whatever comes and goes', () => {
  const churn = options('same', { churn: true, jobs: 600, firstJobs: 100 })
  const report = runLargeRouting(churn)
  expect(runLargeRouting(churn)).toEqual(report)
  expect(runLargeRouting({ ...churn, seed: (churn.seed + 1) >>> 0 }).hash).not.toBe(report.hash)
})

test.each(WORKLOADS)('of %s jobs none is lost where peers come and go, and nothing is left over', (workload) => {
  // All lend for two minutes on average, and vanish without a word.
  const devices = DEVICES.map((device) => ({ ...device, onMinutes: 2, offMinutes: 1 }))
  const world = new LargeRoutingWorld(options(workload, { workload, churn: true, devices, load: 0.4, jobs: 1000 }))
  for (let second = 0; second < 600 && !world.isOver; second++) world.runMs(1000)
  expect(world.isOver).toBe(true)
  const { counts } = world.world
  expect(counts.answered).toBeGreaterThanOrEqual(2500)
  expect(counts.lost).toBeGreaterThan(0)
})

test('when no more jobs come, every record is free again and every count is zero', () => {
  let left = 800
  const jobs = (next: { gapMs: number; workMs: number; count: number }) => {
    Object.assign(next, { gapMs: 3, workMs: 700, count: 1 })
    return left-- > 0
  }
  const world = new LargeRoutingWorld(
    options('over', { workload: { name: 'trace', jobs, spanMs: 2400, workMs: 560_000 }, jobs: 800, firstJobs: 0 }),
  )
  world.runMs(120_000)
  const { jobs: open, attempts, tables, counts, wheel } = world.world
  expect([open.taken, attempts.taken, counts.answered, wheel.pending]).toEqual([0, 0, 800, 0])
  const sum = (column: ArrayLike<number>) => Array.from(column).reduce((total, one) => total + one, 0)
  const { count, held, running } = world.executors.columns
  const ofPeers = (column: Uint32Array) => column.filter((_, at) => at % PEER_WORDS === 0)
  expect([...[count, held, running].map(ofPeers), tables.inFlight].map(sum)).toEqual([0, 0, 0, 0])
})

test('delays may be those of a matrix', () => {
  const row = (i: number) => Array.from({ length: 6 }, (_, j) => (i === j ? 0 : 300)).join(' ')
  const rtts = parseRttMatrix(Array.from({ length: 6 }, (_, i) => row(i)).join('\n'))
  const { population } = new LargeRoutingWorld(options('matrix', { rtts, peers: 12, invokers: 3 })).world
  const accessTicks = (population.accessTicks[0] as number) + (population.accessTicks[11] as number)
  expect(population.delayTicks(0, 11)).toBe(150 * 8 + accessTicks)
})
