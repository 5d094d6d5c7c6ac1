/** atob and btoa, after HTML ("Base64 utility methods"). */
import { use } from './prelude-exports.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const invalid = (message: string): Error => {
  const { DOMException } = use('exception')
  return new DOMException(message, 'InvalidCharacterError')
}

export const btoa = (input: string): string => {
  const text = `${input}`
  let out = ''
  for (let i = 0; i < text.length; i += 3) {
    const left = text.length - i
    const a = text.charCodeAt(i)
    const b = left > 1 ? text.charCodeAt(i + 1) : 0
    const c = left > 2 ? text.charCodeAt(i + 2) : 0
    if (a > 255 || b > 255 || c > 255) throw invalid('btoa: a character past U+00FF')
    const bits = (a << 16) | (b << 8) | c
    out += (DIGITS[bits >> 18] as string) + DIGITS[(bits >> 12) & 63]
    out += (left > 1 ? (DIGITS[(bits >> 6) & 63] as string) : '=') + (left > 2 ? DIGITS[bits & 63] : '=')
  }
  return out
}

export const atob = (input: string): string => {
  const compact = `${input}`.replace(/[\t\n\f\r ]+/g, '')
  const text = compact.length % 4 === 0 ? compact.replace(/==?$/, '') : compact
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw invalid('atob: not base64')
  let out = ''
  let bits = 0
  let count = 0
  for (const char of text) {
    bits = ((bits << 6) | DIGITS.indexOf(char)) & 0xffffff
    count += 6
    if (count >= 8) {
      count -= 8
      out += String.fromCharCode((bits >> count) & 255)
    }
  }
  return out
}
