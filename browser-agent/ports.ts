/** The ports of one peer in a page. */
import { createMemoryStorage } from '../peer/storage/memory.ts'
import type { Log } from '../protocol/log.ts'
import type { Ports, Signer, Storage } from '../protocol/ports.ts'
import type { PageAssets } from './assets.ts'
import { createPageClock } from './clock.ts'
import { createPageCrypto, hasNativeEd25519 } from './crypto.ts'
import { openPageDatabase } from './database.ts'
import { countCarried } from './guest/carried.ts'
import { freshIdentity, openIdentity } from './identity.ts'
import { createPageNetwork } from './network.ts'
import { pageRandom } from './random.ts'
import { createPageSandboxHost, type PageSandboxHost } from './sandbox-host.ts'
import { createPageStorage } from './storage.ts'

export interface PagePortsOptions extends PageAssets {
  /** The IndexedDB database of this peer: its key and what it keeps. Without it a fresh key, and memory. */
  database?: string
  /** Told that sandboxes have computed so many ms more. */
  computed?: (cpuMs: number) => void
  /** Told that so many bytes more were sent or received. */
  carried?: (bytes: number) => void
  log?: Log
}

export interface PagePorts extends Ports {
  sandboxHost: PageSandboxHost
}

const SILENT: Log = { event() {} }

const groundOf = async (
  database: string | undefined,
  native: boolean,
): Promise<{ signer: Signer; storage: Storage }> => {
  if (database === undefined) return { signer: await freshIdentity(native), storage: createMemoryStorage() }
  const opened = await openPageDatabase(database)
  return { signer: await openIdentity(opened, native), storage: createPageStorage(opened) }
}

/** Throws MeshError E_STORAGE. */
export const createPagePorts = async (options: PagePortsOptions): Promise<PagePorts> => {
  const { database, workerUrl, engineUrl, tierUrl, computed, carried, log = SILENT } = options
  const native = await hasNativeEd25519(crypto.subtle)
  const { signer, storage } = await groundOf(database, native)
  const clock = createPageClock(workerUrl)
  const { network, relaying } = await createPageNetwork({ signer, clock, log })
  return {
    clock,
    random: pageRandom,
    crypto: createPageCrypto(native),
    signer,
    storage,
    network: carried ? countCarried(network, clock, carried) : network,
    relaying,
    sandboxHost: createPageSandboxHost({ workerUrl, engineUrl, tierUrl, ...(computed && { computed }) }),
    log,
  }
}
