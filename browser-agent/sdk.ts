/** `wayside` in a page: what it calls with. To lend, and to say where its files lie, there is `wayside/browser`. */
export type {
  CallLimits,
  CallOptions,
  CallReceipt,
  Context,
  ErrorCode,
  Fetcher,
  Fn,
  Grant,
  Grants,
  MapItem,
  MapOptions,
  Mesh,
  PageConnectOptions as ConnectOptions,
  Secret,
  State,
  Value,
} from './index.ts'
export { connect, fn, MeshError } from './index.ts'
