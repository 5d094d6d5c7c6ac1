/** Metered modules of hostile publishers, made at random: `npm run fuzz` makes more of them. */
import { expect, test } from 'vitest'
import { readCrashers, saveCrashers } from '../../scripts/protocol/crashers.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { fuzzMetered, METERED, tryModule } from '../../scripts/wasm/fuzz.ts'
import { LIMITS, moduleOf } from '../../scripts/wasm/modules.ts'
import { samples } from '../../scripts/wasm/samples.ts'
import { validateMetered } from './validate.ts'

const INPUTS = 10_000

test('a changed module is refused, or pays for all that it runs', async () => {
  const result = fuzzMetered(await samples(), seedFor(METERED), INPUTS)
  expect(saveCrashers(result.crashers)).toEqual([])
  expect(result.inputs).toBe(INPUTS)
  // Were all refused, nothing would have been seen to pay.
  expect(result.accepted).toBeGreaterThan(INPUTS / 100)
  expect(result.accepted).toBeLessThan(INPUTS * 0.9)
})

test.each([
  ['what is not paid for', /is not paid for/, /^\w+: ran for \d+ gas and paid \d+$/],
  ['loops that use what is for after them', /a loop uses what/, /^\w+: ran for \d+ gas and paid \d+$/],
  ['stack that is not given back', /does not give back/, /^\w+: took stack and kept it, or gave more back$/],
])('finds a checker that does not mind %s', async (_, ignored, why) => {
  const careless = (bytes: Uint8Array) => {
    const verdict = validateMetered(bytes, LIMITS)
    return verdict.ok || ignored.test(verdict.reason)
  }
  const { crashers } = fuzzMetered(await samples(), seedFor('planted'), INPUTS, careless)
  expect(crashers.map((crasher) => crasher.why)).toContainEqual(expect.stringMatching(why))
})

test.each(readCrashers())('what once broke a reader breaks this one no more: $name', ({ bytes }) => {
  expect(tryModule(bytes).why).toBe(undefined)
})

test('modules as they come are taken, and pay', async () => {
  for (const sample of await samples()) expect(tryModule(sample)).toEqual({ accepted: true })
  expect(tryModule(moduleOf([{ code: [1] }]))).toEqual({ accepted: false })
})
