/** What an agent answers to HTTP on the port of its WebSockets: the browser agent's files and a page about itself. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { WebFile, WebFiles } from './files.ts'
import { firstPage } from './first-page.ts'
import { WEB_RESPONSE_MS_MAX } from './limits.ts'

/** For every answer: what is served here is for any page, is what it says it is, and tells nobody who asked. */
const ALWAYS = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}
/** A name has the hash of the file in it. */
const FOR_EVER = 'public, max-age=31536000, immutable'

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string
}

export interface WebSite {
  files: WebFiles
  /** The peer whose agent this is. */
  peer: string
  /** Pages beside the files, by path such as `/name`; undefined where there is none. */
  page?: (path: string, origin: string) => Promise<Answer | undefined>
}

/** Does the other side take gzip? */
const takesGzip = (request: IncomingMessage): boolean => {
  const accepted = String(request.headers['accept-encoding'] ?? '').split(',')
  return accepted.some((one) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(one))
}

const HOST = /^[A-Za-z0-9.-]{1,253}(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?$/

/** By which address the other side came, through a proxy with TLS too: shown to it, and trusted in nothing. */
export const originOf = ({ headers, socket }: IncomingMessage): string => {
  const isSecure = (socket as TLSSocket).encrypted === true || headers['x-forwarded-proto'] === 'https'
  const { host = '' } = headers
  return `${isSecure ? 'https' : 'http'}://${HOST.test(host) ? host : 'this-agent.example'}`
}

const write = (request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void => {
  response.writeHead(status, { ...ALWAYS, ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const refusal = (status: number, text: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: `${text}\n`,
})

const fileAnswer = async (request: IncomingMessage, file: WebFile): Promise<Answer> => {
  const zipped = takesGzip(request) ? await file.zipped() : undefined
  const headers = {
    ...file.headers,
    'content-type': file.type,
    'cache-control': FOR_EVER,
    vary: 'accept-encoding',
    ...(zipped && { 'content-encoding': 'gzip' }),
  }
  return { status: 200, headers, body: zipped ?? file.body }
}

const answerOf = async (request: IncomingMessage, site: WebSite): Promise<Answer> => {
  // Nothing that is served here takes a body: whoever sends one holds the connection no longer.
  const isPlain = request.method === 'GET' || request.method === 'HEAD'
  if (!isPlain) return refusal(405, 'only GET and HEAD', { allow: 'GET, HEAD', connection: 'close' })
  const [path = ''] = (request.url ?? '').split('?')
  const file = site.files.files.get(path.slice(1))
  if (file && path.startsWith('/')) return fileAnswer(request, file)
  if (path === '/') return firstPage(site, originOf(request))
  return (await site.page?.(path, originOf(request))) ?? refusal(404, 'there is nothing here')
}

/** Answers GET and HEAD from memory: no request reaches the disk, or anything of the data directory. */
export const createWebHandler =
  (site: WebSite): RequestListener =>
  async (request, response) => {
    const overdue = setTimeout(() => request.socket.destroy(), WEB_RESPONSE_MS_MAX).unref()
    response.on('close', () => clearTimeout(overdue))
    response.on('error', () => {})
    const answer = await answerOf(request, site).catch(() => refusal(500, 'this failed; try again'))
    if (!response.destroyed) write(request, response, answer)
  }
