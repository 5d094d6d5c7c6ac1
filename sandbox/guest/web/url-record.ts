/** The URL record and its parser, after the URL standard ("URL parsing"), by parts instead of character by character. */
import { FRAGMENT, PATH, percentEncode, QUERY, SPECIAL_QUERY, USERINFO } from './percent.ts'
import { parseHost } from './url-host.ts'

export interface UrlRecord {
  scheme: string
  username: string
  password: string
  host: string | null
  port: number | null
  /** A string: it is opaque. */
  path: string[] | string
  query: string | null
  fragment: string | null
}

/** The special schemes and their ports. */
const PORTS: Record<string, number | null> = Object.assign(Object.create(null), {
  ...{ ftp: 21, file: null, http: 80, https: 443, ws: 80, wss: 443 },
})

export const isSpecial = ({ scheme }: UrlRecord): boolean => scheme in PORTS
const isDriveLetter = (text: string | undefined): boolean => text !== undefined && /^[a-z][:|]$/i.test(text)
const startsWithDriveLetter = (text: string): boolean => /^[a-z][:|]([/\\?]|$)/i.test(text)

const emptyRecord = (scheme: string): UrlRecord => ({
  ...{ scheme, username: '', password: '', host: null, port: null, path: [], query: null, fragment: null },
})

/** Thrown within the parser: the text is no URL. */
export class NotUrl extends Error {}

export const encodeQuery = (url: UrlRecord, text: string): string =>
  percentEncode(text, isSpecial(url) ? SPECIAL_QUERY : QUERY)
export const encodeFragment = (text: string): string => percentEncode(text, FRAGMENT)

const shorten = (url: UrlRecord): void => {
  const path = url.path as string[]
  if (url.scheme === 'file' && path.length === 1 && /^[a-z]:$/i.test(path[0] as string)) return
  path.pop()
}

const isSingleDot = (segment: string): boolean => /^(\.|%2e)$/i.test(segment)
const isDoubleDot = (segment: string): boolean => /^(\.|%2e){2}$/i.test(segment)

/** Adds the segments of `text` to the path: the "path state". */
export const appendPath = (url: UrlRecord, text: string): void => {
  const path = url.path as string[]
  const segments = text.split(isSpecial(url) ? /[/\\]/ : '/')
  for (const [i, raw] of segments.entries()) {
    const last = i === segments.length - 1
    const segment = percentEncode(raw, PATH)
    if (isDoubleDot(segment)) shorten(url)
    if (isDoubleDot(segment) || isSingleDot(segment)) {
      if (last) path.push('')
    } else if (url.scheme === 'file' && path.length === 0 && isDriveLetter(segment)) path.push(`${segment[0]}:`)
    else path.push(segment)
  }
}

/** The "path start state": a first slash belongs to no segment. */
export const parsePath = (url: UrlRecord, text: string): void => {
  const slash = text.startsWith('/') || (isSpecial(url) && text.startsWith('\\'))
  if (slash || text !== '' || isSpecial(url)) appendPath(url, slash ? text.slice(1) : text)
}

const setCredentials = (url: UrlRecord, text: string): void => {
  const colon = text.indexOf(':')
  url.username = percentEncode(colon < 0 ? text : text.slice(0, colon), USERINFO)
  url.password = colon < 0 ? '' : percentEncode(text.slice(colon + 1), USERINFO)
}

/** Decimal digits, or throws. The scheme's own port is null. */
export const parsePort = (url: UrlRecord, digits: string): number | null => {
  if (digits === '') return null
  const port = /^[0-9]+$/.test(digits) ? Number.parseInt(digits, 10) : 65_536
  if (port > 65_535) throw new NotUrl()
  return port === PORTS[url.scheme] ? null : port
}

/** Where a colon outside of brackets stands, or -1. */
export const portColon = (text: string): number => {
  const close = text.startsWith('[') || text.includes('[') ? text.indexOf(']') : 0
  return close < 0 ? -1 : text.indexOf(':', close)
}

export const hostOf = (url: UrlRecord, text: string): string => {
  const host = text === '' && !isSpecial(url) ? '' : parseHost(text, isSpecial(url))
  if (host === undefined) throw new NotUrl()
  return host
}

const setHostAndPort = (url: UrlRecord, text: string): void => {
  const colon = portColon(text)
  if (colon === 0) throw new NotUrl()
  url.host = hostOf(url, colon < 0 ? text : text.slice(0, colon))
  if (colon > 0) url.port = parsePort(url, text.slice(colon + 1))
}

/** What follows `//`: authority, path and query. */
const parseAuthority = (url: UrlRecord, text: string): void => {
  const found = text.search(isSpecial(url) ? /[/\\?]/ : /[/?]/)
  const end = found < 0 ? text.length : found
  const authority = text.slice(0, end)
  const at = authority.lastIndexOf('@')
  if (at >= 0) setCredentials(url, authority.slice(0, at))
  if (at >= 0 && at === authority.length - 1) throw new NotUrl()
  setHostAndPort(url, authority.slice(at + 1))
  parsePathAndQuery(url, text.slice(end), parsePath)
}

const parsePathAndQuery = (url: UrlRecord, text: string, parse: (url: UrlRecord, path: string) => void): void => {
  const mark = text.indexOf('?')
  parse(url, mark < 0 ? text : text.slice(0, mark))
  if (mark >= 0) url.query = encodeQuery(url, text.slice(mark + 1))
}

const copyAuthority = (url: UrlRecord, base: UrlRecord): void => {
  url.username = base.username
  url.password = base.password
  url.host = base.host
  url.port = base.port
}

