import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { rawCid } from '../protocol/cid.ts'
import { ANYWHERE, LEVEL_MAX, providerKey, shardOf, vicinityTag } from './provider-keys.ts'

const crypto = createCrypto()
const [mesh, other] = [rawCid(crypto, Uint8Array.of(1)), rawCid(crypto, Uint8Array.of(2))]
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('names under which peers find each other', () => {
  test('differ in each of their parts', () => {
    const shard = { level: 1, index: 1 }
    const keys = [
      providerKey(crypto, mesh, 'engine', '0.0.0', shard),
      providerKey(crypto, other, 'engine', '0.0.0', shard),
      providerKey(crypto, mesh, 'another', '0.0.0', shard),
      providerKey(crypto, mesh, 'engine', ANYWHERE, shard),
      providerKey(crypto, mesh, 'engine', '0.0.0', { level: 1, index: 0 }),
      providerKey(crypto, mesh, 'engine', '0.0.0', { level: 2, index: 1 }),
    ].map(hex)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.every((key) => key.length === 64)).toBe(true)
  })

  test('on a local network are labels of DNS that do not hold the mesh ID', () => {
    expect(vicinityTag(crypto, mesh)).toMatch(/^[0-9a-f]{32}$/)
    expect(vicinityTag(crypto, mesh)).not.toBe(vicinityTag(crypto, other))
  })
})

test('a shard lies within the one of the level above, and peers are spread over all of them', () => {
  const peers = Array.from({ length: 5000 }, (_, i) => `peer ${i}`)
  for (let level = 0; level <= LEVEL_MAX; level++) {
    const counts = new Map<number, number>()
    for (const peer of peers) {
      const { index } = shardOf(crypto, peer, level)
      if (level > 0) expect(index >> 1).toBe(shardOf(crypto, peer, level - 1).index)
      counts.set(index, (counts.get(index) ?? 0) + 1)
    }
    // Below there are fewer peers than shards.
    if (level > 8) continue
    expect(counts.size).toBe(2 ** level)
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(5000 / 2 ** level + 6 * Math.sqrt(5000 / 2 ** level))
  }
})
