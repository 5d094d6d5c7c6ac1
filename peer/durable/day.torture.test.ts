/** As in `day.kills.test.ts`, with checkpoints as they are. */
import { test } from 'vitest'
import { workADay } from './testing/day.ts'

test('an invocation of a day whose executor is killed, and the next one lies, does an hour of it again', () =>
  workADay(7_500_000))
