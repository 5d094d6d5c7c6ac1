/** `wayside/browser`: a page as a peer. */
import { connectWith } from '../sdk/connect.ts'
import type { Mesh } from '../sdk/mesh.ts'
import type { PageAgent } from './agent.ts'
import type { LendingLimits } from './agent-view.ts'
import { assets, type PageAssets } from './assets.ts'
import { createPageHost } from './sdk-host.ts'

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
  Secret,
  State,
  Value,
} from '../sdk/index.ts'
export { fn, MeshError } from '../sdk/index.ts'
export type { PageAgent } from './agent.ts'
export type { AgentView, LendingLimits, PauseReason, RunningTask } from './agent-view.ts'

export interface PageConnectOptions extends Partial<PageAssets> {
  /** Tickets or multiaddrs that this page can dial. The page is a peer of that mesh until the connection is closed. */
  join: readonly string[]
  /** Gives up with E_CANCELLED. */
  signal?: AbortSignal
}

/**
 * A peer in this page that calls others and never executes for them, so that nobody has to be asked. At each visit it is the
 * same one, and knows what it saw of others: its key and that are in this origin's IndexedDB, one for each mesh. A second
 * page that is open beside it, and one that may keep nothing, is another peer each time.
 * Throws MeshError: E_USAGE, E_CANCELLED, E_TICKET, E_TICKET_EXPIRED, E_ADDRESS, E_UNREACHABLE, E_NOT_ADMITTED.
 */
export const connect = ({ join, signal, ...given }: PageConnectOptions): Promise<Mesh> =>
  connectWith(createPageHost({ ...assets, ...given }, join), { join, ...(signal && { signal }) })

export interface PageLendOptions extends Partial<PageAssets> {
  /** A ticket of the mesh; or a multiaddr, for a public one. */
  mesh: string
  /** PeerIds whose work this page runs; or `mesh`, `self`. */
  accept: readonly string[]
  limits?: Partial<LendingLimits>
}

/**
 * Lends this page's machine. Call it when the person in front of it has agreed: here, in the site's own code, nobody else
 * sees to that, as the frame of <wayside-agent> does. Throws MeshError E_USAGE, E_TICKET or E_STORAGE; what goes wrong
 * afterwards is in the view.
 */
export const lend = async ({ mesh, accept, limits = {}, ...given }: PageLendOptions): Promise<PageAgent> => {
  const { startPageAgent } = await import('./agent.ts')
  return startPageAgent({ ...assets, ...given, mesh, accept, limits })
}
