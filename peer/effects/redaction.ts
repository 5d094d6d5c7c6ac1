/**
 * Secrets taken out of what a server answers, before it is recorded: as they are, and as servers write them down again: in
 * capitals, percent-encoded, escaped for JSON or HTML, in hexadecimal, and in base64 wherever they stand in what was encoded.
 */
import { joinBytes } from '../../protocol/join-bytes.ts'

/** A character a byte. What the bytes from 128 on become does not matter here. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)

const ENTITIES: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

/** One character in all its spellings. */
const spelled = (char: string): string => {
  const code = char.charCodeAt(0)
  const hex = code.toString(16).padStart(2, '0')
  const literal = /[\w]/.test(char) ? char : `\\\\?\\${char}`
  const entity = ENTITIES[char] === undefined ? '' : `|&${ENTITIES[char]};`
  return `(?:${literal}|%(?:25)*${hex}|\\\\u00${hex}|\\\\x${hex}|&#0*${code};|&#x0*${hex};${entity})`
}

const inAnySpelling = (text: string): string => [...text].map(spelled).join('')

const hexOf = (text: string): string =>
  [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('')

/** Lines of base64 end after 64 or 76 characters. */
const LINE_END = '(?:[\\r\\n]|\\\\[rn])*'
const BESIDE = '[\\w+/=-]?'

const base64Char = (char: string): string => {
  const other = { '+': '-', '/': '_' }[char]
  return other === undefined ? char : `(?:${spelled(char)}|${spelled(other)})`
}

/** With `before` bytes of something else in front; without the characters in which it shares bits with what is around it. */
const inBase64 = (text: string, before: number): string => {
  const chars = btoa('\0'.repeat(before) + text)
  const first = Math.ceil((before * 8) / 6)
  const end = Math.floor(((before + text.length) * 8) / 6)
  return BESIDE + [...chars.slice(first, end)].map(base64Char).join(LINE_END) + BESIDE
}

/** ASCII in, a pattern of all its disguises out. */
const disguises = (secret: string): RegExp =>
  new RegExp(
    [inAnySpelling(secret), hexOf(secret), ...[0, 1, 2].map((before) => inBase64(secret, before))].join('|'),
    'gi',
  )

export interface Redactor {
  text(text: string): string
  bytes(bytes: Uint8Array): Uint8Array
}

/** Takes out `secrets`, by the names of their bindings. Each is ASCII, of 8 characters at least. */
export const createRedactor = (secrets: ReadonlyMap<string, string>): Redactor => {
  const patterns = [...secrets].map(([name, value]) => ({ mark: `[secret ${name}]`, pattern: disguises(value) }))
  const text = (given: string): string =>
    patterns.reduce((left, { mark, pattern }) => left.replace(pattern, () => mark), given)
  const bytes = (given: Uint8Array): Uint8Array =>
    patterns.reduce((left, { mark, pattern }) => {
      const parts: Uint8Array[] = []
      let from = 0
      for (const { index, 0: found } of textOf(left).matchAll(pattern)) {
        parts.push(left.subarray(from, index), new TextEncoder().encode(mark))
        from = index + found.length
      }
      return from === 0 ? left : joinBytes([...parts, left.subarray(from)])
    }, given)
  return { text, bytes }
}
