/** The SDK, for hosts: `node/sdk.ts` hands it its ports and exports the result as `wayside`. */
import { type ConnectOptions, connectWith } from './connect.ts'
import type { SdkHost } from './host.ts'
import type { Mesh } from './mesh.ts'

export type { ErrorCode } from '../protocol/errors.ts'
export { MeshError } from '../protocol/errors.ts'
export type { Grant, Grants } from '../protocol/grants.ts'
export type { Value } from '../protocol/values.ts'
export type { CallReceipt } from './answer.ts'
export type { CallLimits, CallOptions, MapOptions } from './call-options.ts'
export type { ConnectOptions } from './connect.ts'
export { type Fn, fn } from './fn.ts'
export type { Context, Fetcher, Secret, State } from './guest.ts'
export type { BundledSource, SdkHost } from './host.ts'
export type { MapItem } from './map-stream.ts'
export type { Mesh } from './mesh.ts'

export const createConnect =
  (host: SdkHost) =>
  (options?: ConnectOptions): Promise<Mesh> =>
    connectWith(host, options)
