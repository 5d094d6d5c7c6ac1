import { expect, test } from 'vitest'
import { randomFor } from '../test/seed.ts'
import { METRICS, soak } from './run.ts'

test('a slice of the soak: calls end as they should, guests come and go, and nothing is left over', async () => {
  const { rows, ends, samples, after } = await soak(9000, 1000, randomFor('soak'))
  // What grows is a line through two at least.
  expect(samples).toBeGreaterThanOrEqual(2)
  expect(rows).toHaveLength(3 * METRICS.length)
  // How many are done in the time is the machine's to say.
  expect(ends.get('ok')).toBeGreaterThan(0)
  expect(ends.size).toBeGreaterThan(2)
  expect(ends.get('guests')).toBeGreaterThan(0)
  expect(after.map(({ queued, in_flight, neighbours }) => ({ queued, in_flight, neighbours }))).toEqual(
    new Array(3).fill({ queued: 0, in_flight: 0, neighbours: 2 }),
  )
  // In so short a time memory tells nothing; what is counted does.
  const counted = rows.filter(({ metric }) =>
    ['handles', 'files', 'neighbours', 'queued', 'in_flight'].includes(metric),
  )
  expect(counted.filter(({ most }) => most > 500)).toEqual([])
})
