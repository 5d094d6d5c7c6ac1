/** The choice of executors against a closed form: the supermarket model (Mitzenmacher 2001). */
import { expect, test } from 'vitest'
import { type CandidateView, choose } from '../../peer/selection.ts'
import { exponential, quickChance } from './chance.ts'
import { Wheel } from './wheel.ts'

/** Fixed: of a fresh one in 370 the mean would be more than three standard errors away by chance. */
const SEED = 1
const SERVERS = 300
/** So many parts of it, over their count, is the mean of so few servers longer: 0.58 ± 0.03 and 0.56 ± 0.06 of 20 and of 50. */
const FINITE = 0.6
const SERVICE_TICKS = 1000
const LOAD = 0.8
const JOBS = 200_000
/** By when they came: until queues are as long as they will be. */
const FIRST = 15_000
const BATCHES = 10

/** Ticks in the system, by job, in the order in which they came: queues of one server each, the better of two random ones by the items there. */
const sojourns = (seed: number): number[] => {
  const chance = quickChance(seed)
  const wheel = new Wheel(1024)
  const queues = Array.from({ length: SERVERS }, (): number[] => [])
  const view: CandidateView = {
    ...{ count: SERVERS, eligible: () => true, roundTripMs: () => 0, slots: () => 1, serviceMs: () => 1 },
    pending: (i) => (queues[i] as number[]).length,
  }
  const [took, cameAt, chosen]: [number[], number[], number[]] = [[], [], []]
  let ended = 0
  let nextAt = 0
  const serve = (i: number) => wheel.after(Math.round(exponential(chance, SERVICE_TICKS)), 1, i)
  const arrive = () => {
    for (; Math.round(nextAt) <= wheel.now; nextAt += exponential(chance, SERVICE_TICKS / (LOAD * SERVERS))) {
      choose(view, 1, chance.below, chosen)
      const queue = queues[chosen[0] as number] as number[]
      queue.push(cameAt.push(wheel.now) - 1)
      if (queue.length === 1) serve(chosen[0] as number)
    }
    if (cameAt.length < JOBS) wheel.after(Math.round(nextAt) - wheel.now, 0, 0)
  }
  const end = (i: number) => {
    const queue = queues[i] as number[]
    const job = queue.shift() as number
    took[job] = wheel.now - (cameAt[job] as number)
    ended++
    if (queue.length > 0) serve(i)
  }
  arrive()
  while (ended < JOBS) wheel.run(wheel.now + SERVICE_TICKS, [arrive, end])
  return took.slice(FIRST)
}

test('the better of two: E[T] = Σ ρ^((2^i − 2) / 1), within three standard errors', () => {
  const took = sojourns(SEED)
  const size = Math.floor(took.length / BATCHES)
  const means = Array.from({ length: BATCHES }, (_, b) => {
    const batch = took.slice(b * size, (b + 1) * size)
    return batch.reduce((sum, ticks) => sum + ticks, 0) / size / SERVICE_TICKS
  })
  const mean = means.reduce((sum, one) => sum + one, 0) / BATCHES
  const error = Math.sqrt(means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (BATCHES * (BATCHES - 1)))
  let right = 0
  for (let i = 1; i <= 12; i++) right += LOAD ** (2 ** i - 2)
  expect((FINITE / SERVERS) * right).toBeLessThan(error / 3)
  expect(Math.abs(mean - right)).toBeLessThan(3 * error)
})
