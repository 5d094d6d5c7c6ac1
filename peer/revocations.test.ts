import { describe, expect, test } from 'vitest'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { BATCH_ITEMS_MAX, REVOCATIONS_MAX } from '../protocol/limits.ts'
import { type Genesis, Membership, meshIdOf, Revocation } from '../protocol/mesh.ts'
import type { Network } from '../protocol/ports.ts'
import { crypto, type TestPeer, testPeer } from '../scripts/protocol/test-keys.ts'
import { FakeClock } from '../simulations/clock.ts'
import { REVOCATIONS_PER_MEMBER_MAX, Revocations } from './revocations.ts'
import { createMemoryStorage } from './storage/memory.ts'

const YEAR_MS = 365 * 24 * 3_600_000
const [operator, alice, bob, carol] = [testPeer(0), testPeer(1), testPeer(2), testPeer(3)]
const genesis: Genesis = {
  ...{ v: 1, name: 'home', operator: operator.id, nonce: new Uint8Array(16) },
  policy: { admission: 'private', independence: 'peer' },
}
const mesh = meshIdOf(crypto, genesis)
const clock = new FakeClock()
const peersFrom = (from: number, count: number) => Array.from({ length: count }, (_, i) => testPeer(from + i))

const listOf = ({ self = operator, storage = createMemoryStorage() } = {}) => {
  let verified = 0
  const counting = {
    ...crypto,
    verify: (...args: Parameters<typeof crypto.verify>) => {
      verified++
      return crypto.verify(...args)
    },
  }
  const network = { peerId: self.id } as Network
  const ports = { clock, crypto: counting, signer: self.signer, network, storage, log: { event() {} } }
  const list = new Revocations(ports, { id: mesh, operator: operator.id, isPublic: false })
  return { list, storage, verified: () => verified }
}

const chainOf = async (...peers: TestPeer[]): Promise<Envelope[]> => {
  const links = peers.slice(0, -1).map(async ({ id }, i) => {
    const by = peers[i + 1] as TestPeer
    const membership = Membership.encode({ v: 1, mesh, peer: id, expires_ms: clock.now() + YEAR_MS, own: false })
    return (await signBatch(crypto, by.signer, by.id, 'membership', [membership]))[0] as Envelope
  })
  return Promise.all(links)
}

const signed = async (
  by: TestPeer,
  of: readonly TestPeer[],
  changes: Partial<Revocation> = {},
): Promise<Envelope[]> => {
  const payloads = of.map(({ id: peer }, i) =>
    Revocation.encode({ v: 1, mesh, peer, revoked_ms: i, chain: [], ...changes }),
  )
  const batches: Envelope[] = []
  for (let i = 0; i < payloads.length; i += BATCH_ITEMS_MAX)
    batches.push(...(await signBatch(crypto, by.signer, by.id, 'revocation', payloads.slice(i, i + BATCH_ITEMS_MAX))))
  return batches
}

const acceptAll = async (list: Revocations, all: readonly Envelope[]): Promise<number> => {
  let accepted = 0
  for (const one of all) if (await list.accept(one)) accepted++
  return accepted
}

describe('a revocation is taken in once', () => {
  test('by the operator; it is kept, and counts after a restart', async () => {
    const { list, storage } = listOf({ self: bob })
    const [one] = (await signed(operator, [alice])) as [Envelope]
    expect([await list.accept(one), await list.accept(one)]).toEqual([true, false])
    expect([list.isRevoked(alice.id, operator.id), list.isRevoked(alice.id, bob.id)]).toEqual([true, false])
    const { list: again } = listOf({ self: bob, storage })
    await again.load()
    expect(again.isRevoked(alice.id, operator.id)).toBe(true)
    expect(again.all()).toMatchObject([{ peer: alice.id, by: operator.id, revokedMs: 0 }])
  })

  test('by a member who shows that it is one', async () => {
    const { list } = listOf()
    const [one] = await signed(alice, [bob], { chain: await chainOf(alice, operator) })
    expect(await list.accept(one as Envelope)).toBe(true)
  })

  test('by this peer: others take it in', async () => {
    const { list } = listOf({ self: alice })
    const one = await list.revoke(bob.id, await chainOf(alice, operator))
    expect(list.isRevoked(bob.id, alice.id)).toBe(true)
    expect(await listOf().list.accept(one)).toBe(true)
  })
})

test('a revocation that could not be kept is none, until it can be', async () => {
  const kept = createMemoryStorage()
  let isBroken = true
  const write: typeof kept.write = async (...args) => {
    if (isBroken) throw new MeshError('E_STORAGE', 'this disk fails')
    await kept.write(...args)
  }
  const { list } = listOf({ storage: { ...kept, write } })
  await expect(list.revoke(bob.id, [])).rejects.toMatchObject({ code: 'E_STORAGE' })
  expect([list.isRevoked(bob.id, operator.id), list.all()]).toEqual([false, []])
  isBroken = false
  await list.revoke(bob.id, [])
  expect(list.isRevoked(bob.id, operator.id)).toBe(true)
})

