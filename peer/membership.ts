/** Who belongs to this peer's mesh, and how this peer shows that it does. */
import type { CID } from '../protocol/cid.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { ADDRESSES_MAX, CHAIN_MAX } from '../protocol/limits.ts'
import {
  type ChainFor,
  chainExpiryMs,
  Genesis,
  lineOf,
  Membership,
  meshIdOf,
  openTicket,
  ownersOf,
  revokedIn,
  revokedWords,
  signTicket,
  ticketToText,
  verifyChain,
} from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'
import { vouches, vouchesIn } from '../protocol/vouches.ts'
import type { Admittance } from './handshake.ts'
import type { Neighbour } from './neighbours.ts'
import type { OwnerPolicy } from './owner-policy.ts'
import { Revocations } from './revocations.ts'
import { UsedTickets } from './used-tickets.ts'

/** A membership outlives any ticket; a machine that was away for a year is invited again. */
const MEMBERSHIP_MS = 365 * 24 * 60 * 60 * 1000
/** Whoever gets hold of a ticket for an owner's machine is that owner: it is carried to the machine at once. */
export const OWN_TICKET_MS_MAX = 60 * 60 * 1000

/** What a peer knows of its mesh: the genesis record, and the chain that shows its own membership. */
export interface MeshState {
  genesis: Genesis
  /** Empty for the operator, and on a public mesh for one for whom nobody vouches. */
  chain: Envelope[]
}

type OfficePorts = Pick<Ports, 'crypto' | 'signer' | 'clock' | 'network' | 'storage' | 'log'>
/** What the handshake asks of the owner's rules. */
type Rules = Pick<OwnerPolicy, 'accept' | 'deny'>

export class MembershipOffice {
  readonly meshId: CID
  readonly genesis: Genesis
  readonly revocations: Revocations
  /** Of this peer. */
  readonly chain: Envelope[]
  readonly #ports: OfficePorts
  readonly #rules: Rules
  readonly #usedTickets: UsedTickets

  /** Whose owner accepts anyone lets strangers in as non-members; whom the owner denies is not let in. */
  constructor(ports: OfficePorts, mesh: MeshState, rules: Rules) {
    this.meshId = meshIdOf(ports.crypto, mesh.genesis)
    this.genesis = mesh.genesis
    this.chain = mesh.chain
    this.revocations = new Revocations(ports, {
      id: this.meshId,
      operator: mesh.genesis.operator,
      isPublic: this.isPublic,
    })
    this.#ports = ports
    this.#rules = rules
    this.#usedTickets = new UsedTickets(ports)
  }

