/** A mesh: its genesis record, the tickets that invite to it, the memberships that peers earn with them. */
import * as v from 'valibot'
import { fromBase32, toBase32 } from './base32.ts'
import { type CID, recordCid } from './cid.ts'
import { type Envelope, envelope, signBatch, verifyEnvelope } from './envelope.ts'
import { MeshError } from './errors.ts'
import { ADDRESSES_MAX, CHAIN_MAX } from './limits.ts'
import type { Crypto, Signer } from './ports.ts'
import { address, bytes, cid, instantMs, list, message, name, peerId, version } from './schema.ts'

/**
 * Whose hash is the mesh ID. `operator` admits to a private mesh; `independence` is the floor for verifiers:
 * `operator` asks for another network and operator, `peer` for another PeerId.
 */
export const Genesis = message(
  'genesis',
  1024,
  v.strictObject({
    v: version(),
    name: name(),
    operator: peerId(),
    policy: v.strictObject({
      admission: v.picklist(['private', 'public']),
      independence: v.picklist(['operator', 'peer']),
    }),
    nonce: bytes(16, 16),
  }),
)

export type Genesis = v.InferOutput<typeof Genesis.schema>

export const meshIdOf = (crypto: Pick<Crypto, 'hash'>, genesis: Genesis): CID =>
  recordCid(crypto, Genesis.encode(genesis))

/**
 * "`peer` belongs to this mesh until `expires_ms`", said by the operator or by another member. `own`: and it is a machine
 * of the same owner as the signer.
 */
export const Membership = message(
  'membership',
  1024,
  v.strictObject({ v: version(), mesh: cid(), peer: peerId(), expires_ms: instantMs(), own: v.boolean() }),
)

export type Membership = v.InferOutput<typeof Membership.schema>

/** Memberships from the newest to one that the operator signed; each signer is the member of the next. */
export const membershipChain = () => list(envelope(Membership.bytesMax), CHAIN_MAX)

/**
 * An invitation: whom its inviter admits that shows it before it expires. `own`: as one more machine of the inviter's
 * owner. `chain` shows that the inviter is a member.
 */
export const Ticket = message(
  'ticket',
  32_768,
  v.strictObject({
    v: version(),
    mesh: cid(),
    addresses: list(address(), ADDRESSES_MAX, 1),
    expires_ms: instantMs(),
    inviter: peerId(),
    own: v.boolean(),
    chain: membershipChain(),
  }),
)

export type Ticket = v.InferOutput<typeof Ticket.schema>

/**
 * "`peer` belongs to this mesh no longer, for good", said by the operator, or by a member to whom the peer's chain leads.
 * It ends only chains that lead through its signer. `chain` shows that the signer is a member.
 */
export const Revocation = message(
  'revocation',
  32_768,
  v.strictObject({ v: version(), mesh: cid(), peer: peerId(), revoked_ms: instantMs(), chain: membershipChain() }),
)

export type Revocation = v.InferOutput<typeof Revocation.schema>

/** A ticket and its inviter's signature: what the text of a ticket holds. */
export const SignedTicket = message('signed ticket', 40_960, envelope(Ticket.bytesMax))

/** What a joiner shows in its hello. */
export const credential = () =>
  v.variant('by', [
    v.strictObject({ by: v.literal('none') }),
    v.strictObject({ by: v.literal('ticket'), ticket: envelope(Ticket.bytesMax) }),
    v.strictObject({ by: v.literal('membership'), chain: membershipChain() }),
  ])

const TICKET_PREFIX = 'wayside1'
/** Base32 writes five bits a character. */
export const TICKET_CHARS_MAX = TICKET_PREFIX.length + Math.ceil((SignedTicket.bytesMax * 8) / 5)

/** Is `text` meant as a ticket? Whether it is one, `ticketFromText` tells. */
export const isTicketText = (text: string): boolean => text.startsWith(TICKET_PREFIX)

/** The ticket as text: `wayside1` and the base32 of its envelope. */
export const ticketToText = (ticket: Envelope): string => TICKET_PREFIX + toBase32(SignedTicket.encode(ticket))

const signedFromText = (text: string): Envelope => {
  if (!isTicketText(text)) throw new MeshError('E_TICKET', `it does not begin with ${TICKET_PREFIX}`)
  if (text.length > TICKET_CHARS_MAX) throw new MeshError('E_TICKET', `it has over ${TICKET_CHARS_MAX} characters`)
  const signed = SignedTicket.decode(fromBase32(text.slice(TICKET_PREFIX.length)))
  if (ticketToText(signed) !== text) throw new MeshError('E_TICKET', 'characters follow its end')
  return signed
}

const unreadable = (cause: unknown): MeshError => {
  const why = (cause as Error).message
  return new MeshError('E_TICKET', `this ticket cannot be read (${why}); copy the whole text that was printed`, {
    cause,
  })
}