const parseRelative = (url: UrlRecord, text: string, base: UrlRecord): void => {
  const slash = isSpecial(url) ? /^[/\\]/ : /^\//
  if (slash.test(text) && slash.test(text.slice(1)))
    return parseAuthority(url, isSpecial(url) ? text.replace(/^[/\\]+/, '') : text.slice(2))
  copyAuthority(url, base)
  if (slash.test(text)) return parsePathAndQuery(url, text.slice(1), appendPath)
  url.path = [...base.path]
  if (text === '') url.query = base.query
  if (text === '' || text.startsWith('?')) return parsePathAndQuery(url, text, () => {})
  shorten(url)
  parsePathAndQuery(url, text, appendPath)
}

const parseFileHost = (url: UrlRecord, text: string): void => {
  const found = text.search(/[/\\?]/)
  const host = found < 0 ? text : text.slice(0, found)
  if (isDriveLetter(host)) return parsePathAndQuery(url, text, appendPath)
  const parsed = host === '' ? '' : hostOf(url, host)
  url.host = parsed === 'localhost' ? '' : parsed
  parsePathAndQuery(url, text.slice(host.length), parsePath)
}

const parseFile = (url: UrlRecord, text: string, base: UrlRecord | undefined): void => {
  url.host = ''
  if (/^[/\\]{2}/.test(text)) return parseFileHost(url, text.slice(2))
  const fileBase = base?.scheme === 'file' ? base : undefined
  if (/^[/\\]/.test(text)) {
    if (fileBase) {
      url.host = fileBase.host
      const [drive] = fileBase.path
      if (!startsWithDriveLetter(text.slice(1)) && drive && /^[a-z]:$/i.test(drive)) (url.path as string[]).push(drive)
    }
    return parsePathAndQuery(url, text.slice(1), appendPath)
  }
  if (!fileBase) return parsePathAndQuery(url, text, appendPath)
  url.host = fileBase.host
  url.path = [...fileBase.path]
  if (text === '') url.query = fileBase.query
  if (text === '' || text.startsWith('?')) return parsePathAndQuery(url, text, () => {})
  if (startsWithDriveLetter(text)) url.path = []
  else shorten(url)
  parsePathAndQuery(url, text, appendPath)
}

/** A space at the end of an opaque path would be lost in writing: it is encoded. */
const setOpaquePath = (url: UrlRecord, text: string, more: boolean): void => {
  const encoded = percentEncode(text, '')
  url.path = more && encoded.endsWith(' ') ? `${encoded.slice(0, -1)}%20` : encoded
}

const parseRest = (url: UrlRecord, text: string, base: UrlRecord | undefined, hasFragment: boolean): void => {
  if (url.scheme === 'file') return parseFile(url, text, base)
  if (isSpecial(url)) {
    if (base?.scheme === url.scheme && !text.startsWith('//')) return parseRelative(url, text, base)
    return parseAuthority(url, text.replace(/^[/\\]+/, ''))
  }
  if (text.startsWith('//')) return parseAuthority(url, text.slice(2))
  if (text.startsWith('/')) return parsePathAndQuery(url, text, parsePath)
  parsePathAndQuery(url, text, (_, path) => setOpaquePath(url, path, hasFragment || text.includes('?')))
}

/** Throws NotUrl. */
export const parseUrl = (input: string, base?: UrlRecord): UrlRecord => {
  const text = input.replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]/g, '')
  const hash = text.indexOf('#')
  const body = hash < 0 ? text : text.slice(0, hash)
  const scheme = /^[a-z][a-z0-9+\-.]*(?=:)/i.exec(body)?.[0]
  if (scheme === undefined && !base) throw new NotUrl()
  const url = emptyRecord(scheme?.toLowerCase() ?? (base as UrlRecord).scheme)
  if (scheme !== undefined) parseRest(url, body.slice(scheme.length + 1), base, hash >= 0)
  else parseWithoutScheme(url, body, base as UrlRecord, hash >= 0)
  if (hash >= 0) url.fragment = encodeFragment(text.slice(hash + 1))
  return url
}

const parseWithoutScheme = (url: UrlRecord, body: string, base: UrlRecord, hasFragment: boolean): void => {
  if (typeof base.path === 'string') {
    if (body !== '' || !hasFragment) throw new NotUrl()
    url.path = base.path
    url.query = base.query
  } else if (url.scheme === 'file') parseFile(url, body, base)
  else parseRelative(url, body, base)
}

/** A change of the scheme, where the standard allows it. */
export const changeScheme = (url: UrlRecord, text: string): void => {
  const scheme = /^[a-z][a-z0-9+\-.]*(?=:)/i.exec(text)?.[0].toLowerCase()
  if (scheme === undefined || scheme in PORTS !== isSpecial(url)) return
  if (scheme === 'file' && (url.username !== '' || url.password !== '' || url.port !== null)) return
  if (url.scheme === 'file' && url.host === '') return
  url.scheme = scheme
  if (url.port === PORTS[scheme]) url.port = null
}

export const pathText = ({ path }: UrlRecord): string =>
  typeof path === 'string' ? path : path.map((segment) => `/${segment}`).join('')

export const hostText = ({ host, port }: UrlRecord): string => (host ?? '') + (port === null ? '' : `:${port}`)

export const writeUrl = (url: UrlRecord, withFragment = true): string => {
  let text = `${url.scheme}:`
  if (url.host !== null) {
    text += '//'
    if (url.username !== '' || url.password !== '')
      text += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`
    text += hostText(url)
  } else if (typeof url.path !== 'string' && url.path.length > 1 && url.path[0] === '') text += '/.'
  text += pathText(url)
  if (url.query !== null) text += `?${url.query}`
  return withFragment && url.fragment !== null ? `${text}#${url.fragment}` : text
}
