import { expect, onTestFinished, test } from 'vitest'
import { machine } from '../scripts/sim/machine.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { totalOf } from '../simulations/message-counts.ts'
import { SETTLING_MS, settingOf, type Trial, tryOnSeededClock } from '../simulations/trial.ts'
import { stopAll } from './processes.ts'
import { tryOnLoopback } from './real-mesh.ts'

test('twelve real peers in two processes answer the jobs of a trial, and say about as much as they do in a world', async () => {
  onTestFinished(stopAll)
  const trial: Trial = {
    ...{ seed: seedFor('mesh'), peers: 12, startingMs: 300, settlingMs: 1000 },
    ...{ jobMs: 300, load: 0.3, jobs: 20, firstJobs: 10 },
  }
  const real = await tryOnLoopback(trial, 2)
  // There it takes no time that all know each other.
  const foretold = await tryOnSeededClock(machine, trial.seed, settingOf({ ...trial, settlingMs: SETTLING_MS }))
  expect(real.wrong).toBe(0)
  expect(real.neighbours).toBeGreaterThan(0)
  // Nobody is answered before a task has been there, done by the fastest, and is back.
  expect(real.took.p50).toBeGreaterThan(trial.jobMs / 2)
  const said = totalOf(real.sent) / totalOf(foretold.sent)
  expect(said).toBeGreaterThan(0.1)
  expect(said).toBeLessThan(10)
})
