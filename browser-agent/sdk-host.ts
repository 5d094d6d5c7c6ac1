/** What the SDK needs of a page: its ports. There is no agent beside it, and it bundles no sources. */
import { MeshError } from '../protocol/errors.ts'
import { isTicketText } from '../protocol/mesh.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { readFunctionFile } from '../sdk/function-file.ts'
import type { SdkHost } from '../sdk/host.ts'
import type { PageAssets } from './assets.ts'
import { createPageCrypto, hasNativeEd25519 } from './crypto.ts'
import { claim, databaseOf, releasing } from './keeping.ts'
import { createPagePorts, type PagePorts } from './ports.ts'

const fetched = async (url: string): Promise<Uint8Array> => {
  try {
    const response = await fetch(url)
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
    throw new Error(`the server answers ${response.status}`)
  } catch (cause) {
    throw new MeshError('E_BUNDLE', `${url} could not be fetched: ${(cause as Error).message}`, { cause })
  }
}

/** Those of the peer that this origin was before, if it can be: else it begins anew, and keeps nothing. */
const callerPorts = async (assets: PageAssets, mesh: string): Promise<PagePorts> => {
  const verifying = createPageCrypto(await hasNativeEd25519(crypto.subtle))
  const database = await databaseOf('calls', mesh, verifying)
  const release = await claim(database, navigator.locks)
  if (!release) return createPagePorts(assets)
  try {
    return releasing(await createPagePorts({ ...assets, database }), release)
  } catch (cause) {
    release()
    if (cause instanceof MeshError && cause.code === 'E_STORAGE') return createPagePorts(assets)
    throw cause
  }
}

/** `join`: where it is a peer, for the peer that it is. */
export const createPageHost = (assets: PageAssets, join: readonly string[]): SdkHost => ({
  agent: async () => undefined,
  member: async () => undefined,
  ports: async ({ alone }) => {
    if (alone) throw new MeshError('E_USAGE', 'a page has no agent beside it: connect({ join: [TICKET] })')
    return callerPorts(assets, join.find(isTicketText) ?? '')
  },
  sandboxes: 1,
  engines: ENGINES,
  bundle: async (source) => {
    const url = new URL(source, document.baseURI).href
    const bundle = readFunctionFile(await fetched(url), url)
    return { bundle, warnings: [], files: [url], readStack: (text) => text }
  },
})
