import { expect, test } from 'vitest'
import { machine } from '../../scripts/sim/machine.ts'
import { violationsOf } from './checks.ts'
import { runShortWorld } from './run.ts'
import { FOUND } from './testing/found.ts'

test.each(Object.entries(FOUND))('%s', async (_, plan) => {
  expect(violationsOf(await runShortWorld({ machine, plan }))).toEqual([])
})
