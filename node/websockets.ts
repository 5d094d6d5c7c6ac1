/** WebSockets on Node, for pages above all: what comes to the port and is no upgrade is answered as any HTTP server does. */
import type { RequestListener, ServerOptions } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Server } from 'node:net'
import type { Listener, Transport } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type WebSocketServer, WebSocket as WsSocket } from 'ws'
import { CONNECTIONS_MAX, DIAL_TIMEOUT_MS, MESSAGE_BYTES_MAX, NEGOTIATION_TIMEOUT_MS } from '../peer/network/limits.ts'
import { addressKind } from '../protocol/address-kind.ts'
import { KIB } from '../protocol/limits.ts'
import type { WebServing } from './web-serving.ts'

/** As many peers as may be connected, and as many sockets again that fetch the page's files. */
const SOCKETS_MAX = 2 * CONNECTIONS_MAX
/** Whoever asks by HTTP asks for a file: a few hundred bytes, said at once. */
const HTTP: ServerOptions = {
  maxHeaderSize: 8 * KIB,
  headersTimeout: NEGOTIATION_TIMEOUT_MS,
  requestTimeout: NEGOTIATION_TIMEOUT_MS,
  connectionsCheckingInterval: NEGOTIATION_TIMEOUT_MS / 2,
}

/** What the package's listener keeps to itself. */
interface WebSocketListener extends Listener {
  server: Server
  https?: HttpsServer
  wsServer: WebSocketServer
  httpRequestHandler: RequestListener
}

interface WebSocketTransport extends Transport {
  _connect(address: Multiaddr, options: { signal?: AbortSignal }): Promise<WebSocket>
}

/** An error is followed by the end of the socket, and one that nobody listens for is the end of the process. */
class Accepted extends WsSocket {
  constructor(...args: ConstructorParameters<typeof WsSocket>) {
    super(...args)
    this.on('error', () => {})
  }
}

/** One that connects and says nothing is cut: the listener itself would wait for ever. */
const boundSilence = (server: Server) => {
  server.maxConnections = SOCKETS_MAX
  server.on('connection', (socket) => {
    const cut = setTimeout(() => socket.destroy(), NEGOTIATION_TIMEOUT_MS)
    socket.once('readable', () => clearTimeout(cut)).once('close', () => clearTimeout(cut))
  })
}

const urlOf = (address: Multiaddr): string => {
  const components = address.getComponents()
  const host = components[0]?.value ?? ''
  const port = components.find(({ name }) => name === 'tcp')?.value ?? ''
  const isSecure = addressKind(String(address)) === 'wss'
  return `${isSecure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * Any certificate will do: who answers is proven by the handshake within, which knows the PeerId, and an agent at home
 * has made its certificate itself. So a dial is not that of Node's own WebSocket, which would refuse it.
 */
const connect = (address: Multiaddr, { signal }: { signal?: AbortSignal }): Promise<WebSocket> => {
  const options = {
    rejectUnauthorized: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    handshakeTimeout: DIAL_TIMEOUT_MS,
  }
  const socket = new WsSocket(urlOf(address), options)
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    const give = () => socket.terminate()
    signal?.addEventListener('abort', give, { once: true })
    // Stays, as in `Accepted`.
    socket.on('error', reject)
    socket.once('open', () => {
      signal?.removeEventListener('abort', give)
      resolve(socket as unknown as WebSocket)
    })
  })
}

export const nodeWebSockets =
  ({ serve, tls }: WebServing) =>
  (components: Parameters<ReturnType<typeof webSockets>>[0]): Transport => {
    const transport = webSockets({ http: HTTP, https: { ...HTTP, ...tls } })(components) as WebSocketTransport
    const createListener = transport.createListener.bind(transport)
    transport._connect = connect
    transport.createListener = (options) => {
      const listener = createListener(options) as WebSocketListener
      if (serve) listener.httpRequestHandler = serve
      Object.assign(listener.wsServer.options, { WebSocket: Accepted, maxPayload: MESSAGE_BYTES_MAX })
      boundSilence(listener.server)
      // Connections that are there keep what they began with.
      tls?.onRenewal?.((next) => listener.https?.setSecureContext(next))
      return listener
    }
    return transport
  }
