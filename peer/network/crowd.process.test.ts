/** Many connections, each within its own limits: what they hold together is bounded, and who wants nothing is let go. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { KIB } from '../../protocol/limits.ts'
import type { LogFields } from '../../protocol/log.ts'
import { eventually } from './conformance-scene.ts'
import { createLibp2pNetwork } from './libp2p.ts'
import { HELD_BYTES_MAX, IDLE_CONNECTION_MS } from './limits.ts'

const SLOW = '/test/slow'
const frames = { frameBytesMax: 64 * KIB }

const stage = async () => {
  const reported: (LogFields | undefined)[] = []
  const create = (listen: string[]) =>
    createLibp2pNetwork({
      signer: createSigner(generatePrivateKey()),
      listen,
      transports: [tcp()],
      clock: systemClock,
      log: { event: (name, fields) => void (name === 'peer.misbehaved' && reported.push(fields)) },
    })
  const host = await create(['/ip4/127.0.0.1/tcp/0'])
  // A receiver that is held up for ever: what comes stays where it is.
  const held = new Promise<void>(() => {})
  host.handle(SLOW, (channel) => channel.receive({ frame: () => held, closed: () => {} }), frames)
  host.handle(
    '/test/quick',
    (channel) => channel.receive({ frame: (f) => void channel.send(f), closed: () => {} }),
    frames,
  )
  await host.start()
  onTestFinished(() => host.stop())
  return { host, create, reported, address: host.addresses()[0] as string }
}

const stranger = async (address: string) => {
  const unlimited = { maxOutboundStreams: 1e6, maxInboundStreams: 1e6 }
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    connectionMonitor: { enabled: false },
    streamMuxers: [yamux(unlimited)],
  })
  onTestFinished(() => node.stop())
  const connection = await node.dial(multiaddr(address))
  return { connection, open: () => connection.newStream(SLOW, unlimited) }
}

test('a hundred times what one stream may leave unread: the heaviest connections end, as do those that open nothing; others are served', async () => {
  const { create, reported, address } = await stage()
  const friend = await create([])
  await friend.start()
  onTestFinished(() => friend.stop())
  const quick = await friend.open(await friend.connect(address), '/test/quick', frames)
  let answers = 0
  quick.receive({ frame: () => void answers++, closed: () => {} })
  const idle = await Promise.all(Array.from({ length: 20 }, () => stranger(address)))
  const idleSinceMs = performance.now()
  const crowd = await Promise.all(Array.from({ length: 8 }, () => stranger(address)))
  // Each fills the windows of as many streams as it may have: 8 times 60 MiB and more.
  const chunk = new Uint8Array(64 * KIB)
  for (const { connection, open } of crowd) {
    for (let i = 0; i < 60 && connection.status === 'open'; i++) {
      const stream = await open().catch(() => undefined)
      for (let sent = 0; stream && sent < 20; sent++) stream.send(chunk)
    }
    quick.send(new Uint8Array(10))
  }
  await eventually(() => expect(reported.length).toBeGreaterThan(0))
  expect(reported.every((fields) => fields?.code === 'E_MESSAGE_LIMIT' && fields.peer !== friend.peerId)).toBe(true)
  await eventually(() =>
    expect(crowd.filter(({ connection }) => connection.status !== 'open').length).toBeGreaterThan(0),
  )
  expect(process.memoryUsage().rss).toBeLessThan(8 * HELD_BYTES_MAX)
  quick.send(new Uint8Array(10))
  await eventually(() => expect(answers).toBe(9))
  await eventually(() => expect(idle.filter(({ connection }) => connection.status === 'open')).toEqual([]))
  expect(performance.now() - idleSinceMs).toBeGreaterThan(IDLE_CONNECTION_MS - 1500)
})
