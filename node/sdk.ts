/** `wayside` on Node: the SDK on this machine's ports, its agent and its bundler. */
import { availableParallelism } from 'node:os'
import { MeshError } from '../protocol/errors.ts'
import { MODULE_NAME } from '../sandbox/constants.ts'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import { createConnect, type SdkHost } from '../sdk/index.ts'
import { dataDirOf } from './config.ts'
import { createControlBackend } from './control/backend.ts'
import { connectAgent } from './control/client.ts'

export type {
  CallLimits,
  CallOptions,
  CallReceipt,
  ConnectOptions,
  ErrorCode,
  Fn,
  MapItem,
  MapOptions,
  Mesh,
  Value,
} from '../sdk/index.ts'
export { fn, MeshError } from '../sdk/index.ts'

// What few need is imported by those who do: the bundler by who calls a source, a peer's ports by who has no agent.
const host: SdkHost = {
  agent: async (data) => {
    try {
      return createControlBackend(await connectAgent(dataDirOf(data)))
    } catch (cause) {
      if (cause instanceof MeshError && cause.code === 'E_AGENT_NOT_RUNNING') return undefined
      throw cause
    }
  },
  ports: async ({ alone }) => {
    const { createNodePorts } = await import('./ports.ts')
    return createNodePorts({ listen: alone ? 'alone' : [] })
  },
  sandboxes: Math.max(1, Math.floor(availableParallelism() / 2)),
  engine: ENGINE_ID,
  bundle: async (source) => {
    const { bundle, sourcePositions } = await import('../sdk/bundle/index.ts')
    const built = await bundle(source)
    return { bundle: built, readStack: (stack) => sourcePositions(stack, built.map, MODULE_NAME) }
  },
}

export const connect = createConnect(host)
