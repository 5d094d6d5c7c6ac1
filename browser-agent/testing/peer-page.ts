/** In a page: a whole peer that lends, for questions from a test. `?no-webrtc`: in a browser without WebRTC. */
import { createPeer } from '../../peer/index.ts'
import { learnFirst, readInvitation } from '../../peer/join.ts'
import { LENDS_NOTHING } from '../../peer/owner-policy.ts'
import type { Peer } from '../../peer/peer.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Log } from '../../protocol/log.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { createPagePorts } from '../ports.ts'

const events: string[] = []
const log: Log = { event: (name, { reason = '' } = {}) => void events.push(`${name} ${reason}`) }

let peer: Peer

const start = async (ticket: string, kinds: string): Promise<string> => {
  const ports = await createPagePorts({ workerUrl: '/worker.js', engineUrl: '/engine.wasm', tierUrl: '/tier.js', log })
  const invited = await readInvitation(ports, ticket)
  const invitation = { ...invited, addresses: invited.addresses.filter((one) => new RegExp(kinds).test(one)) }
  await ports.network.start()
  const mesh = await learnFirst(ports, [invitation])
  peer = await createPeer(ports, {
    mesh,
    policy: { ...LENDS_NOTHING, accept: ['mesh'], slots: 1, memoryBytes: 64 * MIB },
    engines: ENGINES,
    effects: [],
    diskBytes: 64 * MIB,
    sandboxIdleMs: 30_000,
    places: 16,
  })
  await peer.start()
  await peer.join(invitation.addresses[0] as string)
  return peer.peerId
}

Object.assign(globalThis, {
  lending: {
    start,
    join: (address: string) => peer.join(address),
    addresses: async () => peer.addresses(),
    neighbours: async () => peer.status().neighbours.map((one) => one.peer),
    running: async () => peer.status().running.filter(({ state }) => state === 'running').length,
    events: async () => events,
    stop: () => peer.stop(),
  },
})
