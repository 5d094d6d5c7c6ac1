/** The effect `fetch`, as the home performs it: within its grant, hop by hop, to addresses that were judged. */
import { type ErrorCode, MeshError } from '../../protocol/errors.ts'
import type { FetchGrant, Grants, SecretGrant } from '../../protocol/grants.ts'
import type { Answer } from '../../protocol/journal.ts'
import { HTTP_BODY_BYTES_MAX, MESSAGE_CHARS_MAX } from '../../protocol/limits.ts'
import { ensureOrigin } from '../../protocol/origins.ts'
import type { Clock, Ports, Web, WebAnswer } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import { type Item, idOf } from '../calls.ts'
import type { Granted } from '../grants.ts'
import { pause } from '../pause.ts'
import { mayReach } from './address-class.ts'
import {
  type FetchArguments,
  firstHop,
  type Hop,
  isRedirect,
  isSafe,
  nextHop,
  withIdempotencyKey,
} from './fetch-rules.ts'
import { createRedactor, type Redactor } from './redaction.ts'
import { ensureSecretsPlaced, isCredential, type SecretGrants, secretsIn, withSecrets } from './secrets.ts'

/** From the first question for an address to the last byte of the last answer. Slower APIs are asked, and polled. */
const FETCH_MS_MAX = 60_000
/** A chain longer than this leads nowhere: the Fetch standard allows 20, APIs use one or two. */
const REDIRECTS_MAX = 5
/** A name with more is tried at four; each that does not answer takes seconds. */
const ADDRESSES_TRIED_MAX = 4
/** How often a request is sent whose outcome is unknown, where the grant says `retry`. */
const SENDS_MAX = 4
/** Before the second; twice as long before each further one. */
const RETRY_MS = 500

/** Of the connection, or of what the home did to the body; and cookies, which are credentials for what asked. */
const DROPPED_HEADERS = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['set-cookie', 'set-cookie2'],
])

/** What the caller lets this request do. */
export interface FetchAuthority {
  grant: FetchGrant
  secrets: SecretGrants
  /** CID of the invocation, and which of its requests this is: they make the idempotency key. */
  invocation: string
  n: number
  /** Of the answer, encoded. */
  bytesMax: number
  /** Monotonic. */
  deadlineMs: number
}

/** What is about to be sent, for the log: no secret is in it. */
export type FetchIntent = Pick<Hop, 'url' | 'method' | 'headers' | 'body'> & { onUnknown: 'retry' | 'fail' }

export interface PreparedFetch {
  readonly intent: FetchIntent
  /** Performs it. Never rejects. E_FETCH and E_GRANT: nothing unsafe was sent. E_EFFECT_OUTCOME_UNKNOWN: it was, and may have been performed. */
  send(signal: AbortSignal): Promise<Answer>
}

/** Of the bindings `names` those that are secrets. */
export const secretGrantsOf = (grants: Grants, names: readonly string[]): SecretGrants => {
  const secrets = new Map<string, SecretGrant>()
  for (const name of names) {
    const given = Object.hasOwn(grants, name) ? grants[name] : undefined
    if (given === undefined || !('secret' in given)) continue
    const { secret, origin, header } = given
    secrets.set(name, { secret, origin: ensureOrigin(origin), header: header.toLowerCase() })
  }
  return secrets
}

/** For a request of `item` that its grant covers. */
export const authorityOf = (item: Item, { n, grant, bytesLeft }: Granted<'fetch'>): FetchAuthority => {
  const { request, manifest, deadlineMs } = item
  const { grants = {} } = request
  const { env = [] } = manifest
  const names = env.flatMap(({ name, kind }) => (kind === 'secret' ? [name] : []))
  const secrets = secretGrantsOf(grants, names)
  return { grant, secrets, invocation: idOf(item), n, bytesMax: bytesLeft, deadlineMs }
}

type Answered = Extract<WebAnswer, { kind: 'answered' }>