  /** What was kept; call it before anything else. */
  async load(): Promise<void> {
    await Promise.all([this.revocations.load(), this.#usedTickets.load()])
  }

  get isPublic(): boolean {
    return this.genesis.policy.admission === 'public'
  }

  credential(): FrameOf<'hello'>['credential'] {
    return { by: 'membership', chain: this.chain }
  }

  /** Throws MeshError E_MESH_MISMATCH, E_NOT_ACCEPTED, E_NOT_ADMITTED, E_TICKET or E_TICKET_EXPIRED. */
  async admit(hello: FrameOf<'hello'>, peer: string): Promise<Admittance> {
    this.#ensureSameMesh(hello)
    if (this.#rules.deny.includes(peer)) {
      throw new MeshError('E_NOT_ACCEPTED', { message: 'the owner of this machine denies this peer', peer })
    }
    const { credential } = hello
    if (credential.by === 'ticket') return this.#admitByTicket(credential.ticket, peer)
    const chain = credential.by === 'membership' ? credential.chain : []
    const revoked = this.#revoked(this.#lineIn(peer, chain))
    if (revoked) throw revoked
    if (this.isPublic) {
      const held = await vouchesIn(this.#ports.crypto, chain, this.#chainFor(peer))
      return { member: true, own: false, issued: [], chain: held }
    }
    try {
      await verifyChain(this.#ports.crypto, chain, this.#chainFor(peer))
      return { ...this.#standing(peer, chain), issued: [] }
    } catch (cause) {
      if (this.#rules.accept.includes('anyone') && hello.genesis.length > 0)
        return { member: false, own: false, issued: [], chain: [] }
      throw cause
    }
  }

  /** Would one that was a member when it was last here be let in today? */
  isStillIn({ peer, line, until_ms }: { peer: string; line: readonly string[]; until_ms: number | null }): boolean {
    const isOver = !this.isPublic && until_ms !== null && until_ms <= this.#ports.clock.now()
    return !isOver && !this.#rules.deny.includes(peer) && !this.isOut(peer, line)
  }

  /** Has somebody put it out? On a public mesh only the operator can: others withdraw what they vouched for. */
  isOut(peer: string, line: readonly string[]): boolean {
    return revokedIn(this.isPublic ? this.lineOf(peer, []) : line, this.revocations.isRevoked) !== undefined
  }

  /** Why a neighbour that was let in must go: what it has shown holds no longer. No signature is checked again. */
  lapsed({ peer, chain }: Pick<Neighbour, 'peer' | 'chain'>): MeshError | undefined {
    const revoked = this.#revoked(this.#lineIn(peer, chain))
    if (revoked || this.isPublic || chainExpiryMs(chain) > this.#ports.clock.now()) return revoked
    return new MeshError('E_NOT_ADMITTED', `the membership of ${peer} has expired; ask a member for a ticket`)
  }

  /** `peer`, who admitted it, and so on up to the operator. */
  lineOf(peer: string, chain: readonly Envelope[]): string[] {
    return lineOf(peer, chain, this.genesis.operator)
  }

  /** A peer, and those who vouch for it now by what it has shown; on a private mesh, and of the operator, undefined. */
  vouchersOf(peer: string, shown: readonly Envelope[]): string[] | undefined {
    if (!this.isPublic || peer === this.genesis.operator) return undefined
    const line = [peer]
    const to = this.#chainFor(peer)
    for (const signed of shown)
      if (line.includes(Membership.decode(signed.payload).peer) && vouches(signed, to)) line.push(signed.signer)
    return line
  }

  /** Whose machine a peer is, by the first of them. On a public mesh: its own. */
  ownerOf(peer: string, chain: readonly Envelope[]): string {
    return (this.isPublic ? undefined : ownersOf(peer, chain, this.genesis.operator)[0]) ?? peer
  }

  /**
   * A ticket to this mesh as text; with `own` for one more machine of this peer's owner. `addresses` are those of this
   * peer. Throws MeshError E_NOT_ADMITTED or E_USAGE.
   */
  async invite(addresses: readonly string[], lifeMs: number, own: boolean): Promise<string> {
    const { crypto, signer, clock, network } = this.#ports
    if (own) this.#ensureMayOwn(lifeMs)
    await this.#ensureMayInvite()
    const ticket = {
      v: 1 as const,
      mesh: this.meshId,
      addresses: addresses.slice(0, ADDRESSES_MAX),
      expires_ms: clock.now() + lifeMs,
      inviter: network.peerId,
      own,
      chain: this.chain,
    }
    return ticketToText(await signTicket(crypto, signer, ticket))
  }

  async #admitByTicket(signed: Envelope, peer: string): Promise<Admittance> {
    const { peerId: self } = this.#ports.network
    const ticket = await openTicket(this.#ports.crypto, signed, this.#ports.clock.now())
    if (!ticket.mesh.equals(this.meshId)) {
      throw new MeshError(
        'E_MESH_MISMATCH',
        `the ticket is for mesh ${ticket.mesh}, this peer belongs to ${this.meshId}`,
      )
    }
    const revoked = this.#revoked([peer, ...this.#lineIn(self, this.chain)])
    if (revoked) throw revoked
    if (this.isPublic) {
      const issued = ticket.inviter === self ? await this.#issue(peer, false) : []
      return {
        member: true,
        own: false,
        issued,
        chain: await vouchesIn(this.#ports.crypto, issued, this.#chainFor(peer)),
      }
    }
    // Else the newcomer would be in the wrong line: its inviter could not revoke it.
    if (ticket.inviter !== self) {
      throw new MeshError(
        'E_NOT_ADMITTED',
        `this ticket is by ${ticket.inviter}, who alone lets in with it; dial that peer`,
      )
    }
    await this.#ensureMayInvite()
    if (ticket.own) await this.#usedTickets.use(signed.payload, peer, ticket.expires_ms)
    const chain = await this.#issue(peer, ticket.own)
    return { ...this.#standing(peer, chain), issued: chain }
  }

  /** Of a member whose chain holds. */
  #standing(peer: string, chain: readonly Envelope[]): Omit<Admittance, 'issued'> {
    const [owner = peer, inviter = owner] = ownersOf(peer, chain, this.genesis.operator)
    return { member: true, owner, inviter, own: owner === this.ownerOf(this.#ports.network.peerId, this.chain), chain }
  }

  #ensureMayOwn(lifeMs: number): void {
    if (this.isPublic)
      throw new MeshError('E_USAGE', 'on a public mesh nobody is let in, so no machine is known as yours')
    if (lifeMs <= OWN_TICKET_MS_MAX) return
    throw new MeshError(
      'E_USAGE',
      `a ticket for a machine of yours holds for ${OWN_TICKET_MS_MAX / 60_000} min at most`,
    )
  }

  /** Throws MeshError E_NOT_ADMITTED unless a chain that begins with this peer's word would hold. */
  async #ensureMayInvite(): Promise<void> {
    if (this.isPublic) return
    await verifyChain(this.#ports.crypto, this.chain, this.#chainFor(this.#ports.network.peerId))
    if (this.chain.length + 1 <= CHAIN_MAX) return
    const message = `invitations to this mesh are ${CHAIN_MAX} deep; ask ${this.genesis.operator} for a ticket`
    throw new MeshError('E_NOT_ADMITTED', message)
  }

  async #issue(peer: string, own: boolean): Promise<Envelope[]> {
    const { crypto, signer, clock, network } = this.#ports
    const membership = { v: 1 as const, mesh: this.meshId, peer, expires_ms: clock.now() + MEMBERSHIP_MS, own }
    const signed = await signBatch(crypto, signer, network.peerId, 'membership', [Membership.encode(membership)])
    return [...signed, ...this.chain].slice(0, CHAIN_MAX)
  }

  /** Those who can put a peer out. */
  #lineIn(peer: string, chain: readonly Envelope[]): string[] {
    return this.lineOf(peer, this.isPublic ? [] : chain)
  }

  #revoked(line: readonly string[]): MeshError | undefined {
    const revoked = revokedIn(line, this.revocations.isRevoked)
    if (!revoked) return undefined
    const [peer = ''] = line
    const message = `${peer} belongs to this mesh no longer: ${revokedWords(peer, revoked)}`
    return new MeshError('E_NOT_ADMITTED', { message, peer })
  }

  #chainFor(peer: string): ChainFor {
    const { operator } = this.genesis
    const { isRevoked } = this.revocations
    return { mesh: this.meshId, operator, peer, nowMs: this.#ports.clock.now(), isRevoked }
  }

  #ensureSameMesh(hello: FrameOf<'hello'>): void {
    if (hello.genesis.length === 0) return
    const theirs = meshIdOf(this.#ports.crypto, Genesis.decode(hello.genesis))
    if (theirs.equals(this.meshId)) return
    const message = `one side belongs to mesh ${theirs}, the other to ${this.meshId}; peers of different meshes do not talk`
    throw new MeshError('E_MESH_MISMATCH', message)
  }
}
