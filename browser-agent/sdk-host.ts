/** What the SDK needs of a page: its ports. There is no agent beside it, and it bundles no sources. */
import { MeshError } from '../protocol/errors.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { readFunctionFile } from '../sdk/function-file.ts'
import type { SdkHost } from '../sdk/host.ts'
import type { PageAssets } from './assets.ts'
import { createPagePorts } from './ports.ts'

const fetched = async (url: string): Promise<Uint8Array> => {
  try {
    const response = await fetch(url)
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
    throw new Error(`the server answers ${response.status}`)
  } catch (cause) {
    throw new MeshError('E_BUNDLE', `${url} could not be fetched: ${(cause as Error).message}`, { cause })
  }
}

export const createPageHost = (assets: PageAssets): SdkHost => ({
  agent: async () => undefined,
  member: async () => undefined,
  ports: async ({ alone }) => {
    if (alone) throw new MeshError('E_USAGE', 'a page has no agent beside it: connect({ join: [TICKET] })')
    return createPagePorts(assets)
  },
  sandboxes: 1,
  engines: ENGINES,
  bundle: async (source) => {
    const url = new URL(source, document.baseURI).href
    const bundle = readFunctionFile(await fetched(url), url)
    return { bundle, warnings: [], files: [url], readStack: (text) => text }
  },
})
