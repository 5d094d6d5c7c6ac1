import { expect, test } from 'vitest'
import type { EffectKind } from '../../protocol/effects.ts'
import type { JournalEntry } from '../../protocol/journal.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { seededRandom } from '../../simulations/random.ts'
import { OwnWrites } from './own-writes.ts'
import type { StateReads } from './state.ts'

const KEYS = ['a', 'a/1', 'a/2', 'a/\uffff', 'a/\u{10000}', 'b', 'c']
const GRANTS = { DB: { state: 'shop' }, OTHER: { state: 'other' }, API: { fetch: [] } }

const readsOf = (entries: ReadonlyMap<string, Value>): StateReads => ({
  beside: () => ({ reads: readsOf(entries), note() {} }),
  get: async (_, key) => (entries.has(key) ? encodeValue(entries.get(key) as Value) : undefined),
  list: async ({ prefix, after, limit }) => {
    const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
    const found = [...entries]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || order(key, after) > 0))
      .sort(([a], [b]) => order(a, b))
      .map(([key, value]) => ({ key, value: encodeValue(value) }))
    return { entries: found.slice(0, limit), more: found.length > limit }
  },
})

const request = (n: number, kind: EffectKind, args: Value): JournalEntry => ({
  ...{ entry: 'request', n, after: 0 },
  ...{ kind, arguments: encodeValue(args) },
})

test('what is read is what a state would have in which the writes were made, page by page', async () => {
  const random = seededRandom(seedFor('own writes'))
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T
  for (let round = 0; round < 300; round++) {
    const below = new Map(KEYS.filter(() => random.below(2) === 0).map((key) => [key, `home ${key}`]))
    const whole = new Map<string, Value>(below)
    const [from, until] = [random.below(3), 3 + random.below(6)]
    const journal = Array.from({ length: 8 }, (_, n) => {
      const [key, isPut] = [pick(KEYS), random.below(3) > 0]
      const binding = random.below(5) === 0 ? 'OTHER' : 'DB'
      if (binding === 'DB' && n >= from && n < until) {
        if (isPut) whole.set(key, n)
        else whole.delete(key)
      }
      return isPut ? request(n, 'put', { binding, key, value: n }) : request(n, 'delete', { binding, key })
    })
    const own = new OwnWrites(journal, { grants: GRANTS }).over(readsOf(below), from, until)
    const right = readsOf(whole)
    for (const key of KEYS) expect(await own.get('shop', key)).toEqual(await right.get('shop', key))
    const range = { namespace: 'shop', prefix: pick(['', 'a', 'a/', 'z']), limit: 1 + random.below(4) }
    const after = pick([undefined, ...KEYS])
    expect(await own.list({ ...range, after })).toEqual(await right.list({ ...range, after }))
  }
})

test('what comes later in the journal is seen by who asks later', async () => {
  const journal = [request(0, 'put', { binding: 'DB', key: 'a', value: 0 })]
  const own = new OwnWrites(journal, { grants: GRANTS })
  const below = readsOf(new Map())
  const read = async (from: number, n: number) => {
    const found = await own.over(below, from, n).get('shop', 'a')
    return found && decodeValue(found)
  }
  expect(await read(0, 1)).toBe(0)
  journal.push(request(1, 'get', { binding: 'DB', key: 'a' }), request(2, 'put', { binding: 'DB', key: 'a', value: 2 }))
  expect([await read(0, 1), await read(0, 3), await read(1, 2), await read(3, 4)]).toEqual([0, 2, undefined, undefined])
})
