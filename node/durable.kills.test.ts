/** Home and executors killed and stopped at any instant, while durable invocations run on them. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { killDurables } from './testing/durable-kills.ts'

test('killed and stopped at any instant: what was begun ends once, and is paid once', async () => {
  const blows = await killDurables(randomFor('kills'), { SIGKILL: 40, SIGSTOP: 8 })
  expect(blows).toEqual({ SIGKILL: 40, SIGSTOP: 8 })
}, 300_000)
