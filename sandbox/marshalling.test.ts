/** What crosses to a guest and back, by chance: the same on both sides, or refused in the same words. */
import { expect, test } from 'vitest'
import { fuzzMarshalling } from '../scripts/marshalling/fuzz.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { wasm } from './fixture.ts'

const OBJECTS = 10_000

test('10,000 objects of a guest, and as many Values to it', { timeout: 120_000 }, () => {
  const result = fuzzMarshalling(wasm, seedFor('marshalling'), OBJECTS)
  expect(result.crashers.map(({ why }) => why)).toEqual([])
  expect(result.inputs).toBe(2 * OBJECTS)
  // Were most refused, or none, one half of it would go untried.
  expect(result.accepted).toBeGreaterThan(OBJECTS / 2)
  expect(result.accepted).toBeLessThan(2 * OBJECTS * 0.9)
})

test.each([
  [
    'objects that are others',
    "const { eval: run } = globalThis; globalThis.eval = (source) => run(source.replace(/1/, '2'));",
  ],
  ['answers that are others', 'const { isArray } = Array; Array.isArray = (x) => isArray(x) && x.length > 1;'],
])('%s are found', (_, meddling) => {
  const { crashers } = fuzzMarshalling(wasm, seedFor('planted'), OBJECTS, meddling)
  expect(crashers.length).toBeGreaterThan(5)
})
