/** Joining a mesh for the first time: learn its genesis record from a peer, and earn a membership with a ticket. */
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { PEER_PROTOCOL } from '../protocol/frames.ts'
import { FRAME_BYTES_MAX } from '../protocol/limits.ts'
import { type ChainFor, Genesis, isOwnMachine, meshIdOf, ticketFromText, verifyChain } from '../protocol/mesh.ts'
import type { Clock, Ports } from '../protocol/ports.ts'
import { vouchesIn } from '../protocol/vouches.ts'
import { type Handshaken, shakeHands } from './handshake.ts'
import type { MeshState } from './membership.ts'

type JoinPorts = Pick<Ports, 'crypto' | 'clock' | 'log' | 'network'>

/** Where to join: addresses to try in order, and the ticket to show (none: only a public mesh can be joined). */
export interface Invitation {
  addresses: string[]
  ticket?: { signed: Envelope; mesh: string; inviter: string; own: boolean }
}

/** A ticket as text, opened. Throws MeshError E_TICKET or E_TICKET_EXPIRED. */
export const readInvitation = async (
  ports: { crypto: Ports['crypto']; clock: Pick<Clock, 'now'> },
  text: string,
): Promise<Invitation> => {
  const { ticket, signed } = await ticketFromText(ports.crypto, text, ports.clock.now())
  const { addresses, inviter, own } = ticket
  return { addresses, ticket: { signed, mesh: ticket.mesh.toString(), inviter, own } }
}

/** By a peer that knows of no revocation yet. */
export const chainFor = (
  { crypto, clock }: Pick<Ports, 'crypto' | 'clock'>,
  genesis: Genesis,
  peer: string,
): ChainFor => ({
  ...{ mesh: meshIdOf(crypto, genesis), operator: genesis.operator, peer, nowMs: clock.now() },
  isRevoked: () => false,
})

/** Does what was issued hold, and make us what the ticket says? An owner's machines trust each other. */
const ensureIssued = async (ports: JoinPorts, genesis: Genesis, chain: readonly Envelope[], own: boolean) => {
  await verifyChain(ports.crypto, chain, chainFor(ports, genesis, ports.network.peerId))
  if (isOwnMachine(chain) === own) return
  throw new MeshError('E_NOT_ADMITTED', 'the inviter signed another membership than its ticket promises')
}

const stateFrom = async (ports: JoinPorts, invitation: Invitation, shaken: Handshaken): Promise<MeshState> => {
  const genesis = Genesis.decode(shaken.hello.genesis)
  const mesh = meshIdOf(ports.crypto, genesis).toString()
  if (invitation.ticket && invitation.ticket.mesh !== mesh) {
    throw new MeshError(
      'E_MESH_MISMATCH',
      `the ticket is for mesh ${invitation.ticket.mesh}, but the peer there belongs to ${mesh}`,
    )
  }
  if (!invitation.ticket && genesis.policy.admission !== 'public') {
    throw new MeshError(
      'E_NOT_ADMITTED',
      'this mesh is private; a bare address does not admit to it, ask a member for a ticket',
    )
  }
  if (genesis.policy.admission === 'public') {
    const chain = await vouchesIn(ports.crypto, shaken.received, chainFor(ports, genesis, ports.network.peerId))
    return { genesis, chain }
  }
  if (invitation.ticket) await ensureIssued(ports, genesis, shaken.received, invitation.ticket.own)
  return { genesis, chain: shaken.received }
}

const learnAt = async (
  ports: JoinPorts,
  address: string,
  invitation: Invitation,
  signal?: AbortSignal,
): Promise<MeshState> => {
  const peer = await ports.network.connect(address, signal)
  const channel = await ports.network.open(peer, PEER_PROTOCOL, { frameBytesMax: FRAME_BYTES_MAX }, signal)
  const { ticket } = invitation
  const shaken = await new Promise<Handshaken>((resolve, reject) => {
    const introduction = {
      hello: () => ({
        agent: 'wayside',
        genesis: new Uint8Array(),
        credential: ticket ? { by: 'ticket' as const, ticket: ticket.signed } : { by: 'none' as const },
      }),
      admit: async () => ({ member: true, own: false, issued: [], chain: [] }),
    }
    const done = (result: Handshaken) => {
      result.link.receive({ frame: () => {}, closed: () => {} })
      resolve(result)
    }
    shakeHands({ ...ports, waiting: { bytes: 0 } }, channel, introduction, done, reject)
  })
  try {
    return await stateFrom(ports, invitation, shaken)
  } finally {
    channel.close()
    await ports.network.disconnect(peer)
  }
}

/** From the first that does not throw. Throws what the last one met with. */
const fromFirst = async <T>(all: readonly T[], learn: (one: T) => Promise<MeshState>): Promise<MeshState> => {
  let last: unknown
  for (const one of all) {
    try {
      return await learn(one)
    } catch (cause) {
      last = cause
    }
  }
  throw last
}

/**
 * Asks the peers of an invitation, one after another, for the mesh's genesis and (with a ticket) a membership.
 * The network must be started. Throws the last peer's MeshError if none lets us in.
 */
export const learnMesh = async (ports: JoinPorts, invitation: Invitation, signal?: AbortSignal): Promise<MeshState> =>
  fromFirst(invitation.addresses, (address) => learnAt(ports, address, invitation, signal))

/** From the first of several invitations that somebody answers. Throws what the last one met with. */
export const learnFirst = async (
  ports: JoinPorts,
  invitations: readonly Invitation[],
  signal?: AbortSignal,
): Promise<MeshState> => fromFirst(invitations, (invitation) => learnMesh(ports, invitation, signal))

/** A new mesh whose operator is this peer. */
export const foundMesh = (
  ports: Pick<Ports, 'random' | 'network'>,
  name: string,
  policy: Genesis['policy'],
): MeshState => ({
  genesis: { v: 1, name, operator: ports.network.peerId, policy, nonce: ports.random.bytes(16) },
  chain: [],
})

/** A ticket that has expired still names its mesh and addresses, which is all that a member needs of it. */
export const readForMember = (ports: Pick<Ports, 'crypto'>, text: string): Promise<Invitation> =>
  readInvitation({ crypto: ports.crypto, clock: { now: () => 0 } }, text)

/** Does what is kept still make `peer` a member? */
export const isMember = async (
  ports: Pick<Ports, 'crypto' | 'clock'>,
  { genesis, chain }: MeshState,
  peer: string,
): Promise<boolean> => {
  if (genesis.policy.admission === 'public') return true
  return verifyChain(ports.crypto, chain, chainFor(ports, genesis, peer)).then(
    () => true,
    () => false,
  )
}

const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 60_000

/** Tries until it succeeds, or `over`, waiting longer and longer; `failed` is told of each failure. */
export const keepTrying = (
  attempt: () => Promise<unknown>,
  clock: Clock,
  over: AbortSignal,
  failed: (cause: unknown) => void = () => {},
  delayMs = RETRY_MS_MIN,
): void => {
  attempt().catch((cause) => {
    if (over.aborted) return
    failed(cause)
    const again = () => keepTrying(attempt, clock, over, failed, Math.min(RETRY_MS_MAX, 2 * delayMs))
    over.addEventListener('abort', clock.after(delayMs, again), { once: true })
  })
}
