/** `wayside` on Node: the SDK on this machine's ports, its agent and its bundler. */
import { createConnect } from '../sdk/index.ts'
import { sdkHost } from './sdk-host.ts'

export type {
  CallLimits,
  CallOptions,
  CallReceipt,
  ConnectOptions,
  Context,
  ErrorCode,
  Fetcher,
  Fn,
  Grant,
  Grants,
  MapItem,
  MapOptions,
  Mesh,
  Secret,
  State,
  Value,
} from '../sdk/index.ts'
export { fn, MeshError } from '../sdk/index.ts'

export const connect = createConnect(sdkHost)
