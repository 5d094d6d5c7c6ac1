import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCrypto, createSigner } from '../node/crypto.ts'
import { recordCid } from '../protocol/cid.ts'
import { type Envelope, type SignedKind, signBatch } from '../protocol/envelope.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { Advertisement } from '../protocol/records.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { FakeClock } from '../simulations/clock.ts'
import { ADVERTISEMENT_MS_MAX, CLOCK_SKEW_MS_MAX, createAdvertisementTable } from './advertisements.ts'

const crypto = createCrypto()
const mesh = recordCid(crypto, Uint8Array.of(1))
const otherMesh = recordCid(crypto, Uint8Array.of(2))

const createPeer = (n: number) => {
  const signer = createSigner(new Uint8Array(32).fill(n))
  const id = peerIdFromPublicKey(signer.publicKey)
  const sign = async (fields: Partial<Advertisement>, kind: SignedKind = 'advertisement'): Promise<Envelope> => {
    const advertisement: Advertisement = {
      v: 1,
      mesh,
      peer: id,
      sequence: 1,
      expires_ms: 60_000,
      protocols: [1],
      engines: [],
      effects: [],
      addresses: [],
      slots: 1,
      free: 1,
      queued: 0,
      memory_bytes: 0,
      speed: 0,
      neighbours: 0,
      coordinate: { position_us: [0, 0, 0], height_us: 0, error_permille: 1000 },
      ...fields,
    }
    return (await signBatch(crypto, signer, id, kind, [Advertisement.encode(advertisement)]))[0] as Envelope
  }
  return { id, sign }
}

const [ada, bob, eve] = [createPeer(1), createPeer(2), createPeer(3)]

const createTable = (limit = 64) => {
  const clock = new FakeClock(0)
  return { clock, table: createAdvertisementTable({ clock, crypto }, { mesh, limit }) }
}

describe('an advertisement', () => {
  test('that holds is kept, and passed on as it was signed', async () => {
    const { table } = createTable()
    const signed = await ada.sign({ free: 7 })
    expect(await table.accept(signed)).toMatchObject({ peer: ada.id, free: 7 })
    expect(table.get(ada.id)).toMatchObject({ free: 7 })
    expect(table.live().map(({ peer }) => peer)).toEqual([ada.id])
    expect(table.signed()).toEqual([signed])
  })

  test('is replaced by a newer one only', async () => {
    const { table } = createTable()
    await table.accept(await ada.sign({ sequence: 5, free: 5 }))
    expect(await table.accept(await ada.sign({ sequence: 4, free: 4 }))).toBeUndefined()
    expect(await table.accept(await ada.sign({ sequence: 5, free: 6 }))).toBeUndefined()
    expect(table.get(ada.id)?.free).toBe(5)
    expect(await table.accept(await ada.sign({ sequence: 6, free: 6 }))).toMatchObject({ free: 6 })
    expect(table.live()).toHaveLength(1)
  })

  test('overtaken while its signature was checked is dropped', async () => {
    const { table } = createTable()
    const [older, newer] = [await ada.sign({ sequence: 1 }), await ada.sign({ sequence: 2 })]
    const [last, first] = await Promise.all([table.accept(newer), table.accept(older)])
    expect([first, last]).toEqual([undefined, expect.objectContaining({ sequence: 2 })])
    expect(table.get(ada.id)?.sequence).toBe(2)
  })

  test('falls out when it expires, and when it is removed', async () => {
    const { table, clock } = createTable()
    await table.accept(await ada.sign({ expires_ms: 1000 }))
    await table.accept(await bob.sign({ expires_ms: 2000 }))
    await clock.advance(999)
    expect(table.live()).toHaveLength(2)
    await clock.advance(1)
    expect(table.get(ada.id)).toBeUndefined()
    expect(table.live().map(({ peer }) => peer)).toEqual([bob.id])
    expect(table.signed()).toHaveLength(1)
    table.remove(bob.id)
    expect([table.get(bob.id), table.live(), table.signed()]).toEqual([undefined, [], []])
  })

  test.each([
    ['of another mesh', () => ada.sign({ mesh: otherMesh })],
    ['for another peer', () => eve.sign({ peer: ada.id })],
    ['signed as another kind', () => ada.sign({}, 'receipt')],
    ['that is no message', async () => ({ ...(await ada.sign({})), payload: Uint8Array.of(1, 2, 3) })],
    ['with another payload', async () => ({ ...(await ada.sign({})), payload: (await ada.sign({ free: 9 })).payload })],
    ['whose signer is made up', async () => ({ ...(await ada.sign({})), signer: 'nobody' })],
    ['signed by another', async () => ({ ...(await eve.sign({ peer: ada.id })), signer: ada.id })],
    ['with a broken path', async () => ({ ...(await ada.sign({})), size: 2 })],
  ])('%s is refused, and the one held stays', async (_, sign) => {
    const { table } = createTable()
    const held = await ada.sign({ sequence: 0 })
    await table.accept(held)
    expect(await table.accept(await sign())).toBeUndefined()
    expect(table.signed()).toEqual([held])
  })

  const LAST_MS = ADVERTISEMENT_MS_MAX + CLOCK_SKEW_MS_MAX
  test.each([
    ['as long as the limit and the skew of clocks allow', LAST_MS, LAST_MS],
    ['10 min where it says more: one of the clocks is off', LAST_MS + 1, ADVERTISEMENT_MS_MAX],
    ['10 min where it has expired: one of the clocks is off', -86_400_000, ADVERTISEMENT_MS_MAX],
  ])('lasts %s', async (_, expiresMs, lastsMs) => {
    const clock = new FakeClock(86_400_000)
    const table = createAdvertisementTable({ clock, crypto }, { mesh, limit: 64 })
    expect(await table.accept(await ada.sign({ expires_ms: 86_400_000 + expiresMs }))).toBeDefined()
    await clock.advance(lastsMs - 1)
    expect(table.live()).toHaveLength(1)
    await clock.advance(1)
    expect(table.live()).toEqual([])
  })
})

test('a full table refuses newcomers, refreshes those it has, and takes one when one falls out', async () => {
  const { table, clock } = createTable(2)
  await table.accept(await ada.sign({ expires_ms: 1000 }))
  await table.accept(await bob.sign({}))
  expect(await table.accept(await eve.sign({}))).toBeUndefined()
  expect(await table.accept(await bob.sign({ sequence: 2 }))).toBeDefined()
  await clock.advance(1000)
  expect(await table.accept(await eve.sign({}))).toBeDefined()
  expect(new Set(table.live().map(({ peer }) => peer))).toEqual(new Set([bob.id, eve.id]))
})

test('newcomers that are checked at the same time do not overfill it', async () => {
  const { table } = createTable(1)
  const taken = await Promise.all([table.accept(await ada.sign({})), table.accept(await bob.sign({}))])
  expect(taken.filter((one) => one)).toHaveLength(1)
  expect(table.live()).toHaveLength(1)
})

test('no flipped bit of a signed advertisement is believed', async () => {
  const signed = await ada.sign({ sequence: 9 })
  const parts = ['payload', 'signature'] as const
  const property = fc.asyncProperty(fc.constantFrom(...parts), fc.nat(), fc.nat(7), async (part, at, bit) => {
    const bytes = signed[part].slice()
    bytes[at % bytes.length]! ^= 1 << bit
    const { table } = createTable()
    expect(await table.accept({ ...signed, [part]: bytes })).toBeUndefined()
    expect(table.live()).toEqual([])
  })
  await checkProperty('flipped bits', property, { runs: 300 })
})
