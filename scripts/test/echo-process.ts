/** A process whose network echoes frames of `/test/echo`, for tests that kill it or mistreat it. Speaks over IPC. */
import { tcp } from '@libp2p/tcp'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { createLibp2pNetwork } from '../../peer/network/libp2p.ts'

/** What it sends when it has started, and in answer to any number it is sent. */
export interface EchoState {
  /** The number asked with; 0 at the start. */
  asked: number
  address: string
  rssBytes: number
  /** Channels accepted and not yet closed. */
  channels: number
  misbehaved: number
}

let channels = 0
let misbehaved = 0
const network = await createLibp2pNetwork({
  signer: createSigner(generatePrivateKey()),
  listen: ['/ip4/127.0.0.1/tcp/0'],
  transports: [tcp()],
  clock: systemClock,
  log: {
    event: (name) => {
      if (name === 'peer.misbehaved') misbehaved += 1
    },
  },
})
network.handle(
  '/test/echo',
  (channel) => {
    channels += 1
    channel.receive({
      frame: (frame) => (channel.send(frame) ? undefined : channel.drained()),
      closed: () => {
        channels -= 1
      },
    })
  },
  { frameBytesMax: 1024 * 1024 },
)
await network.start()

const report = (asked: number) => {
  const [address = ''] = network.addresses()
  const state: EchoState = { asked, address, rssBytes: process.memoryUsage.rss(), channels, misbehaved }
  process.send?.(state)
}
process.on('message', report)
process.on('disconnect', () => process.exit())
report(0)
