/** Response, after the Fetch standard. */
import { type Body, type BodyMixin, extractBody, mixBody } from './body.ts'
import { byteString, freezeHeaders, Headers } from './headers.ts'
import { use } from './prelude-exports.ts'

interface ResponseInit {
  status?: number
  statusText?: string
  headers?: unknown
}

const WITHOUT_BODY = [101, 204, 205, 304]
const REDIRECTS = [301, 302, 303, 307, 308]

const statusOf = (status: unknown): number => {
  const code = Math.trunc(Number(status)) & 0xffff
  if (code < 200 || code > 599) throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`)
  return code
}

/** What a home answers to a fetch. */
interface Fetched extends ResponseInit {
  status: number
  body: Uint8Array
  url: string
}

/** As a response of the network: it has a URL. */
export let fetched: (answer: Fetched) => Response

export class Response implements BodyMixin {
  declare readonly body: BodyMixin['body']
  declare readonly bodyUsed: boolean
  declare arrayBuffer: BodyMixin['arrayBuffer']
  declare blob: BodyMixin['blob']
  declare bytes: BodyMixin['bytes']
  declare formData: BodyMixin['formData']
  declare json: BodyMixin['json']
  declare text: BodyMixin['text']
  #status: number
  #statusText: string
  #headers: Headers
  #body: Body | null = null
  #type = 'default'
  #url = ''

  static {
    fetched = ({ status, headers, body, url }) => {
      const response = new Response(WITHOUT_BODY.includes(status) ? null : body, { status, headers })
      response.#url = url
      return response
    }
    mixBody(
      Response.prototype,
      (self) => self.#body,
      (self) => self.#headers.get('content-type') ?? '',
    )
  }

  constructor(body: unknown = null, init: ResponseInit = {}) {
    init ??= {}
    if (typeof init !== 'object') throw new TypeError('Response: the second argument must be an object')
    this.#status = init.status === undefined ? 200 : statusOf(init.status)
    this.#statusText = byteString(init.statusText ?? '')
    if (/[^\t\x20-\x7e\x80-\xff]/.test(this.#statusText)) throw new TypeError('Invalid statusText')
    this.#headers = new Headers(init.headers)
    if (body === null) return
    if (WITHOUT_BODY.includes(this.#status))
      throw new TypeError(`Response constructor: Invalid response status code ${this.#status}`)
    const extracted = extractBody(body)
    this.#body = extracted.body
    if (extracted.type !== null && !this.#headers.has('content-type'))
      this.#headers.append('content-type', extracted.type)
  }

  static error(): Response {
    const response = new Response()
    response.#status = 0
    response.#type = 'error'
    freezeHeaders(response.#headers)
    return response
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    if (arguments.length === 0) throw new TypeError('Response.json: an argument is required')
    const text = JSON.stringify(data)
    if (text === undefined) throw new TypeError('Value is not JSON serializable')
    const response = new Response(text, init)
    if (!new Headers(init?.headers).has('content-type')) response.#headers.set('content-type', 'application/json')
    return response
  }

  static redirect(url: string, status: number = 302): Response {
    const parsed = use('url').URL.parse(`${url}`)
    if (!parsed) throw new TypeError(`Failed to parse URL from ${url}`)
    if (!REDIRECTS.includes(status)) throw new RangeError(`Invalid status code ${status}`)
    const response = new Response(null, { status, headers: { location: parsed.href } })
    freezeHeaders(response.#headers)
    return response
  }

  get type(): string {
    return this.#type
  }

  get url(): string {
    return this.#url
  }

  get redirected(): boolean {
    return false
  }

  get status(): number {
    return this.#status
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299
  }

  get statusText(): string {
    return this.#statusText
  }

  get headers(): Headers {
    return this.#headers
  }

  clone(): Response {
    if (this.#body?.unusable) throw new TypeError('Response.clone: Body has already been consumed.')
    const copy = new Response(null, { statusText: this.#statusText, headers: this.#headers })
    copy.#status = this.#status
    copy.#type = this.#type
    copy.#url = this.#url
    copy.#body = this.#body?.copy() ?? null
    return copy
  }
}
