/** Popular packages from npm, unmodified: each does its work in the sandbox as it does in Node. */
import { expect, test } from 'vitest'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT } from '../../protocol/limits.ts'
import { ensureValue } from '../../protocol/values.ts'
import { begin, limits, outcomeOf, runOf, valueIn } from '../../sandbox/fixture.ts'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { CASES } from './cases.ts'

const usual = { ...limits, fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT }

test.each(Object.entries(CASES))('%s', async (name, { input, expected }) => {
  const url = new URL(`./${name}.ts`, import.meta.url)
  const { default: work } = await import(url.href)
  const native = ensureValue(await work(structuredClone(input)))
  expect(native).toEqual(expected)
  const { code, warnings } = await bundle(url)
  expect(warnings).toEqual([])
  const { result } = begin(new TextDecoder().decode(code), runOf(input, { limits: usual }))
  expect(valueIn(outcomeOf(result))).toEqual(native)
})
