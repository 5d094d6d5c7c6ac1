import { describe, expect, test } from 'vitest'
import { PROVIDERS_PER_KEY_MAX, RECORD_MS_MAX } from '../peer/provider-keys.ts'
import { FakeClock } from '../simulations/clock.ts'
import { KEYS_PER_PEER_MAX, ProviderStore, RECORDS_MAX } from './provider-store.ts'

type Key = Parameters<ProviderStore['put']>[0]

/** Its text is all that the store looks at. */
const key = (text: string) => ({ toString: () => text }) as Key
const keyOf = (provided: number | string, peer: number | string) => key(`/dht/provider/key${provided}/peer${peer}`)
const NOW = Uint8Array.of(1)

/** How many of a hundredfold are taken. */
const taken = (store: ProviderStore, keys: Iterable<Key>): number => {
  let count = 0
  for (const key of keys) {
    try {
      store.put(key, NOW)
      count++
    } catch {}
  }
  return count
}

function* keys(provided: number, peers: number) {
  for (let i = 0; i < provided; i++) for (let j = 0; j < peers; j++) yield keyOf(i, `${j} of ${i}`)
}

const listed = async (store: ProviderStore, provided: string) => {
  const found: (string | undefined)[] = []
  for await (const one of store.query({ prefix: `/dht/provider/${provided}` }))
    found.push(one.key.toString().split('/').at(-1))
  return found
}

describe('records', () => {
  test('are those of the key that is asked for, and last ten minutes', async () => {
    const clock = new FakeClock()
    const store = new ProviderStore(clock)
    taken(store, [keyOf(1, 'a'), keyOf(1, 'b'), keyOf(12, 'c')])
    expect(await listed(store, 'key1')).toEqual(['peera', 'peerb'])
    await clock.advance(RECORD_MS_MAX - 1)
    store.put(keyOf(1, 'a'), NOW)
    await clock.advance(1)
    expect(await listed(store, 'key1')).toEqual(['peera'])
    expect(store.has(keyOf(12, 'c'))).toBe(false)
  })

  test('of a key, of a peer and in all are bounded; what is renewed takes no more room, what runs out gives it back', async () => {
    const clock = new FakeClock()
    const store = new ProviderStore(clock)
    expect(taken(store, keys(1, 100 * PROVIDERS_PER_KEY_MAX))).toBe(PROVIDERS_PER_KEY_MAX)
    expect(taken(store, [keyOf(0, '0 of 0')])).toBe(1)
    const ofOne = Array.from({ length: 100 * KEYS_PER_PEER_MAX }, (_, i) => keyOf(`x${i}`, 'one'))
    expect(taken(store, ofOne)).toBe(KEYS_PER_PEER_MAX)
    taken(store, keys(10_000, 4))
    expect(store.size).toBe(RECORDS_MAX)
    await clock.advance(RECORD_MS_MAX)
    expect(taken(store, keys(10_000, 4))).toBe(RECORDS_MAX)
  })

  test('of other kinds are not kept', () => {
    const store = new ProviderStore(new FakeClock())
    expect(() => store.put(key('/dht/record/abc'), NOW)).toThrow('nothing else')
    expect(() => store.get(key('/dht/record/abc'))).toThrow('there is no')
  })
})
