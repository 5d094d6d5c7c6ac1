/** What a peer tells its owner about its mesh: which it is, who this peer is in it, and who else. */
import { chainExpiryMs } from '../protocol/mesh.ts'
import { finiteOrNull } from './members.ts'
import type { PeerParts } from './peer.ts'

export interface MeshReport {
  id: string
  name: string
  admission: 'private' | 'public'
  independence: 'operator' | 'peer'
  operator: string
  self: {
    peer: string
    role: 'operator' | 'member' | 'revoked'
    /** The first machine of its owner; itself, if it is that. */
    owner: string
    /** On a public mesh: who vouches for it. Null for the operator, and where nobody does. */
    invited_by: string | null
    /** Instant from which its membership, or one of those who vouch for it, does not hold. */
    until_ms: number | null
    /** What weighs on it for guests that were expelled here, in whole ones; right receipts of its guests make up for it. */
    charges: number
  }
  /** Those met, also before the last start; the one seen last first. */
  members: {
    peer: string
    owner: string
    /** A machine of this peer's owner. */
    own: boolean
    invited_by: string | null
    until_ms: number | null
    seen_ms: number
    here: boolean
    charges: number
  }[]
  /** By somebody above the peer in its line, as far as that is known: others' word changes nothing. */
  revoked: { peer: string; by: string; revoked_ms: number }[]
}

export const meshReportOf = (
  self: string,
  { office, members, neighbours, standings }: Pick<PeerParts, 'office' | 'members' | 'neighbours' | 'standings'>,
): MeshReport => {
  const { name, operator, policy } = office.genesis
  const { revocations, chain } = office
  const inviterOf = ([, by]: readonly string[]) =>
    by === undefined || (office.isPublic && by === operator) ? null : by
  const line = office.lineOf(self, chain)
  const owner = office.ownerOf(self, chain)
  const knownLineOf = (peer: string) => (peer === self ? line : members.get(peer)?.line)
  return {
    id: office.meshId.toString(),
    name,
    ...policy,
    operator,
    self: {
      peer: self,
      role: self === operator ? 'operator' : office.isOut(self, line) ? 'revoked' : 'member',
      owner,
      invited_by: inviterOf(line),
      until_ms: finiteOrNull(chainExpiryMs(chain)),
      charges: standings.chargesOf(self),
    },
    members: members
      .all()
      .filter(({ peer, line }) => !office.isOut(peer, line))
      .map(({ line, addresses: _, ...member }) => ({
        ...member,
        own: member.owner === owner,
        invited_by: inviterOf(line),
        here: neighbours.get(member.peer) !== undefined,
        charges: standings.chargesOf(member.peer),
      })),
    revoked: revocations
      .all()
      .filter(({ peer, by }) => knownLineOf(peer)?.includes(by) ?? true)
      .map(({ peer, by, revokedMs }) => ({ peer, by, revoked_ms: revokedMs })),
  }
}