interface Sending extends FetchAuthority {
  binding: string
  web: Web
  clock: Pick<Clock, 'monotonic' | 'after'>
  values: ReadonlyMap<string, string>
  redactor: Redactor
  signal: AbortSignal
  /** Something unsafe has left this machine. */
  sent: boolean
}

const fail = (code: ErrorCode, binding: string, message: string): never => {
  throw new MeshError(code, { message: `env.${binding}: ${message}`, binding })
}

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')

/** Addresses to try, every one of which may be reached. */
const addressesOf = async ({ web, grant, binding, signal }: Sending, { url, origin }: Hop): Promise<string[]> => {
  const found = await web.resolve(hostOf(url), signal)
  if (found.length === 0) return fail('E_FETCH', binding, `${origin} has no address`)
  // One that leads inside would be enough for whoever owns the name.
  if (!found.every((address) => mayReach(address, grant.private === true))) {
    const hint = grant.private ? 'no function reaches' : '"private": true in its grant lets a function reach'
    return fail('E_GRANT', binding, `${origin} leads to addresses that are not public, which ${hint}`)
  }
  return found.slice(0, ADDRESSES_TRIED_MAX)
}

/** To one address after the other, until something of it was sent. */
const exchangeOnce = async (sending: Sending, hop: Hop): Promise<WebAnswer> => {
  const { web, values, bytesMax, signal } = sending
  const request = { ...hop, headers: withSecrets(hop.headers, values) }
  let answer: WebAnswer = { kind: 'unsent', reason: 'it has no address' }
  for (const address of await addressesOf(sending, hop)) {
    answer = await web.exchange(request, address, Math.min(bytesMax, HTTP_BODY_BYTES_MAX), signal)
    if (answer.kind !== 'unsent' || signal.aborted) break
  }
  if (answer.kind !== 'unsent' && !isSafe(hop.method)) sending.sent = true
  return answer
}

/** Sent again only if it may have been performed, and the grant says that it may be performed twice. */
const exchange = async (sending: Sending, hop: Hop): Promise<Answered> => {
  const { grant, binding, signal } = sending
  const sends = grant.onUnknown === 'retry' && !isSafe(hop.method) ? SENDS_MAX : 1
  for (let send = 1; ; send++) {
    const answer = await exchangeOnce(sending, hop)
    if (answer.kind === 'answered') return answer
    const isOver = answer.kind === 'unusable' || send === sends || !sending.sent
    if (!isOver) await pause(sending.clock, RETRY_MS * 2 ** (send - 1), signal)
    if (isOver || signal.aborted) return fail('E_FETCH', binding, `${hop.method} ${hop.origin}: ${answer.reason}`)
  }
}

const locationOf = ({ binding, redactor }: Sending, { headers }: Answered, { origin }: Hop): string | undefined => {
  const [location, ...more] = headers.flatMap(([name, value]) => (name === 'location' ? [value] : []))
  if (more.length > 0) return fail('E_FETCH', binding, `${origin} redirected to several places`)
  if (location !== undefined && redactor.text(location) !== location)
    return fail('E_FETCH', binding, `${origin} redirected to an address with a secret in it`)
  return location
}

const encoded = (
  { redactor, binding, bytesMax }: Sending,
  { url }: Hop,
  { status, headers, body }: Answered,
): Answer => {
  const clean = redactor.bytes(body)
  const kept = headers.filter(([name]) => !DROPPED_HEADERS.has(name) && !(name === 'content-length' && clean !== body))
  const shown = kept.map(([name, value]) => [redactor.text(name), redactor.text(value)])
  const value = encodeValue({ status, headers: shown, body: clean, url: redactor.text(url) })
  if (value.length > bytesMax) return fail('E_GRANT', binding, 'the bytes that are granted for answers are used up')
  return { ok: true, value }
}

