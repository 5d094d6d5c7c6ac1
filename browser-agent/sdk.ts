/** `wayside` in a page: what it calls with. To lend, and to say where its files lie, there is `wayside/browser`. */
export type {
  CallLimits,
  CallOptions,
  CallReceipt,
  ErrorCode,
  Fn,
  MapItem,
  MapOptions,
  Mesh,
  PageConnectOptions as ConnectOptions,
  Value,
} from './index.ts'
export { connect, fn, MeshError } from './index.ts'