describe('what does not count is passed over before any signature is checked', () => {
  test.each<[string, () => Promise<Envelope[]>]>([
    ['of another mesh', () => signed(operator, [alice], { mesh: meshIdOf(crypto, { ...genesis, name: 'away' }) })],
    ['of the operator', async () => signed(alice, [operator], { chain: await chainOf(alice, operator) })],
    ['of oneself', async () => signed(alice, [alice], { chain: await chainOf(alice, operator) })],
    [
      'by one whose membership has expired',
      async () => {
        const late = Membership.encode({ v: 1, mesh, peer: alice.id, expires_ms: clock.now(), own: false })
        return signed(alice, [bob], {
          chain: await signBatch(crypto, operator.signer, operator.id, 'membership', [late]),
        })
      },
    ],
  ])('%s', async (_name, make) => {
    const { list, verified } = listOf()
    expect(await acceptAll(list, await make())).toBe(0)
    expect(verified()).toBe(0)
  })

  test('by one who is revoked, and what it has said before ends with it', async () => {
    const { list, storage } = listOf()
    const chain = await chainOf(bob, alice, operator)
    await acceptAll(list, await signed(bob, peersFrom(10, 3), { chain }))
    expect(await acceptAll(list, await signed(operator, [alice]))).toBe(1)
    expect(list.all().map(({ peer }) => peer)).toEqual([alice.id])
    expect(await acceptAll(list, await signed(bob, [carol], { chain }))).toBe(0)
    const { list: again } = listOf({ storage })
    await again.load()
    expect(again.all()).toHaveLength(1)
  })
})

describe('what nobody honest passes on is thrown', () => {
  test.each<[string, string, () => Promise<Envelope[]>]>([
    ['by one who is no member', 'E_NOT_ADMITTED', () => signed(alice, [bob])],
    [
      'by one who shows another’s chain',
      'E_NOT_ADMITTED',
      async () => signed(alice, [bob], { chain: await chainOf(carol, operator) }),
    ],
    [
      'by one who admitted itself',
      'E_NOT_ADMITTED',
      async () => signed(alice, [bob], { chain: await chainOf(alice, alice) }),
    ],
    [
      'in the name of the operator',
      'E_SIGNATURE',
      async () => (await signed(alice, [bob])).map((one) => ({ ...one, signer: operator.id })),
    ],
    [
      'signed as a membership',
      'E_SIGNATURE',
      async () => {
        const payload = Revocation.encode({ v: 1, mesh, peer: bob.id, revoked_ms: 0, chain: [] })
        return signBatch(crypto, operator.signer, operator.id, 'membership', [payload])
      },
    ],
    [
      'no record',
      'E_MESSAGE',
      () => signBatch(crypto, operator.signer, operator.id, 'revocation', [Uint8Array.of(0xa0)]),
    ],
  ])('%s: %s', async (_name, code, make) => {
    const { list } = listOf()
    await expect(acceptAll(list, await make())).rejects.toMatchObject({ code })
    expect(list.all()).toEqual([])
  })
})

describe('a hundred times more than is kept', () => {
  test('of one member: its part is kept, the rest costs no signature, and others are heard', async () => {
    const { list, verified } = listOf()
    const chain = await chainOf(alice, operator)
    expect(
      await acceptAll(list, await signed(alice, peersFrom(100, 100 * REVOCATIONS_PER_MEMBER_MAX), { chain })),
    ).toBe(REVOCATIONS_PER_MEMBER_MAX)
    expect(verified()).toBe(2 * REVOCATIONS_PER_MEMBER_MAX)
    expect(await acceptAll(list, await signed(bob, [carol], { chain: await chainOf(bob, operator) }))).toBe(1)
  })

  test('of members that one member made up: the operator is heard all the same, and frees the places', async () => {
    const { list } = listOf()
    const count = REVOCATIONS_MAX / REVOCATIONS_PER_MEMBER_MAX + 2
    for (const sybil of peersFrom(10_000, count)) {
      const chain = await chainOf(sybil, alice, operator)
      await acceptAll(list, await signed(sybil, peersFrom(20_000, REVOCATIONS_PER_MEMBER_MAX), { chain }))
    }
    expect(list.all()).toHaveLength(REVOCATIONS_MAX)
    expect(await acceptAll(list, await signed(bob, [carol], { chain: await chainOf(bob, operator) }))).toBe(0)
    expect(await acceptAll(list, await signed(operator, [carol]))).toBe(1)
    expect(list.all()).toHaveLength(REVOCATIONS_MAX)
    expect(await acceptAll(list, await signed(operator, [alice]))).toBe(1)
    expect(list.all().map(({ peer }) => peer)).toEqual([carol.id, alice.id])
    expect(await acceptAll(list, await signed(bob, [carol], { chain: await chainOf(bob, operator) }))).toBe(1)
  })
})

test('of the operator the newest are kept, in memory and in storage, in whatever order they come', async () => {
  const all = await signed(operator, peersFrom(30_000, 2 * REVOCATIONS_MAX))
  for (const order of [all, all.toReversed()]) {
    const { list, storage } = listOf()
    await acceptAll(list, order)
    const kept = list.all().map(({ revokedMs }) => revokedMs)
    expect(Math.min(...kept)).toBe(REVOCATIONS_MAX)
    expect(kept).toHaveLength(REVOCATIONS_MAX)
    const { list: again } = listOf({ storage })
    await again.load()
    expect(again.all()).toHaveLength(REVOCATIONS_MAX)
  }
})
