import { bases as all } from 'multiformats/basics'
import { expect, test } from 'vitest'
import { bases } from './bases.ts'
import { createScalableCuckooFilter, NO_RELAYS_MAX } from './stand-ins.ts'

const item = (i: number) => Uint8Array.of(i >> 8, i & 255)

test('a filter knows what it was given, and forgets the oldest where there are too many', () => {
  const filter = createScalableCuckooFilter()
  for (let i = 0; i < NO_RELAYS_MAX; i++) filter.add(item(i))
  expect([filter.has(item(0)), filter.has(item(NO_RELAYS_MAX))]).toEqual([true, false])
  filter.add(item(NO_RELAYS_MAX))
  expect([filter.has(item(0)), filter.has(item(1)), filter.has(item(NO_RELAYS_MAX))]).toEqual([false, true, true])
})

test('the bases of a page are those of the package', () => {
  for (const [name, base] of Object.entries(bases)) expect(base, name).toBe(all[name as keyof typeof all])
  expect(Object.keys(bases)).toEqual(expect.arrayContaining(['base16', 'base32', 'base36', 'base58btc', 'base64url']))
})
