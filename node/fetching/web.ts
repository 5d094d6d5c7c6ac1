/** HTTP/1.1 from this machine, one connection a request: what one server was told by, no other request can use. */
import { lookup } from 'node:dns/promises'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { HTTP_HEAD_BYTES_MAX } from '../../protocol/limits.ts'
import type { Header, Web, WebAnswer, WebRequest } from '../../protocol/ports.ts'

/** A connection across the world and its TLS take a second; then the next address is tried. */
const CONNECT_MS_MAX = 5_000
/** Answers before the answer (status 1xx), each of which may have as long a head. */
const INTERIM_ANSWERS_MAX = 8

/** All addresses of a name; rejects if it has none. */
export type Lookup = (name: string) => Promise<readonly { address: string }[]>

const systemLookup: Lookup = (name) => lookup(name, { all: true, order: 'verbatim' })

/** Coded answers are not asked for, so that a small one cannot become a large one. */
const DEFAULTS: readonly Header[] = [
  ['accept', '*/*'],
  ['user-agent', 'wayside'],
]

const headersOf = ({ method, headers, body }: WebRequest, host: string): string[] => {
  const missing = DEFAULTS.filter(([name]) => !headers.some(([given]) => given === name))
  const isEmptyPost = body === null && ['POST', 'PUT', 'PATCH'].includes(method)
  const length = body !== null || isEmptyPost ? [['content-length', String(body?.length ?? 0)]] : []
  return [['host', host], ['accept-encoding', 'identity'], ...missing, ...headers, ...length].flat()
}

const optionsOf = (request: WebRequest, address: string): RequestOptions & { servername: string } => {
  const { hostname, host, port, pathname, search, protocol } = new URL(request.url)
  return {
    host: address,
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    path: pathname + search,
    method: request.method,
    headers: headersOf(request, host),
    setHost: false,
    // A fresh one for this request: it keeps no connection, resumes no session, and asks no proxy of the environment.
    agent: false,
    // The certificate is checked against the name, or the address where that is all there is.
    servername: hostname.startsWith('[') || isIP(hostname) ? '' : hostname,
    rejectUnauthorized: true,
    insecureHTTPParser: false,
    maxHeaderSize: HTTP_HEAD_BYTES_MAX,
  } as RequestOptions & { servername: string }
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)/

/** In words without addresses: executors read them. */
const failure = (cause: NodeJS.ErrnoException, isSent: boolean): WebAnswer => {
  const code = cause.code ?? cause.name
  if (code === 'HPE_HEADER_OVERFLOW')
    return { kind: 'unusable', reason: `its headers are longer than ${HTTP_HEAD_BYTES_MAX} bytes` }
  if (code.startsWith('HPE_')) return { kind: 'unusable', reason: `what it answered is no HTTP (${code})` }
  if (!isSent && CERTIFICATE.test(code)) return { kind: 'unsent', reason: `its certificate is not trusted (${code})` }
  return isSent
    ? { kind: 'lost', reason: `the connection ended without an answer (${code})` }
    : { kind: 'unsent', reason: `no connection (${code})` }
}

const pairsOf = (raw: readonly string[]): Header[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] as string] as const] : []))

/** Collects an answer, and gives up as soon as it is none that can be used. */
const read = (response: IncomingMessage, bodyBytesMax: number, settle: (answer: WebAnswer) => void): void => {
  const headers = pairsOf(response.rawHeaders)
  const coding = headers.find(([name]) => name === 'content-encoding')?.[1]
  const tooLong = () => settle({ kind: 'unusable', reason: `its body is longer than ${bodyBytesMax} bytes` })
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    return settle({ kind: 'unusable', reason: `its body came as ${coding.slice(0, 32)}, which was not asked for` })
  const parts: Buffer[] = []
  let bytes = 0
  response.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > bodyBytesMax) return tooLong()
    parts.push(part)
  })
  response.on('end', () => {
    if (!response.complete) return settle({ kind: 'lost', reason: 'the answer ended in its middle' })
    settle({
      kind: 'answered',
      status: response.statusCode as number,
      headers,
      body: new Uint8Array(Buffer.concat(parts)),
    })
  })
  response.on('error', () => settle({ kind: 'lost', reason: 'the answer ended in its middle' }))
}

/** Calls `connected` once the request can be under way. */
const onConnected = (client: ClientRequest, isSecure: boolean, connected: () => void): void => {
  client.on('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', connected))
}

const exchange: Web['exchange'] = async (request, address, bodyBytesMax, signal) => {
  const isSecure = request.url.startsWith('https:')
  // Few agents are homes of functions that fetch.
  const { request: open } = await import(isSecure ? 'node:https' : 'node:http')
  return new Promise((resolve) => {
    let isSent = false
    const client: ClientRequest = open(optionsOf(request, address))
    const settle = (answer: WebAnswer) => {
      clearTimeout(connecting)
      signal.removeEventListener('abort', late)
      resolve(answer)
      client.destroy()
    }
    const late = () => settle({ kind: isSent ? 'lost' : 'unsent', reason: 'no answer came in time' })
    const connecting = setTimeout(() => settle({ kind: 'unsent', reason: 'it does not answer' }), CONNECT_MS_MAX)
    onConnected(client, isSecure, () => {
      isSent = true
      clearTimeout(connecting)
    })
    let interim = 0
    client.on('information', () => {
      if (++interim > INTERIM_ANSWERS_MAX) settle({ kind: 'unusable', reason: 'it answers without coming to an end' })
    })
    client.on('response', (response) => read(response, bodyBytesMax, settle))
    client.on('upgrade', () => settle({ kind: 'unusable', reason: 'it changed to another protocol' }))
    client.on('error', (cause) => settle(failure(cause, isSent)))
    client.on('close', () =>
      settle({ kind: isSent ? 'lost' : 'unsent', reason: 'the connection ended without an answer' }),
    )
    if (signal.aborted) return late()
    signal.addEventListener('abort', late)
    client.end(request.body ?? undefined)
  })
}

const resolveName = async (find: Lookup, name: string, signal: AbortSignal): Promise<string[]> => {
  if (isIP(name)) return [name]
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    const found = await Promise.race([find(name).catch(() => []), aborted])
    return found.map(({ address }) => address)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Names are looked up by the system, unless another way is given. */
export const createWeb = (find: Lookup = systemLookup): Web => ({
  resolve: (name, signal) => resolveName(find, name, signal),
  exchange,
})
