/** Agents of the product for pages under test: peers of this process on real connections, of one mesh. */
import { onTestFinished, vi } from 'vitest'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { createNodePorts } from '../../node/ports.ts'
import type { RelayStatus } from '../../node/relay-status.ts'
import { createPeer } from '../../peer/index.ts'
import { foundMesh, learnFirst, readInvitation } from '../../peer/join.ts'
import type { MeshState } from '../../peer/membership.ts'
import { LENDS_NOTHING } from '../../peer/owner-policy.ts'
import type { Peer } from '../../peer/peer.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Log } from '../../protocol/log.ts'
import type { Ports, Signer } from '../../protocol/ports.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { publish, requestOf, returned } from '../../scripts/test/world.ts'

export const eventually = (check: () => void | Promise<void>, timeout = 30_000) =>
  vi.waitFor(check, { timeout, interval: 50 })

export interface Agent {
  peer: Peer
  ports: Ports
  events: string[]
  mesh: MeshState
  relay(): RelayStatus
  ticket(): Promise<string>
  neighbours(): string[]
  /** By whoever of the mesh takes it. */
  doubled(value: number): Promise<unknown>
  stop(): Promise<void>
}

interface Wish {
  relay?: boolean
  /** Joins the mesh of this one. */
  of?: Agent
  signer?: Signer
  /** As that of an agent that was here before. */
  mesh?: MeshState
}

const stateFor = async (ports: Ports, of: Agent | undefined): Promise<MeshState> => {
  const privately = { admission: 'private', independence: 'peer' } as const
  if (!of) return foundMesh(ports, 'pages', privately)
  return learnFirst(ports, [await readInvitation(ports, await of.ticket())])
}

/** Lends nothing. */
export const agentOn = async (
  listen: readonly string[],
  { relay = false, of, signer, mesh: before }: Wish = {},
): Promise<Agent> => {
  const events: string[] = []
  const log: Log = { event: (name, { reason = '', code = '' } = {}) => void events.push(`${name} ${code} ${reason}`) }
  const own = signer ?? createSigner(generatePrivateKey())
  const ports = await createNodePorts({ signer: own, listen, relay, log })
  if (of) await ports.network.start()
  const mesh = before ?? (await stateFor(ports, of))
  const options = { mesh, policy: LENDS_NOTHING, engines: ENGINES, effects: [], diskBytes: 64 * MIB }
  const peer = await createPeer(ports, { ...options, sandboxIdleMs: 30_000, places: 64 })
  await peer.start()
  if (of) await peer.join(of.peer.addresses()[0] as string)
  onTestFinished(() => peer.stop())
  return {
    peer,
    ports,
    events,
    mesh,
    relay: () => ports.relaying?.status() as RelayStatus,
    ticket: () => peer.invite(60_000),
    neighbours: () => peer.status().neighbours.map((one) => one.peer),
    doubled: async (value) => {
      const published = await publish({ peer } as never, 'export default (x) => 2 * x')
      return returned(await peer.call(requestOf(published, value)))
    },
    stop: () => peer.stop(),
  }
}
