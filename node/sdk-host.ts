/** What the SDK and the commands need of this machine: its agent, its ports, its bundler. */
import { availableParallelism } from 'node:os'
import { MeshError } from '../protocol/errors.ts'
import { MODULE_NAME } from '../sandbox/constants.ts'
import { ENGINES } from '../sandbox/engines.ts'
import type { SdkHost } from '../sdk/host.ts'
import { dataDirOf, readConfig } from './config.ts'
import { createControlBackend } from './control/backend.ts'
import { connectAgent } from './control/client.ts'

// What few need is imported by those who do: the bundler by who calls a source, a peer's ports by who has no agent.
export const sdkHost: SdkHost = {
  agent: async (data) => {
    try {
      return createControlBackend(await connectAgent(dataDirOf(data)))
    } catch (cause) {
      if (cause instanceof MeshError && cause.code === 'E_AGENT_NOT_RUNNING') return undefined
      throw cause
    }
  },
  member: async (data) => {
    const { openMember } = await import('./member.ts')
    const member = await openMember(readConfig({ data }))
    return member && (await import('../sdk/peer-backend.ts')).createPeerBackend(member.peer, member.homes)
  },
  ports: async ({ alone }) => {
    const { createNodePorts } = await import('./ports.ts')
    return createNodePorts({ listen: alone ? 'alone' : [] })
  },
  sandboxes: Math.max(1, Math.floor(availableParallelism() / 2)),
  engines: ENGINES,
  bundle: async (source) => {
    const { bundle, createStackReader } = await import('../sdk/bundle/index.ts')
    const built = await bundle(source)
    const { warnings, files } = built
    return { bundle: built, warnings, files, readStack: createStackReader(built, MODULE_NAME) }
  },
}
