/** Request, after the Fetch standard: what a server is given, since nothing is fetched here. */
import { type Body, type BodyMixin, extractBody, mixBody } from './body.ts'
import { Headers } from './headers.ts'
import { evaluated, use } from './prelude-exports.ts'

type Signal = InstanceType<typeof import('./events.ts')['AbortSignal']>

export interface RequestInit {
  method?: string
  headers?: unknown
  body?: unknown
  referrer?: string
  referrerPolicy?: string
  mode?: string
  credentials?: string
  cache?: string
  redirect?: string
  integrity?: string
  keepalive?: boolean
  signal?: Signal | null
  duplex?: string
  window?: null
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const methodOf = (method: string): string => {
  if (!METHOD.test(method)) throw new TypeError(`Request: '${method}' is no method`)
  const upper = method.toUpperCase()
  if (/^(CONNECT|TRACE|TRACK)$/.test(upper)) throw new TypeError(`Request: the method '${method}' is not allowed`)
  return /^(DELETE|GET|HEAD|OPTIONS|POST|PUT)$/.test(upper) ? upper : method
}

/** What may be given for each of these, the default first. */
const CHOICES = {
  referrerPolicy:
    '|no-referrer|no-referrer-when-downgrade|same-origin|origin|strict-origin|origin-when-cross-origin|strict-origin-when-cross-origin|unsafe-url',
  mode: 'cors|same-origin|no-cors|navigate',
  credentials: 'same-origin|omit|include',
  cache: 'default|no-store|reload|no-cache|force-cache|only-if-cached',
  redirect: 'follow|error|manual',
}

type Choices = Record<keyof typeof CHOICES, string>

const choicesOf = (init: RequestInit, input: Choices | undefined): Choices => {
  const choices = {} as Choices
  for (const [key, allowed] of Object.entries(CHOICES) as [keyof Choices, string][]) {
    const list = allowed.split('|')
    const given = init[key] === undefined ? (input?.[key] ?? (list[0] as string)) : `${init[key]}`
    if (!list.includes(given)) throw new TypeError(`Request: '${given}' is no ${key}`)
    choices[key] = given
  }
  if (choices.mode === 'navigate' && init.mode !== undefined)
    throw new TypeError('Request: the mode cannot be navigate')
  return choices
}

const urlOf = (input: unknown): string => {
  const url = use('url').URL.parse(`${input}`)
  if (!url) throw new TypeError(`Failed to parse URL from ${input}`)
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${input}`)
  return url.href
}

const signalOf = (init: RequestInit, input: Request | undefined): Signal | undefined => {
  const signal = init.signal === undefined ? input?.signal : init.signal
  if (signal === null || signal === undefined) return undefined
  const { AbortSignal } = use('events')
  if (!(signal instanceof AbortSignal)) throw new TypeError('Request: the signal is no AbortSignal')
  return AbortSignal.any([signal])
}

/** What a Request is told, beside its headers, body and signal. */
interface Settings extends Choices {
  method: string
  url: string
  referrer: string
  integrity: string
  keepalive: boolean
}

const settingsOf = (input: unknown, init: RequestInit, from: Settings | undefined): Settings => ({
  ...choicesOf(init, from),
  url: from?.url ?? urlOf(input),
  method: init.method === undefined ? (from?.method ?? 'GET') : methodOf(`${init.method}`),
  referrer: init.referrer === undefined ? (from?.referrer ?? 'about:client') : `${init.referrer}`,
  integrity: `${init.integrity ?? from?.integrity ?? ''}`,
  keepalive: !!(init.keepalive ?? from?.keepalive),
})

/** The body of a request, as it is held. */
export let bodyOf: (request: Request) => Body | null

export class Request implements BodyMixin {
  declare readonly body: BodyMixin['body']
  declare readonly bodyUsed: boolean
  declare arrayBuffer: BodyMixin['arrayBuffer']
  declare blob: BodyMixin['blob']
  declare bytes: BodyMixin['bytes']
  declare formData: BodyMixin['formData']
  declare json: BodyMixin['json']
  declare text: BodyMixin['text']
  #settings: Settings
  #headers: Headers
  #signal: Signal | undefined
  #body: Body | null = null

  static {
    bodyOf = (request) => request.#body
    mixBody(
      Request.prototype,
      (self) => self.#body,
      (self) => self.#headers.get('content-type') ?? '',
    )
  }

  constructor(input: unknown, init: RequestInit = {}) {
    if (arguments.length === 0) throw new TypeError('Request: an argument is required')
    init ??= {}
    const from = typeof input === 'object' && input !== null && #settings in input ? (input as Request) : undefined
    this.#settings = settingsOf(input, init, from ? from.#settings : undefined)
    this.#signal = evaluated('events') || init.signal ? signalOf(init, from) : undefined
    this.#headers = new Headers(init.headers ?? (from ? from.#headers : undefined))
    const body = from ? from.#body : null
    this.#takeBody(init, body)
  }

  #takeBody(init: RequestInit, inherited: Body | null): void {
    const given = init.body ?? null
    if ((given !== null || inherited) && /^(GET|HEAD)$/.test(this.method))
      throw new TypeError('Request with GET/HEAD method cannot have body.')
    if (given !== null) {
      const { body, type } = extractBody(given)
      if (evaluated('streams')?.isStream(given) && init.duplex !== 'half')
        throw new TypeError('Request: duplex must be "half" where the body is a stream')
      this.#body = body
      if (type !== null && !this.#headers.has('content-type')) this.#headers.append('content-type', type)
    } else if (inherited) {
      if (inherited.unusable)
        throw new TypeError('Cannot construct a Request with a Request object that has already been used.')
      this.#body = inherited.moved()
    }
  }

  get method(): string {
    return this.#settings.method
  }

  get url(): string {
    return this.#settings.url
  }

  get headers(): Headers {
    return this.#headers
  }

  get destination(): string {
    return ''
  }

  get referrer(): string {
    return this.#settings.referrer
  }

  get referrerPolicy(): string {
    return this.#settings.referrerPolicy
  }

  get mode(): string {
    return this.#settings.mode
  }

  get credentials(): string {
    return this.#settings.credentials
  }

  get cache(): string {
    return this.#settings.cache
  }

  get redirect(): string {
    return this.#settings.redirect
  }

  get integrity(): string {
    return this.#settings.integrity
  }

  get keepalive(): boolean {
    return this.#settings.keepalive
  }

  get isReloadNavigation(): boolean {
    return false
  }

  get isHistoryNavigation(): boolean {
    return false
  }

  get duplex(): string {
    return 'half'
  }

  get signal(): Signal {
    this.#signal ??= use('events').newSignal()
    return this.#signal
  }

  clone(): Request {
    if (this.#body?.unusable) throw new TypeError('unusable')
    const copy = new Request(this.url, { headers: this.#headers, signal: this.#signal ?? null })
    copy.#settings = this.#settings
    copy.#body = this.#body?.copy() ?? null
    return copy
  }
}
