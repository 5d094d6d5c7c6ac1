/** WebRTC on Node, for pages: they can dial no TCP, and no `ws:` from a page that came by https. Its native part comes with npm. */
import { createSocket } from 'node:dgram'
import { privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Listener, PrivateKey } from '@libp2p/interface'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import type { Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import { CONNECTIONS_PENDING_MAX } from '../peer/network/limits.ts'
import { onOneChannel } from '../peer/network/webrtc-carrier.ts'
import type { Storage } from '../protocol/ports.ts'

type Create = Libp2pNetworkOptions['transports'][number]

/** No third party is asked where this machine is: candidates are its own addresses. */
const RTC = { rtcConfiguration: { iceServers: [] } }
/** Browsers take any. The package's clock for its renewal, a day before, counts to 24.8 days. */
const CERTIFICATE_MS = 24 * 24 * 60 * 60_000

const PREFIX = 'node/webrtc-direct/'

const notFound = (key: string) => Object.assign(new Error(`${key} is not kept`), { name: 'NotFoundError' })

/** What the package keeps its certificate in: addresses given away name its hash, and stay true after a restart. */
const keeping = (storage: Storage) => {
  const get = async (key: string) => {
    const kept = await storage.get(PREFIX + key)
    if (kept) return kept
    throw notFound(key)
  }
  return {
    keychain: {
      exportKey: async (name: string): Promise<PrivateKey> => privateKeyFromProtobuf(await get(name)),
      importKey: (name: string, key: PrivateKey) =>
        storage.write([{ key: PREFIX + name, put: privateKeyToProtobuf(key) }]),
    },
    datastore: {
      get: (key: unknown) => get(String(key)),
      put: (key: unknown, put: Uint8Array) => storage.write([{ key: PREFIX + String(key), put }]),
    },
  }
}

/** What the package's listener keeps to itself. */
interface DirectListener extends Listener {
  incomingConnection(...args: unknown[]): Promise<void>
}

/** A datagram makes the package build a connection: no more of them at a time than there are handshakes. */
const boundPending = (listener: DirectListener): void => {
  const begin = listener.incomingConnection.bind(listener)
  let pending = 0
  listener.incomingConnection = async (...args) => {
    if (pending >= CONNECTIONS_PENDING_MAX) return
    pending++
    await begin(...args).finally(() => pending--)
  }
}

/** Dials pages and agents by WebRTC, and is dialled. */
export const nodeWebRtcDirect = (storage: Storage): Create => {
  const create = onOneChannel(webRTCDirect({ ...RTC, certificateLifespan: CERTIFICATE_MS }))
  const own = keeping(storage) as Record<string | symbol, unknown>
  return (components) => {
    const kept = new Proxy(components, { get: (all, name) => own[name] ?? Reflect.get(all, name) })
    const transport = create(kept)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options) as DirectListener
      boundPending(listener)
      return listener
    }
    return transport
  }
}

/** Dials pages that a relay carries, directly. */
export const nodeWebRtc = (): Create => onOneChannel(webRTC(RTC))

/** For `/udp/0`, which the native part does not know. */
export const freeUdpPort = async (host: string): Promise<number> => {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, host, resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}
