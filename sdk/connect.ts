/** Connecting: to the agent of this machine, or as a peer of one's own that lends nothing. */
import { MeshError } from '../protocol/errors.ts'
import type { SdkHost } from './host.ts'
import { BackedMesh, type Mesh } from './mesh.ts'

export interface ConnectOptions {
  /** Tickets or multiaddrs. This process then is a peer of that mesh, with a key of its own, for as long as it is connected. */
  join?: readonly string[]
  /** The data directory of the local agent, if it is not the usual one. */
  data?: string
  /** Gives up with E_CANCELLED. */
  signal?: AbortSignal
}

const ensureOptions = ({ join = [], data }: ConnectOptions): void => {
  const wrong = join.findIndex((one) => typeof one !== 'string' || one === '')
  if (wrong >= 0) {
    const message = `join[${wrong}] is ${join[wrong] === '' ? 'empty' : String(join[wrong])}; give a ticket (wayside1…) or a multiaddr`
    throw new MeshError('E_USAGE', { message, option: 'join' })
  }
  if (join.length > 0 && data !== undefined) {
    throw new MeshError('E_USAGE', 'data names the local agent and join passes it by; give one of them')
  }
}

/**
 * With `join`: a peer in this process that calls others and never executes for them. Without: the agent of this
 * machine; if none runs, a peer that calls as it would, when members of its mesh are found on the local network or where they
 * were; else calls execute in a sandbox here and their receipts say `local`, unless `remote` forbids it.
 * Throws MeshError: E_USAGE, E_CANCELLED, E_TICKET, E_TICKET_EXPIRED, E_ADDRESS, E_UNREACHABLE, E_NOT_ADMITTED.
 */
export const connectWith = async (host: SdkHost, options: ConnectOptions = {}): Promise<Mesh> => {
  ensureOptions(options)
  const { join = [], data, signal } = options
  if (signal?.aborted) throw new MeshError('E_CANCELLED', 'the caller cancelled')
  const belonging = join.length === 0 ? ((await host.agent(data)) ?? (await host.member(data))) : undefined
  if (belonging) return new BackedMesh(host, belonging)
  // A peer is much to load for those who have an agent.
  const { createLonePeer, createJoinedPeer } = await import('./own-peer.ts')
  return new BackedMesh(
    host,
    join.length === 0 ? await createLonePeer(host) : await createJoinedPeer(host, join, { signal }),
  )
}
