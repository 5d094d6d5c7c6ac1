import { describe, expect, test } from 'vitest'
import { wasm } from '../../sandbox/fixture.ts'
import { buildEngine, PASSES } from '../engine/build.ts'
import { countSteps, STEPS_ADDRESS } from '../engine/count-steps.ts'
import { Auditor, slowTicks, undescribed, unpaid } from './audit.ts'

describe('every built-in of the engine', () => {
  const counting = new Auditor(
    new WebAssembly.Module(buildEngine([...PASSES, countSteps]) as Uint8Array<ArrayBuffer>),
    STEPS_ADDRESS,
  )
  const real = new Auditor(wasm)

  test('is in the audit, and nothing else', () => {
    expect(undescribed(real)).toEqual({ missing: [], unknown: [] })
    expect(real.builtIns().length).toBeGreaterThan(500)
  })

  test('is paid for: fuel grows with the steps that the engine takes', () => {
    expect(unpaid(counting, 16_384)).toEqual([])
  })

  test('counts the same as the engine that counts no steps', () => {
    for (const at of [3, 100, 200, 300, 400, 500])
      expect(real.use({ at, n: 1024, call: true }).fuel).toBe(counting.use({ at, n: 1024, call: true }).fuel)
  })

  test.each([1024, 32_768])('lets a tick come soon, at size %i', (n) => {
    expect(slowTicks(real, n).slow).toEqual([])
  })
})
