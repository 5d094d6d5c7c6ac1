/** What large worlds count with (`simulations/level2/kademlia.ts`), on real peers over TCP on loopback. */
import { expect, onTestFinished, test } from 'vitest'
import { createPeer } from '../peer/index.ts'
import { foundMesh } from '../peer/join.ts'
import { createLibp2pNetwork } from '../peer/network/libp2p.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { CountedTcp } from '../scripts/test/counted-tcp.ts'
import { createCostModelHost } from '../simulations/cost-model.ts'
import { CONNECT_ROUND_TRIPS } from '../simulations/level2/kademlia.ts'
import { type Founder, membershipBy, openState, peerOptionsOf } from '../simulations/world.ts'
import { systemClock } from './clock.ts'
import { createCrypto, createSigner, generatePrivateKey } from './crypto.ts'
import { systemRandom } from './random.ts'

const log = { event: () => {} }
const HOUR_MS = 60 * 60_000

const hostOf = async () => {
  const signer = createSigner(generatePrivateKey())
  const tcp = new CountedTcp()
  const network = await createLibp2pNetwork({
    ...{ signer, clock: systemClock, log, listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp.transport],
  })
  return { signer, tcp, network }
}

type Host = Awaited<ReturnType<typeof hostOf>>

const founderOf = ({ signer, network }: Host): Founder => ({
  ...{ signer, peerId: network.peerId },
  mesh: foundMesh({ random: systemRandom, network }, 'trips', { admission: 'private', independence: 'peer' }),
})

const peerOn = async ({ signer, network }: Host, founder: Founder) => {
  const storage = createMemoryStorage()
  const sandboxHost = createCostModelHost(systemClock, () => 1)
  const here = { clock: systemClock, random: systemRandom, crypto: createCrypto(), storage, log, sandboxHost }
  const mesh = await membershipBy(here.crypto, founder, network.peerId, Date.now() + HOUR_MS)
  const peer = await createPeer({ ...here, signer, network }, peerOptionsOf({}, mesh, await openState(storage)))
  await peer.start()
  onTestFinished(() => peer.stop())
  return peer
}

test('two peers have shaken hands after as many round trips as are counted for them', async () => {
  const [one, other] = [await hostOf(), await hostOf()]
  const founder = founderOf(one)
  await peerOn(one, founder)
  const dialler = await peerOn(other, founder)
  await dialler.join(one.network.addresses()[0] as string)
  // SYN and its answer are the kernel's.
  expect(1 + other.tcp.depth / 2).toBe(CONNECT_ROUND_TRIPS)
})
