/** What the SDK needs of a page: its ports. There is no agent beside it, and it bundles no sources. */
import { MeshError } from '../protocol/errors.ts'
import { ENGINES } from '../sandbox/engines.ts'
import type { SdkHost } from '../sdk/host.ts'
import { createPagePorts, type PagePortsOptions } from './ports.ts'

export type PageAssets = Pick<PagePortsOptions, 'workerUrl' | 'engineUrl'>

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
    const message = `${source} would have to be bundled, which a page cannot; name the function by its CID`
    throw new MeshError('E_BUNDLE', message)
  },
})
