/** Who carries out a call: the agent of this machine; without one a peer in this process, or the sandbox here alone. */
import { MeshError } from '../../protocol/errors.ts'
import type { Backend } from '../../sdk/backend.ts'
import type { AgentStatus } from '../agent.ts'
import { type Config, dataDirOf, readConfig } from '../config.ts'
import { createControlBackend } from '../control/backend.ts'
import { type AgentClient, connectAgent } from '../control/client.ts'
import { sdkHost } from '../sdk-host.ts'
import { whileWaiting } from './terminal.ts'

export interface OpenedBackend {
  backend: Backend
  /** A later command of the same data directory has the key that asked for what is durable, and finds it. */
  findsLater: boolean
  /** Other peers that calls may go to, as far as is known now. */
  neighbours(): Promise<number>
}

const agentOf = async (data: string): Promise<AgentClient | undefined> => {
  try {
    return await connectAgent(data)
  } catch (cause) {
    if (cause instanceof MeshError && cause.code === 'E_AGENT_NOT_RUNNING') return undefined
    throw cause
  }
}

const overAgent = (client: AgentClient): OpenedBackend => ({
  backend: createControlBackend(client),
  findsLater: true,
  neighbours: async () => {
    const { status } = await client.ask({ t: 'status' }, 'status')
    return (status as unknown as AgentStatus).neighbours.length
  },
})

const inProcess = (backend: Backend, neighbours: number): OpenedBackend => ({
  backend,
  findsLater: false,
  neighbours: async () => neighbours,
})

/** The mesh that an agent of this data directory belonged to, if somebody of it answers. */
const asMember = async (config: Config): Promise<OpenedBackend | undefined> => {
  const { openMember } = await import('../member.ts')
  const member = await openMember(config)
  if (!member) return undefined
  const { peer, homes } = member
  const { createPeerBackend } = await import('../../sdk/peer-backend.ts')
  return {
    backend: createPeerBackend(peer, homes),
    findsLater: true,
    neighbours: async () => peer.status().neighbours.length,
  }
}

/** Throws what joining throws. With `local` nothing but the sandbox is touched. */
export const openBackend = async (config: Config, local: boolean, signal: AbortSignal): Promise<OpenedBackend> => {
  const client = local ? undefined : await agentOf(config.data)
  if (client) return overAgent(client)
  const ownPeers = () => import('../../sdk/own-peer.ts')
  if (!local && config.join.length > 0) {
    const joining = (await ownPeers()).createJoinedPeer(sdkHost, config.join, { deny: config.deny, signal })
    return inProcess(await whileWaiting('for a peer of the mesh to answer', joining), 1)
  }
  const member = local ? undefined : await whileWaiting('for the peers of the mesh', asMember(config))
  return member ?? inProcess(await (await ownPeers()).createLonePeer(sdkHost), 0)
}

/** What keeps the durable invocations of this data directory: its agent, or homes in reach. Throws MeshError E_AGENT_NOT_RUNNING. */
export const openKeeper = async (flags: { data?: string }): Promise<Backend> => {
  try {
    return createControlBackend(await connectAgent(dataDirOf(flags.data)))
  } catch (cause) {
    if (!(cause instanceof MeshError) || cause.code !== 'E_AGENT_NOT_RUNNING') throw cause
    const member = await asMember(readConfig({ ...(flags.data !== undefined && { data: flags.data }) }))
    if (!member) throw cause
    return member.backend
  }
}
