/** A peer of this process that pages join: it lends nothing, and has them run what is asked of it. */
import { systemClock } from '../node/clock.ts'
import { createNodePorts } from '../node/ports.ts'
import { sdkHost } from '../node/sdk-host.ts'
import { createPeer } from '../peer/index.ts'
import { foundMesh } from '../peer/join.ts'
import { LENDS_NOTHING } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import { MIB, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { BackedMesh, type Mesh } from '../sdk/mesh.ts'
import { createPeerBackend } from '../sdk/peer-backend.ts'

export interface PageMesh {
  peer: Peer
  ports: Ports
  mesh: Mesh
  ticket: string
  /** Resolves once so many neighbours have said that they lend, with the wall-clock instant at which that was seen. */
  lenders(count: number): Promise<number>
}

const TICKET_MS = 60 * 60_000
const LOOK_EVERY_MS = 1
const WAIT_MS_MAX = 30_000

export const openPageMesh = async (listen: string): Promise<PageMesh> => {
  const ports = await createNodePorts({ listen: [listen] })
  const mesh = foundMesh(ports, 'bench', { admission: 'private', independence: 'peer' })
  const options = { mesh, policy: LENDS_NOTHING, engines: ENGINES, effects: [], diskBytes: 64 * MIB }
  const peer = await createPeer(ports, { ...options, sandboxIdleMs: 30_000, places: NEIGHBOURS_MAX })
  await peer.start()
  const lenders = async (count: number): Promise<number> => {
    const endMs = systemClock.monotonic() + WAIT_MS_MAX
    while (peer.status().neighbours.filter(({ slots }) => slots > 0).length < count) {
      if (systemClock.monotonic() > endMs) throw new Error(`fewer than ${count} pages lend after ${WAIT_MS_MAX} ms`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    return performance.timeOrigin + performance.now()
  }
  return {
    peer,
    ports,
    mesh: new BackedMesh(sdkHost, createPeerBackend(peer)),
    ticket: await peer.invite(TICKET_MS),
    lenders,
  }
}
