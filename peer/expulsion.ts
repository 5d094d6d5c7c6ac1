/** How revocations travel, and what follows from them: told to members, passed on once, and links with the revoked end. */
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { CHAIN_MAX, REVOCATIONS_FRAME_MAX } from '../protocol/limits.ts'
import { chainExpiryMs } from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Answering } from './charges.ts'
import type { Admittance } from './handshake.ts'
import { finiteOrNull, type Members } from './members.ts'
import type { MembershipOffice } from './membership.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { Roster } from './roster.ts'
import type { Standings } from './standings.ts'
import { PROBATION_RECEIPTS } from './trust.ts'

interface ExpulsionParts {
  office: MembershipOffice
  members: Members
  neighbours: NeighbourTable
  roster: Roster
  standings: Pick<Standings, 'earnedBy'>
}

export class Expulsion {
  readonly #ports: Pick<Ports, 'clock' | 'network'>
  readonly #parts: ExpulsionParts

  /** `parts` may be filled until the first neighbour comes. */
  constructor(ports: Pick<Ports, 'clock' | 'network'>, parts: ExpulsionParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Has shown that it is a member: it is remembered. */
  proven(peer: string, { owner = peer, chain }: Pick<Admittance, 'owner' | 'chain'>): void {
    const line = this.#lineOf(peer, chain)
    const until_ms = finiteOrNull(chainExpiryMs(chain))
    this.#parts.members.saw({ peer, owner, line, until_ms, seen_ms: this.#ports.clock.now() })
  }

  /** Whoever vouches for a peer answers for it, also once that is withdrawn; its word counts while it does, and the peer is here. */
  answeringFor(peer: string): Answering {
    const { office, members, neighbours } = this.#parts
    const line = members.get(peer)?.line ?? [peer]
    const now = office.vouchersOf(peer, neighbours.get(peer)?.chain ?? [])
    return { line, vouchers: now && line.filter((one) => now.includes(one)) }
  }

  /** A peer has just come: a member is told all that is held. */
  greet(neighbour: Neighbour): void {
    if (!neighbour.member) return
    const { office } = this.#parts
    const held = office.revocations.all().map(({ signed }) => signed)
    this.#tell([neighbour], held)
  }

  async onFrame(neighbour: Neighbour, { signed }: FrameOf<'revocations'>): Promise<void> {
    if (!neighbour.member) return
    const news: Envelope[] = []
    try {
      for (const one of signed)
        if (this.#matters(one) && (await this.#parts.office.revocations.accept(one))) news.push(one)
    } finally {
      this.#enforce(news, neighbour)
    }
  }

  /**
   * For good. Throws MeshError E_USAGE for a peer that this one may not revoke, E_NOT_ADMITTED once it is out itself, or
   * E_STORAGE.
   */
  async revoke(peer: string): Promise<void> {
    const { office } = this.#parts
    this.#ensureMayRevoke(peer)
    this.#enforce([await office.revocations.revoke(peer, office.chain)])
  }

  /** On a public mesh none that answered for it once gets rid of that by what it shows, or by what it shows no more. */
  #lineOf(peer: string, chain: readonly Envelope[]): string[] {
    const { office, members } = this.#parts
    const line = office.lineOf(peer, chain)
    const { operator } = office.genesis
    if (!office.isPublic || peer === operator) return line
    const vouchers = new Set(
      [...(members.get(peer)?.line ?? []), ...line].filter((one) => one !== peer && one !== operator),
    )
    return [peer, ...[...vouchers].slice(0, CHAIN_MAX), operator]
  }

  /** On a public mesh anybody may say that it vouches for somebody no more: only of those whose word may count is it kept. */
  #matters({ signer }: Envelope): boolean {
    const { office, standings } = this.#parts
    return !office.isPublic || signer === office.genesis.operator || standings.earnedBy(signer) >= PROBATION_RECEIPTS
  }

  #enforce(news: readonly Envelope[], from?: Neighbour): void {
    if (news.length === 0) return
    this.#tell(
      this.#parts.neighbours.all().filter((one) => one !== from),
      news,
    )
    this.#parts.roster.review()
  }

  #tell(neighbours: readonly Neighbour[], signed: readonly Envelope[]): void {
    for (let i = 0; i < signed.length; i += REVOCATIONS_FRAME_MAX) {
      const frame = { t: 'revocations', signed: signed.slice(i, i + REVOCATIONS_FRAME_MAX) } as const
      for (const { link, member } of neighbours) if (member) link.send(frame)
    }
  }

  #ensureMayRevoke(peer: string): void {
    const { office, members } = this.#parts
    const { operator } = office.genesis
    const { peerId: self } = this.#ports.network
    if (peer === operator) throw new MeshError('E_USAGE', `${peer} is the operator, whom nobody can revoke`)
    if (peer === self)
      throw new MeshError('E_USAGE', `${peer} is this machine; leave the mesh with \`wayside down --erase\``)
    if (self === operator) return
    // Nobody would believe it.
    const lapsed = office.lapsed({ peer: self, chain: office.chain })
    if (lapsed) throw lapsed
    const above = members.get(peer)?.line.slice(1) ?? []
    if (above.includes(self)) return
    const message = `this machine knows of no invitation by which it let ${peer} in; only the operator (${operator}) and those who invited it can revoke it`
    throw new MeshError('E_USAGE', { message, peer })
  }
}
