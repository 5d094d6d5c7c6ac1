/** What an origin keeps for a mesh, and which of its pages has it: a peer is in one place at a time. */
import { readForMember } from '../peer/join.ts'
import { isTicketText } from '../protocol/mesh.ts'
import type { Crypto, Ports } from '../protocol/ports.ts'
import type { Locks } from './guest/lead.ts'

/** Who lends and who calls are two peers: both may be here at once. */
export type Role = 'lends' | 'calls'

const NAMES: Record<Role, string> = { lends: 'wayside', calls: 'wayside-calls' }

/** A peer has one key and one storage for each mesh; `mesh` is a ticket, or a multiaddr. Throws MeshError E_TICKET. */
export const databaseOf = async (role: Role, mesh: string, crypto: Crypto): Promise<string> => {
  if (!isTicketText(mesh)) return NAMES[role]
  const { ticket } = await readForMember({ crypto }, mesh)
  return `${NAMES[role]}/${ticket?.mesh}`
}

/** So long a page that was reloaded may take to let go of what it had, and so long a second tab waits for nothing. */
const CLAIM_MS = 500

/** What gives it back; undefined if another page has it, or this one may have no locks. */
export const claim = async (database: string, locks: Locks): Promise<(() => void) | undefined> => {
  const over = Promise.withResolvers<void>()
  return new Promise((resolve) => {
    const held = () => {
      resolve(over.resolve)
      return over.promise
    }
    locks.request(database, { signal: AbortSignal.timeout(CLAIM_MS) }, held).catch(() => resolve(undefined))
  })
}

/** `ports`, whose storage lets go of what was claimed when it is closed. */
export const releasing = <P extends Pick<Ports, 'storage'>>(ports: P, release: () => void): P => {
  const { storage } = ports
  const close = () => storage.close().finally(release)
  return { ...ports, storage: { ...storage, close } }
}
