import { base32 } from 'multiformats/bases/base32'
import { describe, expect, test } from 'vitest'
import { crypto, type TestPeer, testPeer } from '../scripts/protocol/test-keys.ts'
import { HOUR_MS, membershipsOf, NOW_MS } from '../scripts/protocol/test-memberships.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { type Envelope, signBatch } from './envelope.ts'
import {
  chainExpiryMs,
  Genesis,
  isTicketText,
  lineOf,
  Membership,
  meshIdOf,
  openTicket,
  ownersOf,
  signTicket,
  type Ticket,
  ticketFromText,
  ticketToText,
  verifyChain,
} from './mesh.ts'

const operator = testPeer(0)
const [alice, bob, carol] = [testPeer(1), testPeer(2), testPeer(3)]

const genesis: Genesis = {
  v: 1,
  name: 'home',
  operator: operator.id,
  policy: { admission: 'private', independence: 'peer' },
  nonce: new Uint8Array(16),
}
const mesh = meshIdOf(crypto, genesis)
const { linkOf, chainOf } = membershipsOf(mesh)
const otherMesh = meshIdOf(crypto, { ...genesis, name: 'away' })

describe('meshIdOf', () => {
  test('depends on every field of the genesis', () => {
    const changes: Partial<Genesis>[] = [
      { name: 'away' },
      { operator: alice.id },
      { policy: { admission: 'public', independence: 'peer' } },
      { policy: { admission: 'private', independence: 'operator' } },
      { nonce: new Uint8Array(16).fill(1) },
    ]
    const ids = [mesh, ...changes.map((change) => meshIdOf(crypto, { ...genesis, ...change }))].map(String)
    expect(new Set(ids).size).toBe(ids.length)
    expect(meshIdOf(crypto, Genesis.decode(Genesis.encode(genesis)))).toEqual(mesh)
  })
})

const ticket: Ticket = {
  v: 1,
  mesh,
  addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/x'],
  expires_ms: NOW_MS + HOUR_MS,
  inviter: alice.id,
  own: false,
  chain: [],
}

describe('a ticket', () => {
  test('survives as text', async () => {
    const signed = await signTicket(crypto, alice.signer, ticket)
    const text = ticketToText(signed)
    expect(text).toMatch(/^wayside1[a-z2-7]+$/)
    expect(isTicketText(text)).toBe(true)
    expect(await ticketFromText(crypto, text, NOW_MS)).toEqual({ ticket, signed })
  })

  test('is in force until the instant at which it expires', async () => {
    const signed = await signTicket(crypto, alice.signer, ticket)
    await openTicket(crypto, signed, ticket.expires_ms - 1)
    const expired = expect.objectContaining({
      code: 'E_TICKET_EXPIRED',
      message: `this ticket expired on 2027-01-15T09:00:00.000Z; ask ${alice.id} for a new one`,
    })
    await expect(openTicket(crypto, signed, ticket.expires_ms)).rejects.toEqual(expired)
    await expect(ticketFromText(crypto, ticketToText(signed), ticket.expires_ms)).rejects.toEqual(expired)
  })

  test('is worth nothing unless its inviter signed it', async () => {
    const byBob = { ...(await signTicket(crypto, bob.signer, ticket)), signer: bob.id }
    await expect(openTicket(crypto, byBob, NOW_MS)).rejects.toEqual(
      expect.objectContaining({ code: 'E_TICKET', message: 'it was not signed by its inviter' }),
    )
    const inAliceName = { ...byBob, signer: alice.id }
    await expect(openTicket(crypto, inAliceName, NOW_MS)).rejects.toEqual(
      expect.objectContaining({ code: 'E_SIGNATURE' }),
    )
    for (const signed of [byBob, inAliceName])
      await expect(ticketFromText(crypto, ticketToText(signed), NOW_MS)).rejects.toEqual(
        expect.objectContaining({ code: 'E_TICKET' }),
      )
  })

  test('with any one character changed, left out or added is refused', async () => {
    const text = ticketToText(await signTicket(crypto, alice.signer, ticket))
    const random = randomFor('characters')
    const alphabet = 'abcdefghijklmnopqrstuvwxyz234567=A1 '
    for (let i = 0; i < 300; i++) {
      const at = random.below(text.length)
      const letter = alphabet[random.below(alphabet.length)] as string
      const changes = [text.slice(0, at) + letter + text.slice(at + 1), text.slice(0, at) + text.slice(at + 1)]
      for (const changed of [...changes, text.slice(0, at) + letter + text.slice(at), text + letter])
        if (changed !== text)
          await expect(ticketFromText(crypto, changed, NOW_MS)).rejects.toEqual(
            expect.objectContaining({ code: 'E_TICKET', message: expect.stringMatching(/copy the whole text/) }),
          )
    }
  })

  test.each([
    ['nothing', ''],
    ['another word', 'wayside2aaaa'],
    ['the prefix alone', 'wayside1'],
    ['no base32', 'wayside1!!!!'],
    ['capitals', 'wayside1ABCD'],
    ['no CBOR', `wayside1${base32.baseEncode(new Uint8Array(40).fill(255))}`],
    ['another record', `wayside1${base32.baseEncode(Genesis.encode(genesis))}`],
    ['over its limit', `wayside1${'a'.repeat(70_000)}`],
  ])('is not %s', async (_name, text) => {
    await expect(ticketFromText(crypto, text, NOW_MS)).rejects.toEqual(expect.objectContaining({ code: 'E_TICKET' }))
  })

  test('of the greatest size has a text that is read', async () => {
    const address = 'a'.repeat(256)
    const large = { ...ticket, addresses: Array(16).fill(address), chain: await chainOf(...Array(8).fill(alice)) }
    const signed = await signTicket(crypto, alice.signer, large)
    expect(await ticketFromText(crypto, ticketToText(signed), NOW_MS)).toEqual({ ticket: large, signed })
  })
})

