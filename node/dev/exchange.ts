/** An HTTP exchange as Values: what a fetch handler is called with, and what comes back of its response. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as v from 'valibot'
import { MeshError } from '../../protocol/errors.ts'
import { HTTP_BODY_BYTES_MAX, KIB } from '../../protocol/limits.ts'
import type { Value } from '../../protocol/values.ts'

/** What `new Request(url, { method, headers, body })` takes. */
export interface RequestValue {
  method: string
  url: string
  headers: [name: string, value: string][]
  body?: Uint8Array
}

/** A request that is answered without the function. */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** They are about one connection, or about how the body travels on it. */
const OF_THE_CONNECTION = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
])

const tooLarge = () =>
  new Refused(
    413,
    `the body of a request may have ${HTTP_BODY_BYTES_MAX / KIB} KiB, since it is the input of a function`,
  )

const readBody = async (request: IncomingMessage): Promise<Uint8Array> => {
  if (Number(request.headers['content-length'] ?? 0) > HTTP_BODY_BYTES_MAX) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > HTTP_BODY_BYTES_MAX) throw tooLarge()
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

const headersOf = ({ rawHeaders }: IncomingMessage): RequestValue['headers'] => {
  const headers: RequestValue['headers'] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!OF_THE_CONNECTION.has(name)) headers.push([name, rawHeaders[i + 1]!])
  }
  return headers
}

/** Throws Refused for what is too large; rejects when the connection ends. `host` is the checked Host header. */
export const readRequest = async (request: IncomingMessage, host: string): Promise<RequestValue> => {
  const { method = 'GET', url: path = '/' } = request
  // What else there is: `*`, a whole URL as a proxy is asked for, and `host:port` of CONNECT.
  if (!path.startsWith('/')) throw new Refused(400, `${path} is not a path; ask for /…`)
  const value = { method, url: `http://${host}${path}`, headers: headersOf(request) }
  // A Request of these methods has no body.
  return method === 'GET' || method === 'HEAD' ? value : { ...value, body: await readBody(request) }
}

const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/
const token = v.pipe(v.string(), v.regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/))
const text = v.pipe(v.string(), v.regex(TEXT))

/** Another machine may have made it. */
const responseValue = v.strictObject({
  status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  statusText: text,
  headers: v.array(v.strictTuple([token, text])),
  body: v.instance(Uint8Array),
})

export type ResponseValue = v.InferOutput<typeof responseValue>

/** Throws MeshError E_VALUE. */
export const ensureResponse = (value: Value): ResponseValue => {
  const read = v.safeParse(responseValue, value)
  if (read.success) return read.output
  const key = String(read.issues[0].path?.[0].key)
  const what = Object.hasOwn(Object(value), key) ? `has wrong ${key}` : 'is no response'
  throw new MeshError('E_VALUE', `the result ${what}; export default { fetch } that returns a Response`)
}

const WITHOUT_BODY = new Set([204, 205, 304])

export const writeResponse = (response: ServerResponse, { status, statusText, headers, body }: ResponseValue): void => {
  const head: string[] = []
  let length: string | undefined
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (lower === 'content-length') length = value
    else if (!OF_THE_CONNECTION.has(lower)) head.push(name, value)
  }
  const isHead = response.req.method === 'HEAD'
  // Of a HEAD the function may know the length of what a GET would give.
  if (!WITHOUT_BODY.has(status)) head.push('Content-Length', isHead && length !== undefined ? length : `${body.length}`)
  if (statusText === '') response.writeHead(status, head)
  else response.writeHead(status, statusText, head)
  response.end(WITHOUT_BODY.has(status) || isHead ? undefined : body)
}
