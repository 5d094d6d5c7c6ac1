import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { Departed } from './departed.ts'
import { createLibp2pNetwork } from './libp2p.ts'
import { DEPARTED_PEERS_MAX } from './limits.ts'

const someone = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

test('of a hundred times as many as are remembered, those that left last are', async () => {
  const ids = await Promise.all(Array.from({ length: 800 }, someone))
  const kept = new Set<PeerId>(ids)
  const departed = new Departed(8, (peer) => kept.delete(peer))
  for (const peer of ids) {
    departed.came(peer)
    departed.left(peer)
  }
  expect([...kept]).toEqual(ids.slice(-8))
})

test('who is back is not forgotten', async () => {
  const [first, second, third] = await Promise.all([someone(), someone(), someone()])
  const forgotten: PeerId[] = []
  const departed = new Departed(1, (peer) => forgotten.push(peer))
  departed.left(first)
  departed.came(first)
  departed.left(second)
  expect(forgotten).toEqual([])
  departed.left(third)
  expect(forgotten).toEqual([second])
})

test('libp2p knows no more of them than that', async () => {
  interface Store {
    all(): Promise<{ id: PeerId }[]>
    merge(peer: PeerId, data: object): Promise<unknown>
  }
  let store: Store | undefined
  let emit: (name: 'peer:disconnect', peer: PeerId) => void = () => {}
  const spy = ({ peerStore, events }: { peerStore: Store; events: EventTarget }) => {
    store = peerStore
    emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }))
    return {}
  }
  const network = await createLibp2pNetwork({
    signer: createSigner(generatePrivateKey()),
    listen: [],
    transports: [tcp()],
    services: { spy } as never,
    clock: systemClock,
    log: { event: () => {} },
  })
  await network.start()
  onTestFinished(() => network.stop())
  for (let n = 0; n < DEPARTED_PEERS_MAX + 50; n++) {
    const peer = await someone()
    await store?.merge(peer, { multiaddrs: [] })
    emit('peer:disconnect', peer)
  }
  await vi.waitFor(async () => expect(await store?.all()).toHaveLength(DEPARTED_PEERS_MAX), 20_000)
})