/** Where a ticket leads, said by whoever wrote it: nothing of it is checked but its form. Throws MeshError E_TICKET. */
export const addressesInTicket = (text: string): readonly string[] => {
  try {
    return Ticket.decode(signedFromText(text).payload).addresses
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** Reads a ticket and checks its signature. Throws MeshError E_TICKET or E_TICKET_EXPIRED. */
export const ticketFromText = async (
  crypto: Crypto,
  text: string,
  nowMs: number,
): Promise<{ ticket: Ticket; signed: Envelope }> => {
  try {
    const signed = signedFromText(text)
    return { ticket: await openTicket(crypto, signed, nowMs), signed }
  } catch (cause) {
    if (cause instanceof MeshError && cause.code === 'E_TICKET_EXPIRED') throw cause
    throw unreadable(cause)
  }
}

/** Checks signature, inviter and expiry of a ticket. Throws MeshError E_SIGNATURE, E_TICKET or E_TICKET_EXPIRED. */
export const openTicket = async (crypto: Crypto, signed: Envelope, nowMs: number): Promise<Ticket> => {
  const ticket = Ticket.decode(signed.payload)
  if (signed.signer !== ticket.inviter) throw new MeshError('E_TICKET', 'it was not signed by its inviter')
  await verifyEnvelope(crypto, 'ticket', signed)
  if (ticket.expires_ms <= nowMs) {
    const message = `this ticket expired on ${new Date(ticket.expires_ms).toISOString()}; ask ${ticket.inviter} for a new one`
    throw new MeshError('E_TICKET_EXPIRED', { message, peer: ticket.inviter })
  }
  return ticket
}

export const signTicket = async (crypto: Crypto, signer: Signer, ticket: Ticket): Promise<Envelope> => {
  const [signed] = await signBatch(crypto, signer, ticket.inviter, 'ticket', [Ticket.encode(ticket)])
  return signed as Envelope
}

/** Who a chain must lead to: the mesh, its operator, the peer in question, and the instant at which it must hold. */
export interface ChainFor {
  mesh: CID
  operator: string
  peer: string
  nowMs: number
  isRevoked: IsRevoked
}

/** Has `by` said that `peer` belongs to the mesh no longer? */
export type IsRevoked = (peer: string, by: string) => boolean

/** A peer, who admitted it, who admitted that one, and so on up to the operator. The chain need not have been checked. */
export const lineOf = (peer: string, chain: readonly Envelope[], operator: string): string[] => {
  const line = [peer, ...chain.map(({ signer }) => signer)]
  const end = line.indexOf(operator)
  return end < 0 ? [...line, operator] : line.slice(0, end + 1)
}

/** Does the newest membership say that its holder is a machine of its signer's owner? */
export const isOwnMachine = ([newest]: readonly Envelope[]): boolean =>
  newest !== undefined && Membership.decode(newest.payload).own

/**
 * The line of a peer with the machines of one owner taken together: each owner is named by the machine that was let in
 * as nobody's own. Of a chain that was checked: what follows the operator in it was not, and is not read.
 */
export const ownersOf = (peer: string, chain: readonly Envelope[], operator: string): string[] => {
  const owners: string[] = []
  let machine = peer
  for (const { payload, signer } of chain) {
    if (machine === operator) break
    if (!Membership.decode(payload).own) owners.push(machine)
    machine = signer
  }
  return [...owners, machine]
}

/** The first of a line whom somebody further up has revoked, and who did. */
export const revokedIn = (line: readonly string[], isRevoked: IsRevoked): { peer: string; by: string } | undefined => {
  for (const [i, peer] of line.entries()) {
    const by = line.slice(i + 1).find((above) => isRevoked(peer, above))
    if (by !== undefined) return { peer, by }
  }
  return undefined
}

/** The instant from which some membership of the chain does not hold; Infinity for an empty one. Throws MeshError E_MESSAGE. */
export const chainExpiryMs = (chain: readonly Envelope[]): number =>
  chain.reduce((min, { payload }) => Math.min(min, Membership.decode(payload).expires_ms), Number.POSITIVE_INFINITY)

/** Why `member` belongs to the mesh no longer. */
export const revokedWords = (member: string, { peer, by }: { peer: string; by: string }): string =>
  peer === member ? `${by} has revoked it` : `it leads through ${peer}, whom ${by} has revoked`

/** Throws an Error that says why, unless the chain leads from `peer` to the operator. Signatures cost most: they come last. */
const followChain = async (crypto: Crypto, chain: readonly Envelope[], to: ChainFor): Promise<void> => {
  if (chain.length > CHAIN_MAX) throw new Error(`it has over ${CHAIN_MAX} links`)
  const revoked = revokedIn(lineOf(to.peer, chain, to.operator), to.isRevoked)
  if (revoked) throw new Error(revokedWords(to.peer, revoked))
  let member = to.peer
  for (const signed of chain) {
    if (member === to.operator) return
    const membership = Membership.decode(signed.payload)
    if (!membership.mesh.equals(to.mesh)) throw new Error('it is of another mesh')
    if (membership.peer !== member) throw new Error('its links do not meet')
    if (membership.expires_ms <= to.nowMs) throw new Error('it has expired')
    await verifyEnvelope(crypto, 'membership', signed)
    member = signed.signer
  }
  if (member !== to.operator) throw new Error('it does not lead to the operator of the mesh')
}

/** Throws MeshError E_NOT_ADMITTED unless the chain leads from `peer` to the operator. The operator needs none. */
export const verifyChain = async (crypto: Crypto, chain: readonly Envelope[], to: ChainFor): Promise<void> => {
  try {
    await followChain(crypto, chain, to)
  } catch (cause) {
    const message = `the membership of ${to.peer} does not hold: ${(cause as Error).message}; ask a member for a ticket`
    throw new MeshError('E_NOT_ADMITTED', { message, peer: to.peer }, { cause })
  }
}
