/** Percent-encoding, after the URL standard (url.spec.whatwg.org, "Percent-encoded bytes"). */
import { use } from './prelude-exports.ts'

/** The ASCII characters that each set adds to the controls and to all above U+007E. */
export const FRAGMENT = ' "<>`'
export const QUERY = ' "#<>'
export const SPECIAL_QUERY = `${QUERY}'`
export const PATH = `${QUERY}?^\`{}`
export const USERINFO = `${PATH}/:;=@[\\]|`
const COMPONENT = `${USERINFO}$%&+,`
export const FORM = `${COMPONENT}!'()~`

/** A string as the standard's USVString takes it. */
export const usv = (x: unknown): string => `${x}`.toWellFormed()

export const percentEncode = (text: string, set: string): string => {
  let out = ''
  let clean = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number
    if (code >= 0x20 && code < 0x7f && !set.includes(text[i] as string)) continue
    const char = String.fromCodePoint(code)
    const hex = code < 0x10 ? '%0' : '%'
    out += text.slice(clean, i) + (code < 0x80 ? hex + code.toString(16).toUpperCase() : encodeURIComponent(char))
    i += char.length - 1
    clean = i + 1
  }
  return out + text.slice(clean)
}

/** The text whose UTF-8 has its percent-encoded bytes replaced, as "UTF-8 decode without BOM" reads that. */
export const percentDecode = (text: string): string => {
  if (!text.includes('%')) return text
  const { encodeUtf8, decodeUtf8 } = use('text')
  const bytes = encodeUtf8(text)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 0x25 ? String.fromCharCode(...bytes.subarray(i + 1, i + 3)) : ''
    const escaped = /^[0-9a-fA-F]{2}$/.test(hex)
    bytes[length++] = escaped ? Number.parseInt(hex, 16) : (bytes[i] as number)
    if (escaped) i += 2
  }
  return decodeUtf8(bytes.subarray(0, length))
}