const holds = (chain: readonly Envelope[], peer: TestPeer) =>
  verifyChain(crypto, chain, { mesh, operator: operator.id, peer: peer.id, nowMs: NOW_MS, isRevoked: () => false })

test('a line leads from a peer to the operator, and ends there', async () => {
  const chain = await chainOf(carol, bob, alice, operator)
  expect(lineOf(carol.id, chain, operator.id)).toEqual([carol.id, bob.id, alice.id, operator.id])
  expect(lineOf(operator.id, chain, operator.id)).toEqual([operator.id])
  expect(lineOf(carol.id, [], operator.id)).toEqual([carol.id, operator.id])
  expect(chainExpiryMs([...chain, await linkOf({ by: operator, of: alice, expiresMs: 7 })])).toBe(7)
  expect(chainExpiryMs([])).toBe(Number.POSITIVE_INFINITY)
})

describe('the owners in a line', () => {
  const ownersIn = (peer: TestPeer, chain: readonly Envelope[]) => ownersOf(peer.id, chain, operator.id)
  const own = (of: TestPeer, by: TestPeer) => linkOf({ of, by, own: true })
  const plain = (of: TestPeer, by: TestPeer) => linkOf({ of, by })

  test('are named by the machine that was let in as nobody’s own', async () => {
    expect(ownersIn(operator, [])).toEqual([operator.id])
    expect(ownersIn(alice, await chainOf(alice, operator))).toEqual([alice.id, operator.id])
    expect(ownersIn(alice, [await own(alice, operator)])).toEqual([operator.id])
    expect(ownersIn(carol, [await own(carol, bob), await own(bob, alice), await plain(alice, operator)])).toEqual([
      alice.id,
      operator.id,
    ])
    expect(ownersIn(carol, [await plain(carol, bob), await own(bob, alice), await plain(alice, operator)])).toEqual([
      carol.id,
      alice.id,
      operator.id,
    ])
  })

  test('end at the operator: what follows it is not read, for nobody has checked it', async () => {
    const chain = [await own(bob, operator), await own(operator, alice), await plain(alice, operator)]
    await holds(chain, bob)
    expect(ownersIn(bob, chain)).toEqual([operator.id])
    expect(ownersIn(operator, chain.slice(1))).toEqual([operator.id])
  })

  test('cannot be chosen: who signs that it is its own machine is its own owner', async () => {
    const chain = [await own(alice, alice), await plain(alice, operator)]
    await holds(chain, alice)
    expect(ownersIn(alice, chain)).toEqual([alice.id, operator.id])
  })
})

const refused = (why: RegExp) =>
  expect.objectContaining({ code: 'E_NOT_ADMITTED', message: expect.stringMatching(why) })

