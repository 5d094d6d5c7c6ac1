/** The demo as a home: a peer of the mesh that lends nothing, with the ray tracer published. */
import { fileURLToPath } from 'node:url'
import { sdkHost } from '../../node/sdk-host.ts'
import type { Backend } from '../../sdk/backend.ts'
import { functionBundleOf } from '../../sdk/function-bundle.ts'
import { createJoinedPeer } from '../../sdk/own-peer.ts'

const SOURCE = fileURLToPath(new URL('../../examples/raytracer/tile.ts', import.meta.url))

export const connectHome = async (ticket: string): Promise<{ backend: Backend; functionCid: string }> => {
  const [backend, { bundle }] = await Promise.all([createJoinedPeer(sdkHost, [ticket]), sdkHost.bundle(SOURCE)])
  const { cid } = await backend.publish(functionBundleOf(bundle))
  return { backend, functionCid: cid }
}
