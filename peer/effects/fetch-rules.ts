/** Which HTTP requests a grant lets a function make. Each is judged as it would be sent, redirects one by one. */
import type { ArgumentsOf } from '../../protocol/effects.ts'
import { type ErrorCode, MeshError } from '../../protocol/errors.ts'
import type { FetchGrant } from '../../protocol/grants.ts'
import { ensureOrigin, readUrl } from '../../protocol/origins.ts'
import type { Header } from '../../protocol/ports.ts'

/** A request as a function made it: its shape has been checked. */
export type FetchArguments = ArgumentsOf<'fetch'>

/** One request to one origin. Where a secret is to stand, its placeholder does. */
export interface Hop {
  url: string
  origin: string
  method: string
  /** Names in lower case. */
  headers: readonly Header[]
  body: Uint8Array | null
}

/** RFC 9110, 9.2.1: what may be sent again without harm. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** A tunnel, and what shows a server's view of the headers. The Fetch standard forbids them as well. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])
const METHODS_DEFAULT = ['GET', 'HEAD']

/** Of one connection, of its framing, or of the home: a function that chose them could make two requests of one. */
const CONNECTION_HEADERS = [
  ...['connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'via', 'accept-encoding'],
]
/** The home keeps no cookies, and its credentials are secrets. */
const COOKIE_HEADERS = ['cookie', 'cookie2']
/** Some servers take them for the method, which is granted otherwise. */
const METHOD_HEADERS = ['x-http-method', 'x-http-method-override', 'x-method-override']
const FORBIDDEN_HEADERS = new Set([...CONNECTION_HEADERS, ...COOKIE_HEADERS, ...METHOD_HEADERS])
const FORBIDDEN_PREFIXES = ['proxy-', 'sec-']

/** Fetch standard, "request-body-header name": gone with the body. */
const BODY_HEADERS = new Set(['content-encoding', 'content-language', 'content-location', 'content-type'])

export const isSafe = (method: string): boolean => SAFE.has(method)

const refuse = (code: ErrorCode, binding: string, message: string): never => {
  throw new MeshError(code, { message: `env.${binding}: ${message}`, binding })
}

const ensureUrl = (binding: string, text: string): URL =>
  readUrl(text) ??
  refuse(
    'E_FETCH',
    binding,
    `${JSON.stringify(text)} is not fetched: a URL is http or https, without a user, spaces, backslashes or control characters`,
  )

const ensureHeader = (binding: string, [given, value]: readonly [string, string]): Header => {
  const name = given.toLowerCase()
  if (FORBIDDEN_HEADERS.has(name) || FORBIDDEN_PREFIXES.some((prefix) => name.startsWith(prefix)))
    return refuse('E_FETCH', binding, `a function may not set the header ${name}; leave it out`)
  return [name, value]
}

const ensureGranted = (binding: string, grant: FetchGrant, hop: Hop): Hop => {
  const { origin, method } = hop
  if (!grant.fetch.some((one) => ensureOrigin(one) === origin))
    return refuse('E_GRANT', binding, `${origin} is not among the origins that it may fetch`)
  if (!(grant.methods ?? METHODS_DEFAULT).some((one) => one.toUpperCase() === method))
    return refuse('E_GRANT', binding, `${method} is not among the methods that it may use`)
  return hop
}

/** The first request. Throws MeshError E_GRANT for what is not granted, E_FETCH for what is no request that anybody may make. */
export const firstHop = (given: FetchArguments, grant: FetchGrant): Hop => {
  const { binding, body } = given
  const method = given.method.toUpperCase()
  if (FORBIDDEN_METHODS.has(method)) return refuse('E_FETCH', binding, `the method ${method} is not sent for functions`)
  if (body !== null && (method === 'GET' || method === 'HEAD'))
    return refuse('E_FETCH', binding, `a ${method} has no body; leave it out`)
  const url = ensureUrl(binding, given.url)
  const headers = given.headers.map((header) => ensureHeader(binding, header))
  return ensureGranted(binding, grant, { url: url.href, origin: url.origin, method, headers, body })
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

export const isRedirect = (status: number): boolean => REDIRECTS.has(status)

/** Fetch standard, "HTTP-redirect fetch": 303 asks for another thing; 301 and 302 do so after a POST, by old habit. */
const losesBody = (status: number, method: string): boolean =>
  status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST'

/**
 * Where an answer of `status` with `location` leads from `hop`. Headers that `isCredential` knows stay with their origin.
 * Throws as `firstHop`.
 */
export const nextHop = (
  binding: string,
  hop: Hop,
  { status, location }: { status: number; location: string },
  grant: FetchGrant,
  isCredential: (header: Header) => boolean,
): Hop => {
  const url = readUrl(location, hop.url)
  if (url === undefined) return refuse('E_FETCH', binding, `${hop.origin} redirected to what is not fetched`)
  const bare = losesBody(status, hop.method)
  const headers = hop.headers.filter((header) => {
    if (bare && (BODY_HEADERS.has(header[0]) || header[0] === IDEMPOTENCY_KEY)) return false
    return url.origin === hop.origin || !isCredential(header)
  })
  const { method, body } = bare ? { method: 'GET', body: null } : hop
  return ensureGranted(binding, grant, { url: url.href, origin: url.origin, method, headers, body })
}

/** By this a server knows a request that it has had (IETF, draft-ietf-httpapi-idempotency-key-header). */
export const IDEMPOTENCY_KEY = 'idempotency-key'

/** Of its own, unless the function gave it one: request n of an invocation is the same request, whoever sends it again. */
export const withIdempotencyKey = (hop: Hop, invocation: string, n: number): Hop =>
  isSafe(hop.method) || hop.headers.some(([name]) => name === IDEMPOTENCY_KEY)
    ? hop
    : { ...hop, headers: [...hop.headers, [IDEMPOTENCY_KEY, `wayside-${invocation}-${n}`]] }