describe('a membership chain', () => {
  test('leads from a peer to the operator, over any number of members up to eight', async () => {
    await holds([], operator)
    await holds(await chainOf(alice, operator), alice)
    await holds(await chainOf(carol, bob, alice, operator), carol)
    const eight = Array.from({ length: 8 }, (_, i) => testPeer(10 + i))
    await holds(await chainOf(...eight, operator), eight[0] as TestPeer)
  })

  test('of nine links is refused', async () => {
    const nine = Array.from({ length: 9 }, (_, i) => testPeer(10 + i))
    await expect(holds(await chainOf(...nine, operator), nine[0] as TestPeer)).rejects.toEqual(refused(/over 8 links/))
  })

  test.each<[string, () => Promise<Envelope[]>, RegExp]>([
    ['that is empty', async () => [], /does not lead to the operator/],
    ['for another peer', () => chainOf(bob, operator), /links do not meet/],
    ['that the peer signed itself', async () => [await linkOf({ by: alice, of: alice })], /does not lead/],
    [
      'that the peer signed itself, eight times',
      async () => Array(8).fill(await linkOf({ by: alice, of: alice })),
      /does not lead/,
    ],
    ['that ends at a member', () => chainOf(alice, bob), /does not lead to the operator/],
    ['of another mesh', async () => [await linkOf({ by: operator, of: alice, mesh: otherMesh })], /another mesh/],
    [
      'with a link of another mesh further up',
      async () => [await linkOf({ by: bob, of: alice }), await linkOf({ by: operator, of: bob, mesh: otherMesh })],
      /another mesh/,
    ],
    ['that has expired', async () => [await linkOf({ by: operator, of: alice, expiresMs: NOW_MS })], /expired/],
    [
      'with an expired link further up',
      async () => [await linkOf({ by: bob, of: alice }), await linkOf({ by: operator, of: bob, expiresMs: NOW_MS })],
      /expired/,
    ],
    [
      'with a link left out',
      async () => [await linkOf({ by: bob, of: alice }), await linkOf({ by: operator, of: carol })],
      /links do not meet/,
    ],
    ['in the wrong order', async () => (await chainOf(alice, bob, operator)).reverse(), /links do not meet/],
    [
      'signed in the name of the operator',
      async () => [{ ...(await linkOf({ by: alice, of: alice })), signer: operator.id }],
      /not by/,
    ],
    [
      'with a forged link further up',
      async () => [
        await linkOf({ by: bob, of: alice }),
        { ...(await linkOf({ by: bob, of: bob })), signer: operator.id },
      ],
      /not by/,
    ],
    [
      'signed as another kind',
      async () => {
        const payload = Membership.encode({ v: 1, mesh, peer: alice.id, expires_ms: NOW_MS + 1, own: false })
        return signBatch(crypto, operator.signer, operator.id, 'ticket', [payload])
      },
      /not by/,
    ],
    [
      'that holds another record',
      async () => signBatch(crypto, operator.signer, operator.id, 'membership', [Genesis.encode(genesis)]),
      /membership/,
    ],
    [
      'that holds no record',
      async () => signBatch(crypto, operator.signer, operator.id, 'membership', [new Uint8Array(3)]),
      /canonical/,
    ],
  ])('%s is refused', async (_name, chain, why) => {
    await expect(holds(await chain(), alice)).rejects.toEqual(refused(why))
  })

  test('says whose it is and what to do', async () => {
    await expect(holds([], alice)).rejects.toThrow(
      `the membership of ${alice.id} does not hold: it does not lead to the operator of the mesh; ask a member for a ticket`,
    )
  })

  test('does not hold if somebody in it was revoked by somebody above, and costs no signature then', async () => {
    const chain = await chainOf(carol, bob, alice, operator)
    const to = { mesh, operator: operator.id, peer: carol.id, nowMs: NOW_MS }
    const counting = { ...crypto, verify: () => expect.unreachable('a signature was checked') }
    const revoked = (of: TestPeer, by: TestPeer) => (peer: string, signer: string) => peer === of.id && signer === by.id
    for (const [of, by] of [
      [carol, bob],
      [carol, operator],
      [bob, alice],
      [alice, operator],
    ] as const)
      await expect(verifyChain(counting, chain, { ...to, isRevoked: revoked(of, by) })).rejects.toEqual(
        refused(/revoked/),
      )
    for (const [of, by] of [
      [alice, bob],
      [bob, carol],
      [carol, testPeer(9)],
      [operator, alice],
      [bob, testPeer(9)],
    ] as const)
      await verifyChain(crypto, chain, { ...to, isRevoked: revoked(of, by) })
  })

  test('costs a liar more than us: cheap checks come before signatures', async () => {
    let verified = 0
    const counting = { ...crypto, verify: () => ++verified > 0 }
    const chain = await chainOf(bob, operator)
    await expect(
      verifyChain(counting, chain, {
        mesh,
        operator: operator.id,
        peer: alice.id,
        nowMs: NOW_MS,
        isRevoked: () => false,
      }),
    ).rejects.toThrow()
    expect(verified).toBe(0)
  })
})
