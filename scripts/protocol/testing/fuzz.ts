/** The test that a reader of what strangers send passes. In several files, which run side by side. */
import { expect, test } from 'vitest'
import { seedFor } from '../../test/seed.ts'
import { saveCrashers } from '../crashers.ts'
import { fuzzTarget } from '../fuzz-target.ts'
import type { Target } from '../targets.ts'

/** Of each; `npm run fuzz` goes on from there for as long as it is told. */
export const INPUTS = 50_000
/** Some 2 s on a quiet core; ten times that on a busy one. */
const TIMEOUT_MS = 60_000

/** Two thirds of all, in a file of their own. */
export const isFrame = ({ name }: Target): boolean => name.startsWith('frame ')

export const testTargets = (targets: readonly Target[]): void => {
  test.each(targets)('$name', { timeout: TIMEOUT_MS }, async (target) => {
    const result = await fuzzTarget(target, seedFor(target.name), INPUTS)
    expect(saveCrashers(result.crashers)).toEqual([])
    expect(result.inputs).toBe(INPUTS)
    // Were all refused, nothing behind the first check would have been tried.
    expect(result.accepted).toBeGreaterThan(INPUTS / 200)
    expect(result.accepted).toBeLessThan(INPUTS * 0.9)
  })
}
