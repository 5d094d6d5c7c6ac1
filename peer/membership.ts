/** Who belongs to this peer's mesh, and how this peer shows that it does. */
import type { CID } from '../protocol/cid.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { ADDRESSES_MAX, CHAIN_MAX } from '../protocol/limits.ts'
import {
  type ChainFor,
  Genesis,
  Membership,
  meshIdOf,
  openTicket,
  signTicket,
  ticketToText,
  verifyChain,
} from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Admittance } from './handshake.ts'

/** A membership outlives any ticket; a machine that was away for a year is invited again. */
const MEMBERSHIP_MS = 365 * 24 * 60 * 60 * 1000

/** What a peer knows of its mesh: the genesis record, and the chain that shows its own membership. */
export interface MeshState {
  genesis: Genesis
  /** Empty for the operator, and on a public mesh. */
  chain: Envelope[]
}

type OfficePorts = Pick<Ports, 'crypto' | 'signer' | 'clock' | 'network'>

export class MembershipOffice {
  readonly meshId: CID
  readonly genesis: Genesis
  readonly #ports: OfficePorts
  readonly #chain: Envelope[]
  readonly #acceptsAnyone: boolean

  /** `acceptsAnyone`: the owner lends to strangers, so the handshake lets them in as non-members. */
  constructor(ports: OfficePorts, mesh: MeshState, acceptsAnyone: boolean) {
    this.meshId = meshIdOf(ports.crypto, mesh.genesis)
    this.genesis = mesh.genesis
    this.#ports = ports
    this.#chain = mesh.chain
    this.#acceptsAnyone = acceptsAnyone
  }

  get isPublic(): boolean {
    return this.genesis.policy.admission === 'public'
  }

  credential(): FrameOf<'hello'>['credential'] {
    return { by: 'membership', chain: this.#chain }
  }

  /** Throws MeshError E_MESH_MISMATCH, E_NOT_ADMITTED, E_TICKET or E_TICKET_EXPIRED. */
  async admit(hello: FrameOf<'hello'>, peer: string): Promise<Admittance> {
    this.#ensureSameMesh(hello)
    const shown = hello.credential
    if (shown.by === 'ticket') return this.#admitByTicket(shown.ticket, peer)
    if (this.isPublic) return { member: true, issued: [] }
    try {
      await verifyChain(this.#ports.crypto, shown.by === 'membership' ? shown.chain : [], this.#chainFor(peer))
      return { member: true, issued: [] }
    } catch (cause) {
      if (this.#acceptsAnyone && hello.genesis.length > 0) return { member: false, issued: [] }
      throw cause
    }
  }

  /** A ticket to this mesh as text. `addresses` are those of this peer. */
  async invite(addresses: readonly string[], lifeMs: number): Promise<string> {
    const { crypto, signer, clock, network } = this.#ports
    const ticket = {
      v: 1 as const,
      mesh: this.meshId,
      addresses: addresses.slice(0, ADDRESSES_MAX),
      expires_ms: clock.now() + lifeMs,
      inviter: network.peerId,
      chain: this.#chain,
    }
    return ticketToText(await signTicket(crypto, signer, ticket))
  }

  async #admitByTicket(signed: Envelope, peer: string): Promise<Admittance> {
    const ticket = await openTicket(this.#ports.crypto, signed, this.#ports.clock.now())
    if (!ticket.mesh.equals(this.meshId)) {
      throw new MeshError(
        'E_MESH_MISMATCH',
        `the ticket is for mesh ${ticket.mesh}, this peer belongs to ${this.meshId}`,
      )
    }
    if (!this.isPublic) await verifyChain(this.#ports.crypto, ticket.chain, this.#chainFor(ticket.inviter))
    return { member: true, issued: this.isPublic ? [] : await this.#issue(peer) }
  }

  async #issue(peer: string): Promise<Envelope[]> {
    const { crypto, signer, clock, network } = this.#ports
    if (this.#chain.length + 1 > CHAIN_MAX) {
      const message = `invitations to this mesh are ${CHAIN_MAX} deep; ask ${this.genesis.operator} for a ticket`
      throw new MeshError('E_NOT_ADMITTED', message)
    }
    const membership = { v: 1 as const, mesh: this.meshId, peer, expires_ms: clock.now() + MEMBERSHIP_MS }
    const signed = await signBatch(crypto, signer, network.peerId, 'membership', [Membership.encode(membership)])
    return [...signed, ...this.#chain]
  }

  #chainFor(peer: string): ChainFor {
    return { mesh: this.meshId, operator: this.genesis.operator, peer, nowMs: this.#ports.clock.now() }
  }

  #ensureSameMesh(hello: FrameOf<'hello'>): void {
    if (hello.genesis.length === 0) return
    const theirs = meshIdOf(this.#ports.crypto, Genesis.decode(hello.genesis))
    if (theirs.equals(this.meshId)) return
    const message = `one side belongs to mesh ${theirs}, the other to ${this.meshId}; peers of different meshes do not talk`
    throw new MeshError('E_MESH_MISMATCH', message)
  }
}