const follow = async (sending: Sending, first: Hop): Promise<Answer> => {
  const { binding, grant } = sending
  let hop = first
  for (let redirects = 0; ; redirects++) {
    const answer = await exchange(sending, hop)
    const location = isRedirect(answer.status) ? locationOf(sending, answer, hop) : undefined
    if (location === undefined) return encoded(sending, hop, answer)
    if (redirects === REDIRECTS_MAX) fail('E_FETCH', binding, `redirected more than ${REDIRECTS_MAX} times`)
    hop = nextHop(binding, hop, { status: answer.status, location }, grant, isCredential)
  }
}

export class Fetching {
  readonly #ports: Pick<Ports, 'clock' | 'log' | 'web' | 'secrets'>

  constructor(ports: Pick<Ports, 'clock' | 'log' | 'web' | 'secrets'>) {
    this.#ports = ports
  }

  /** Nothing is done yet. Throws MeshError E_GRANT for what is not granted, E_FETCH for what nobody may ask. */
  prepare(given: FetchArguments, authority: FetchAuthority): PreparedFetch {
    const { grant, secrets, invocation, n } = authority
    const { binding } = given
    const web = this.#ports.web ?? fail('E_FETCH', binding, 'a page fetches nothing for functions; call from an agent')
    const hop = withIdempotencyKey(firstHop(given, grant), invocation, n)
    ensureSecretsPlaced(given, hop, secrets)
    const { url, method, headers, body } = hop
    return {
      intent: { url, method, headers, body, onUnknown: grant.onUnknown ?? 'fail' },
      send: (signal) => this.#send(hop, { ...authority, binding, web }, signal),
    }
  }

  async #send(
    hop: Hop,
    authority: FetchAuthority & { binding: string; web: Web },
    signal: AbortSignal,
  ): Promise<Answer> {
    const over = new AbortController()
    const { clock } = this.#ports
    const leftMs = Math.min(FETCH_MS_MAX, authority.deadlineMs - clock.monotonic())
    const cancel = clock.after(Math.max(0, leftMs), () => over.abort())
    const sending: Sending = {
      ...{ ...authority, clock, sent: false, values: new Map(), redactor: createRedactor(new Map()) },
      signal: AbortSignal.any([signal, over.signal]),
    }
    try {
      sending.values = await this.#values(hop, authority)
      sending.redactor = createRedactor(sending.values)
      return await follow(sending, hop)
    } catch (cause) {
      return failed(sending, cause)
    } finally {
      cancel()
    }
  }

  /** All that were granted, since what a server was sent before it can send back at any time. Those of `hop` have to be there. */
  async #values({ headers }: Hop, { secrets }: FetchAuthority): Promise<ReadonlyMap<string, string>> {
    const used = headers.flatMap(([, value]) => secretsIn(value))
    const values = new Map<string, string>()
    for (const [name, { secret }] of secrets) {
      const value = await this.#read(name, secret)
      if (value !== undefined) values.set(name, value)
      else if (used.includes(name)) fail('E_GRANT', name, 'this home has no value for the secret')
    }
    return values
  }

  /** What is wrong with it is its owner's to know, and no function's. */
  async #read(binding: string, secret: string): Promise<string | undefined> {
    try {
      return await this.#ports.secrets?.read(secret)
    } catch (cause) {
      this.#ports.log.event('secret.unreadable', { reason: (cause as Error).message })
      return fail('E_GRANT', binding, 'this home cannot read the secret; its log says why')
    }
  }
}

const failed = ({ binding, redactor, signal, sent }: Sending, cause: unknown): Answer => {
  const known = cause instanceof MeshError ? cause : undefined
  const late = signal.aborted ? 'no answer came in time' : 'the fetch failed'
  const message = redactor.text(known?.message ?? `env.${binding}: ${late}`).slice(0, MESSAGE_CHARS_MAX)
  const code = known?.code ?? (signal.aborted ? 'E_FETCH' : 'E_INTERNAL')
  if (!sent) return { ok: false, code, message }
  const doubt = `${message}; the request had been sent, and may have been performed`
  return { ok: false, code: 'E_EFFECT_OUTCOME_UNKNOWN', message: doubt.slice(0, MESSAGE_CHARS_MAX) }
}
