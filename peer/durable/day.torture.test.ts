/** As in `day.kills.test.ts`, with checkpoints as they are: each hour has the work of one. */
import { test } from 'vitest'
import { workADay } from './testing/day.ts'

test('an invocation of a day whose executor is killed, and the next one lies, does an hour of it again', () =>
  workADay(10_500_000))
