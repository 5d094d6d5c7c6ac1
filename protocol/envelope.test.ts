import { createHash, createPublicKey, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crypto, testPeer } from '../scripts/protocol/test-keys.ts'
import { checkProperty, randomFor } from '../scripts/test/seed.ts'
import {
  batchOf,
  type Envelope,
  openBatch,
  SIGNED_KINDS,
  type SignedKind,
  signBatch,
  verifyEnvelope,
} from './envelope.ts'

const alice = testPeer(1)
const bob = testPeer(2)

const payloadsOf = (count: number) => Array.from({ length: count }, (_, i) => Uint8Array.of(i >> 8, i & 255))
const sign = (payloads: readonly Uint8Array[], kind: SignedKind = 'receipt', peer = alice) =>
  signBatch(crypto, peer.signer, peer.id, kind, payloads)
const badSignature = expect.objectContaining({ code: 'E_SIGNATURE' })
const refuses = (signed: Envelope, kind: SignedKind = 'receipt') =>
  expect(verifyEnvelope(crypto, kind, signed)).rejects.toEqual(badSignature)

const SIZES = [...Array.from({ length: 17 }, (_, i) => i + 1), 1024]

describe.each(SIZES)('a batch of %i', (size) => {
  test('gives envelopes that each stand alone, and travels without paths', async () => {
    const payloads = payloadsOf(size)
    const envelopes = await sign(payloads)
    expect(envelopes.map(({ payload }) => payload)).toEqual(payloads)
    const checked = size > 17 ? [0, 1, 511, 512, 1022, 1023] : payloads.map((_, i) => i)
    for (const i of checked) {
      const signed = envelopes[i] as Envelope
      expect(signed).toMatchObject({ index: i, size, signer: alice.id })
      expect(signed.path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)))
      await verifyEnvelope(crypto, 'receipt', signed)
    }
    expect(await openBatch(crypto, alice.id, 'receipt', batchOf(envelopes))).toEqual(envelopes)
  })

  test('takes a payload in no other place, and no payload that was not in it', async () => {
    const envelopes = await sign(payloadsOf(size))
    for (const [i, signed] of envelopes.slice(0, 17).entries()) {
      for (const index of [i - 1, i + 1, size - 1 - i])
        if (index !== i && index >= 0) await refuses({ ...signed, index })
      for (const other of [size - 1, size + 1, 2 * size]) if (other > 0) await refuses({ ...signed, size: other })
      await refuses({ ...signed, path: [...signed.path, new Uint8Array(32)] })
      await refuses({ ...signed, payload: Uint8Array.of(...signed.payload, 0) })
      if (size > 1) await refuses({ ...signed, path: signed.path.slice(1) })
      if (size > 1) await refuses({ ...signed, path: signed.path.slice(0, -1) })
      if (size > 1) await refuses({ ...signed, path: signed.path.with(0, new Uint8Array(32)) })
    }
    const batch = batchOf(envelopes)
    const open = (payloads: readonly Uint8Array[]) =>
      openBatch(crypto, alice.id, 'receipt', { ...batch, payloads: [...payloads] })
    await expect(open(batch.payloads.with(-1, Uint8Array.of(9)))).rejects.toEqual(badSignature)
    await expect(open([...batch.payloads, Uint8Array.of(9)])).rejects.toEqual(badSignature)
    if (size > 1) await expect(open(batch.payloads.slice(1))).rejects.toEqual(badSignature)
    if (size > 1) await expect(open(batch.payloads.toReversed())).rejects.toEqual(badSignature)
  })
})

test('a leaf of three of four cannot be shown as of another size, though the hashes fit', async () => {
  // Leaf 0 of 3 and leaf 0 of 4 climb by the same two steps; only the signed size tells them apart.
  const [first] = (await sign(payloadsOf(4))) as [Envelope]
  await refuses({ ...first, size: 3 })
})

test('a signature on one kind serves for no other', async () => {
  for (const kind of SIGNED_KINDS) {
    const envelopes = await sign(payloadsOf(2), kind)
    for (const other of SIGNED_KINDS) {
      const signed = envelopes[1] as Envelope
      if (other === kind) await verifyEnvelope(crypto, other, signed)
      else {
        await refuses(signed, other)
        await expect(openBatch(crypto, alice.id, other, batchOf(envelopes))).rejects.toEqual(badSignature)
      }
    }
  }
})

test('an inner node cannot be shown as a payload', async () => {
  const [one, two] = (await sign(payloadsOf(2))) as [Envelope, Envelope]
  const hashes = Uint8Array.of(1, ...(two.path[0] as Uint8Array), ...(one.path[0] as Uint8Array))
  await refuses({ ...one, payload: hashes, index: 0, size: 1, path: [] })
  await refuses({ ...one, payload: hashes.subarray(1), index: 0, size: 1, path: [] })
})

test('another signer is refused, and named', async () => {
  const [signed] = (await sign(payloadsOf(1))) as [Envelope]
  const error = expect.objectContaining({
    code: 'E_SIGNATURE',
    message: `the signature on this receipt is not by ${bob.id}`,
    fields: expect.objectContaining({ peer: bob.id }),
  })
  await expect(verifyEnvelope(crypto, 'receipt', { ...signed, signer: bob.id })).rejects.toEqual(error)
  await expect(openBatch(crypto, bob.id, 'receipt', batchOf([signed]))).rejects.toEqual(error)
})

test('a signature with any bit changed is refused', async () => {
  const [signed] = (await sign(payloadsOf(1))) as [Envelope]
  const random = randomFor('bits')
  for (let i = 0; i < 40; i++) {
    const signature = signed.signature.slice()
    const at = random.below(64)
    signature[at] = (signature[at] as number) ^ (1 << random.below(8))
    await refuses({ ...signed, signature })
  }
})

test('a batch has 1 to 1024 payloads', async () => {
  for (const size of [0, 1025])
    await expect(sign(payloadsOf(size))).rejects.toEqual(
      expect.objectContaining({ code: 'E_INTERNAL', message: `a batch has 1 to 1024 payloads, not ${size}` }),
    )
})

/** RFC 6962, 2.1, word for word, with our leaves: the tree that README.md defines. */
const merkleRoot = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 1) return leaves[0] as Buffer
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  const hash = createHash('sha256').update(Buffer.of(1))
  return hash
    .update(merkleRoot(leaves.slice(0, k)))
    .update(merkleRoot(leaves.slice(k)))
    .digest()
}

test('what is signed is what the wire spec says', () =>
  checkProperty(
    'spec',
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...SIGNED_KINDS),
      async (payloads, kind) => {
        const [signed] = (await sign(payloads, kind)) as [Envelope]
        const leaves = payloads.map((payload) =>
          createHash('sha256').update(`\0/wayside/1/${kind}\0`).update(payload).digest(),
        )
        const size = Buffer.from([payloads.length >> 8, payloads.length & 255])
        const statement = Buffer.concat([Buffer.from('/wayside/1/root\0'), size, merkleRoot(leaves)])
        const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), alice.signer.publicKey])
        const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
        expect(verify(null, statement, key, signed.signature)).toBe(true)
      },
    ),
    { runs: 50 },
  ))
