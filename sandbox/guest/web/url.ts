/** URL, after the URL standard ("URL class"). */
import { percentEncode, USERINFO, usv } from './percent.ts'
import {
  appendPath,
  changeScheme,
  encodeFragment,
  encodeQuery,
  hostOf,
  hostText,
  isSpecial,
  NotUrl,
  parsePort,
  parseUrl,
  pathText,
  portColon,
  type UrlRecord,
  writeUrl,
} from './url-record.ts'
import { linkParams, replaceParams, URLSearchParams } from './url-search-params.ts'

export { URLSearchParams }

const recordOf = (input: unknown, base: unknown): UrlRecord | undefined => {
  try {
    return parseUrl(usv(input), base === undefined ? undefined : parseUrl(usv(base)))
  } catch (error) {
    if (error instanceof NotUrl) return undefined
    throw error
  }
}

/** Does what `change` does, unless what it is given turns out to be wrong: then nothing has changed. */
const attempt = (change: () => void): void => {
  try {
    change()
  } catch (error) {
    if (!(error instanceof NotUrl)) throw error
  }
}

const clean = (value: unknown): string => usv(value).replace(/[\t\n\r]/g, '')
const isOpaque = ({ path }: UrlRecord): boolean => typeof path === 'string'
const takesCredentials = ({ host, scheme }: UrlRecord): boolean => host !== null && host !== '' && scheme !== 'file'

/** The authority at the beginning of what `host` and `hostname` are set to. */
const authorityIn = (url: UrlRecord, text: string): string => {
  const end = text.search(isSpecial(url) ? /[/\\?#]/ : /[/?#]/)
  return end < 0 ? text : text.slice(0, end)
}

const setHost = (url: UrlRecord, value: unknown, withPort: boolean): void =>
  attempt(() => {
    const text = authorityIn(url, clean(value))
    const colon = url.scheme === 'file' ? -1 : portColon(text)
    if (colon === 0 || (colon > 0 && !withPort)) throw new NotUrl()
    const name = colon < 0 ? text : text.slice(0, colon)
    const credentials = url.username !== '' || url.password !== '' || url.port !== null
    if (name === '' && url.scheme !== 'file' && (isSpecial(url) || credentials)) throw new NotUrl()
    const host = name === '' ? '' : hostOf(url, name)
    url.host = url.scheme === 'file' && host === 'localhost' ? '' : host
    const digits = colon < 0 ? '' : (/^[0-9]+/.exec(text.slice(colon + 1))?.[0] ?? '')
    if (digits !== '') url.port = parsePort(url, digits)
  })

export class URL {
  #url: UrlRecord
  #params: URLSearchParams | undefined

  constructor(input: string, base?: string) {
    if (arguments.length === 0) throw new TypeError('URL: an argument is required')
    const url = recordOf(input, base)
    if (url === undefined)
      throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: usv(input) })
    this.#url = url
  }

  static parse(input: string, base?: string): URL | null {
    return URL.canParse(input, base) ? new URL(input, base) : null
  }

  static canParse(input: string, base?: string): boolean {
    return recordOf(input, base) !== undefined
  }

  #paramsFollow(): void {
    if (this.#params) replaceParams(this.#params, this.#url.query ?? '')
  }

  get href(): string {
    return writeUrl(this.#url)
  }

  set href(value: string) {
    const url = recordOf(value, undefined)
    if (url === undefined) throw new TypeError('Invalid URL')
    this.#url = url
    this.#paramsFollow()
  }

  get origin(): string {
    const { scheme } = this.#url
    if (scheme === 'blob') {
      const inner = recordOf(pathText(this.#url), undefined)
      return inner && /^https?$/.test(inner.scheme) ? `${inner.scheme}://${hostText(inner)}` : 'null'
    }
    return isSpecial(this.#url) && scheme !== 'file' ? `${scheme}://${hostText(this.#url)}` : 'null'
  }

  get protocol(): string {
    return `${this.#url.scheme}:`
  }

  set protocol(value: string) {
    changeScheme(this.#url, `${clean(value)}:`)
  }

  get username(): string {
    return this.#url.username
  }

  set username(value: string) {
    if (takesCredentials(this.#url)) this.#url.username = percentEncode(usv(value), USERINFO)
  }

  get password(): string {
    return this.#url.password
  }

  set password(value: string) {
    if (takesCredentials(this.#url)) this.#url.password = percentEncode(usv(value), USERINFO)
  }

  get host(): string {
    return hostText(this.#url)
  }

  set host(value: string) {
    if (!isOpaque(this.#url)) setHost(this.#url, value, true)
  }

  get hostname(): string {
    return this.#url.host ?? ''
  }

  set hostname(value: string) {
    if (!isOpaque(this.#url)) setHost(this.#url, value, false)
  }

  get port(): string {
    return `${this.#url.port ?? ''}`
  }

  set port(value: string) {
    const url = this.#url
    const text = clean(value)
    const digits = /^[0-9]*/.exec(text)?.[0] ?? ''
    if (takesCredentials(url) && (digits !== '' || text === ''))
      attempt(() => {
        url.port = parsePort(url, digits)
      })
  }

  get pathname(): string {
    return pathText(this.#url)
  }

  set pathname(value: string) {
    const url = this.#url
    if (isOpaque(url)) return
    const text = clean(value)
    const slash = text.startsWith('/') || (isSpecial(url) && text.startsWith('\\'))
    url.path = []
    if (slash || text !== '' || isSpecial(url) || url.host === null) appendPath(url, slash ? text.slice(1) : text)
  }

  get search(): string {
    return this.#url.query ? `?${this.#url.query}` : ''
  }

  set search(value: string) {
    const text = clean(value)
    this.#url.query = text === '' ? null : encodeQuery(this.#url, text.replace(/^\?/, ''))
    this.#paramsFollow()
  }

  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.#url.query ?? '')
      replaceParams(this.#params, this.#url.query ?? '')
      linkParams(this.#params, (text) => {
        this.#url.query = text === '' ? null : text
      })
    }
    return this.#params
  }

  get hash(): string {
    return this.#url.fragment ? `#${this.#url.fragment}` : ''
  }

  set hash(value: string) {
    const text = clean(value)
    this.#url.fragment = text === '' ? null : encodeFragment(text.replace(/^#/, ''))
  }

  toString(): string {
    return this.href
  }

  toJSON(): string {
    return this.href
  }
}
