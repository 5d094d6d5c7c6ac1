/** Peers of one connection: they call others, or execute here for their caller, and never execute for others. */
import { createPeer } from '../peer/index.ts'
import { foundMesh, type Invitation, learnFirst, readInvitation } from '../peer/join.ts'
import type { MeshState } from '../peer/membership.ts'
import { LENDS_NOTHING, type OwnerPolicy } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import { remoteHomesOf } from '../peer/remote-homes.ts'
import { MeshError } from '../protocol/errors.ts'
import { MIB, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { isTicketText } from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Backend } from './backend.ts'
import type { SdkHost } from './host.ts'
import { createPeerBackend } from './peer-backend.ts'

/** In memory: seven functions of the largest size, and a memo. */
const DISK_BYTES = 64 * MIB
/** A program that calls now and then keeps its sandbox warm; one that has stopped calling pays for none. */
const SANDBOX_IDLE_MS = 30_000

const openPeer = (host: SdkHost, ports: Ports, mesh: MeshState, policy: Partial<OwnerPolicy>) =>
  createPeer(ports, {
    mesh,
    policy: { ...LENDS_NOTHING, ...policy },
    engines: host.engines,
    effects: [],
    diskBytes: DISK_BYTES,
    sandboxIdleMs: SANDBOX_IDLE_MS,
    places: NEIGHBOURS_MAX,
  })

/** A mesh of its own that nobody can reach. */
export const createLonePeer = async (host: SdkHost): Promise<Backend> => {
  const ports = await host.ports({ alone: true })
  const mesh = foundMesh(ports, 'alone', { admission: 'private', independence: 'peer' })
  const peer = await openPeer(host, ports, mesh, { slots: host.sandboxes })
  await peer.start()
  return createPeerBackend(peer)
}

const invitationOf = (ports: Ports, text: string): Promise<Invitation> | Invitation =>
  isTicketText(text) ? readInvitation(ports, text) : { addresses: [text] }

/** A peer for the time of one program is nobody's machine. */
const ensurePlain = (invitations: readonly Invitation[]): void => {
  if (!invitations.some(({ ticket }) => ticket?.own)) return
  const message = 'this ticket is for `wayside up --own`; ask for one of `wayside invite` without --own'
  throw new MeshError('E_USAGE', message)
}

const ensureOneMesh = (invitations: readonly Invitation[]): void => {
  const meshes = new Set(invitations.flatMap(({ ticket }) => ticket?.mesh ?? []))
  if (meshes.size <= 1) return
  const message = `the tickets are for ${meshes.size} meshes (${[...meshes].join(', ')}); connect() once for each`
  throw new MeshError('E_MESH_MISMATCH', message)
}

/** The addresses of one invitation lead to one peer. */
const joinAt = async (peer: Peer, { addresses }: Invitation, signal?: AbortSignal): Promise<void> => {
  let last: unknown
  for (const address of addresses) {
    try {
      await peer.join(address, signal)
      return
    } catch (cause) {
      last = cause
    }
  }
  throw last
}

/** One neighbour is enough to begin with; calls wait a little for those that are being dialled. */
const joinAny = async (peer: Peer, invitations: readonly Invitation[], signal?: AbortSignal): Promise<void> => {
  try {
    await Promise.any(invitations.map((invitation) => joinAt(peer, invitation, signal)))
  } catch (cause) {
    throw (cause as AggregateError).errors.at(-1)
  }
}

/** With the peers that `deny` names it has no dealings. */
export const createJoinedPeer = async (
  host: SdkHost,
  join: readonly string[],
  { deny = [], signal }: { deny?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Promise<Backend> => {
  const ports = await host.ports({ alone: false })
  let stop = async () => {
    await ports.network.stop()
    await ports.storage.close()
  }
  try {
    const invitations = await Promise.all(join.map((text) => invitationOf(ports, text)))
    ensureOneMesh(invitations)
    ensurePlain(invitations)
    await ports.network.start()
    const mesh = await learnFirst(ports, invitations, signal)
    const peer = await openPeer(host, ports, mesh, { deny })
    stop = () => peer.stop()
    await peer.start()
    await joinAny(peer, invitations, signal)
    return createPeerBackend(peer, remoteHomesOf(ports, peer))
  } catch (cause) {
    await stop()
    throw signal?.aborted ? new MeshError('E_CANCELLED', 'the caller cancelled') : cause
  }
}
