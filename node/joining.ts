/** Which mesh a peer of this machine belongs to: the one it kept, the one it is invited to, or a new one. */
import {
  chainFor,
  foundMesh,
  type Invitation,
  isMember,
  learnFirst,
  readForMember,
  readInvitation,
} from '../peer/join.ts'
import { MeshError } from '../protocol/errors.ts'
import { isOwnMachine, isTicketText, meshIdOf } from '../protocol/mesh.ts'
import type { MeshRecord } from '../protocol/mesh-record.ts'
import type { Ports } from '../protocol/ports.ts'
import { vouchesIn } from '../protocol/vouches.ts'
import { shownDataDir } from './data-dir.ts'
import { solitaryNetwork } from './solitary-network.ts'

type JoinPorts = Pick<Ports, 'crypto' | 'clock' | 'random'>

const invitationOf = async (ports: JoinPorts, text: string, isMember: boolean): Promise<Invitation> => {
  if (!isTicketText(text)) return { addresses: [text] }
  return isMember ? readForMember(ports, text) : readInvitation(ports, text)
}

/** An owner's machines trust each other: so both sides say that they are that. */
const ensureOwnIsMeant = (invitations: readonly Invitation[], own: boolean) => {
  const other = invitations.find(({ ticket }) => ticket && ticket.own !== own)?.ticket
  if (!other) return
  throw new MeshError(
    'E_USAGE',
    own
      ? 'this ticket is not for a machine of the same owner; ask for one of `wayside invite --own`, or leave --own out'
      : `this ticket makes this machine one of those whose owner is that of ${other.inviter}, which trust each other's answers; add --own if you are that owner`,
  )
}

const ensureOneMesh = (invitations: readonly Invitation[]) => {
  const meshes = new Set(invitations.flatMap(({ ticket }) => ticket?.mesh ?? []))
  if (meshes.size <= 1) return
  const message = `the tickets are for ${meshes.size} meshes (${[...meshes].join(', ')}); an agent belongs to one, run another with --data DIR`
  throw new MeshError('E_MESH_MISMATCH', message)
}

const ensureSameMesh = (ports: JoinPorts, kept: MeshRecord, invitations: readonly Invitation[], data: string) => {
  const mesh = meshIdOf(ports.crypto, kept.genesis).toString()
  const other = invitations.find(({ ticket }) => ticket && ticket.mesh !== mesh)?.ticket
  if (!other) return
  const { shown, flag } = shownDataDir(data)
  const message = `${shown} belongs to mesh ${mesh}, the ticket is for mesh ${other.mesh}; join that one from another directory with --data DIR, or leave this mesh for good with \`wayside down --erase${flag}\` first`
  throw new MeshError('E_MESH_MISMATCH', { message, mesh, ticket: other.mesh })
}

/**
 * Its memberships. On a public mesh, with that of an inviter who has not vouched for it yet; one that does not answer, or whose
 * ticket has expired, is asked again at the next start.
 */
const vouchedFor = async (
  ports: JoinPorts,
  { genesis, chain }: MeshRecord,
  invitations: readonly Invitation[],
  self: string,
  dial: Dial,
  signal?: AbortSignal,
): Promise<MeshRecord['chain']> => {
  if (genesis.policy.admission !== 'public') return chain
  const held = await vouchesIn(ports.crypto, chain, chainFor(ports, genesis, self))
  const isNew = ({ ticket }: Invitation) => ticket && !held.some(({ signer }) => signer === ticket.inviter)
  const inviting = invitations.filter(isNew)
  if (inviting.length === 0) return held
  const learnt = await dial((ports) => learnFirst(ports, inviting, signal)).catch((cause) => {
    if (cause instanceof MeshError) return { chain: [] }
    throw cause
  })
  return vouchesIn(ports.crypto, [...learnt.chain, ...held], chainFor(ports, genesis, self))
}

/** A network that dials, for the time of `learn`. */
export type Dial = <T>(use: (ports: Parameters<typeof learnFirst>[0]) => Promise<T>) => Promise<T>

export interface Belonging {
  data: string
  /** The PeerId of this machine. */
  self: string
  kept: MeshRecord | undefined
  /** Tickets and multiaddrs. */
  join: readonly string[]
  /** As a machine of the inviter's owner. */
  own: boolean
  /** Of a mesh that is founded here. */
  name: string
}

/**
 * The mesh to belong to and the addresses to dial. Throws MeshError E_MESH_MISMATCH (another mesh than the one kept),
 * E_TICKET, E_TICKET_EXPIRED, E_NOT_ADMITTED, or why nobody could be reached.
 */
export const chooseMesh = async (
  ports: JoinPorts,
  wanted: Belonging,
  dial: Dial,
  signal?: AbortSignal,
): Promise<MeshRecord> => {
  const { kept, join, self, own } = wanted
  // Who is a member already, and has a ticket to be one of an owner's machines, uses it.
  const isThat = kept !== undefined && (!own || join.length === 0 || isOwnMachine(kept.chain))
  const member = isThat && (await isMember(ports, kept, self))
  const invitations = await Promise.all(join.map((text) => invitationOf(ports, text, member)))
  ensureOneMesh(invitations)
  if (!member) ensureOwnIsMeant(invitations, own)
  const named = invitations.flatMap(({ addresses }) => addresses)
  if (kept) ensureSameMesh(ports, kept, invitations, wanted.data)
  if (kept && (member || invitations.length === 0)) {
    const chain = await vouchedFor(ports, kept, invitations, self, dial, signal)
    return { ...kept, chain, addresses: [...new Set([...named, ...kept.addresses])] }
  }
  if (invitations.length > 0)
    return { ...(await dial((ports) => learnFirst(ports, invitations, signal))), addresses: named }
  const policy = { admission: 'private', independence: 'peer' } as const
  return { ...foundMesh({ random: ports.random, network: solitaryNetwork(self) }, wanted.name, policy), addresses: [] }
}
