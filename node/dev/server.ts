/** The HTTP server of `wayside dev`: on loopback only, each request bounded. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MeshError } from '../../protocol/errors.ts'
import { HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX, HTTP_REQUEST_MS_MAX } from '../../protocol/limits.ts'
import { Refused, type RequestValue, type ResponseValue, readRequest, writeResponse } from './exchange.ts'
import { pageOf } from './page.ts'

export interface Handler {
  /** The answer to a request. `signal` is aborted when whoever asked has left. Never throws. */
  answer(request: RequestValue, signal: AbortSignal): Promise<ResponseValue>
  /** Told of a request that was answered without the handler. */
  refused(method: string, path: string, status: number): void
}

export interface DevServer {
  readonly port: number
  /** Ends all connections, and what is under way on them. */
  close(): void
}

/** IPv6 first would leave a machine without it with no server at all; `localhost` may mean either. */
const ADDRESSES = ['127.0.0.1', '::1']

/** Names that only lead to this machine. Any other is one that a page made lead here, to read what it may not. */
const OWN_HOST = /^(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

const hostOf = ({ headers: { host = '' } }: IncomingMessage): string => {
  if (OWN_HOST.test(host)) return host
  throw new Refused(403, `this server answers to localhost and 127.0.0.1 only, not to "${host}"`)
}

const exchange = async (request: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> => {
  const left = new AbortController()
  response.on('close', () => left.abort())
  try {
    writeResponse(response, await handler.answer(await readRequest(request, hostOf(request)), left.signal))
  } catch (cause) {
    if (left.signal.aborted || !(cause instanceof Refused)) return void response.destroy()
    const { status, message } = cause
    handler.refused(request.method ?? '', request.url ?? '', status)
    writeResponse(response, pageOf(request.headers.accept, { status, title: message }))
  }
}

const OPTIONS = {
  maxHeaderSize: HTTP_HEAD_BYTES_MAX,
  requestTimeout: HTTP_REQUEST_MS_MAX,
  headersTimeout: HTTP_REQUEST_MS_MAX,
  connectionsCheckingInterval: 1000,
}

const listen = async (server: Server, port: number, host: string): Promise<void> => {
  server.listen({ port, host })
  await once(server, 'listening')
}

const portProblem = (port: number, cause: NodeJS.ErrnoException): MeshError => {
  const why = { EADDRINUSE: 'is taken', EACCES: 'may not be opened by this user' }[cause.code ?? '']
  const message = `port ${port} ${why ?? `cannot be opened (${cause.message})`}; name another with --port`
  return new MeshError('E_USAGE', { message, port }, { cause })
}

/** Is it only that this machine has no such address? */
const isUnavailable = ({ code = '' }: NodeJS.ErrnoException) => ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code)

/** Throws MeshError E_USAGE if the port cannot be had. Port 0: the system chooses. */
export const serve = async (port: number, handler: Handler): Promise<DevServer> => {
  const servers: Server[] = []
  const close = () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  }
  let bound = port
  for (const host of ADDRESSES) {
    const server = createServer(OPTIONS, (request, response) => void exchange(request, response, handler))
    server.maxConnections = HTTP_CONNECTIONS_MAX
    try {
      await listen(server, bound, host)
    } catch (cause) {
      if (servers.length > 0 && isUnavailable(cause as NodeJS.ErrnoException)) continue
      close()
      throw portProblem(bound, cause as NodeJS.ErrnoException)
    }
    servers.push(server)
    bound = (server.address() as AddressInfo).port
  }
  return { port: bound, close }
}
