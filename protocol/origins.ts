/** URLs and origins of the web, in the one form in which they are compared. */
import { MeshError } from './errors.ts'

/** Space, what nobody sees, and what a parser turns into a slash or leaves out. */
const DECEPTIVE = /[\p{Cc}\p{Z}\p{Cf}\\]/u

/**
 * As the URL standard reads it, without its fragment, and with one name for one host; undefined for what is not http or
 * https, says who asks, or looks like another URL than it is.
 */
export const readUrl = (text: string, base?: string): URL | undefined => {
  if (DECEPTIVE.test(text) || !URL.canParse(text, base)) return undefined
  const url = new URL(text, base)
  const authority = /^(?:[^/?#]*:)?\/\/([^/?#]*)/.exec(text)?.[1]
  const isWhole = /^[a-z][a-z\d+.-]*:/i.test(text)
  if (authority === '' || (isWhole && authority === undefined)) return undefined
  if (authority?.includes('@') || url.username || url.password) return undefined
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  url.hash = ''
  return url.hostname === '' || url.hostname.endsWith('.') ? undefined : url
}

/** `HTTPS://Api.Example.com:443/` as `https://api.example.com`; undefined if it is more or less than an origin. */
const readOrigin = (text: string): string | undefined => {
  const url = readUrl(text)
  return url !== undefined && url.href === `${url.origin}/` && !/[?#*]/.test(text) ? url.origin : undefined
}

export const isOrigin = (text: string): boolean => readOrigin(text) !== undefined

/** In the form in which it is compared. Throws MeshError E_USAGE if it is none. */
export const ensureOrigin = (text: string): string => {
  const origin = readOrigin(text)
  if (origin !== undefined) return origin
  throw new MeshError(
    'E_USAGE',
    `${JSON.stringify(text)} is no origin; write one such as https://api.example.com or http://localhost:8080`,
  )
}
