/** TextDecoder, after the Encoding standard, for utf-8, utf-16 and windows-1252 (which is what latin1 means there). */
import { decodePart, viewOf } from './utf8.ts'

/** The labels of each encoding, without its name. */
const LABELS: Record<string, string> = {
  'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8',
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16',
  'utf-16be': 'unicodefffe',
  'windows-1252':
    'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252',
}

/** What windows-1252 has at 0x80 to 0x9f. */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

const encodingOf = (label: string): string | undefined => {
  const wanted = label.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '').toLowerCase()
  for (const name in LABELS) if (name === wanted || ` ${LABELS[name]} `.includes(` ${wanted} `)) return name
  return undefined
}

type Decoded = { text: string; rest: number }

const decodeUtf16 = (bytes: Uint8Array, last: boolean, fatal: boolean, big: boolean): Decoded => {
  const unit = (i: number) => ((bytes[big ? i : i + 1] as number) << 8) | (bytes[big ? i + 1 : i] as number)
  let text = ''
  let i = 0
  for (; i + 1 < bytes.length; i += 2) text += String.fromCharCode(unit(i))
  const waits = !last && /[\ud800-\udbff]$/.test(text)
  if (waits) {
    text = text.slice(0, -1)
    i -= 2
  }
  if (last && i < bytes.length) text += '\udc00'
  if (fatal && !text.isWellFormed()) throw new TypeError('TextDecoder: the bytes are not utf-16')
  return { text: text.toWellFormed(), rest: last ? bytes.length : i }
}

const decodeWindows1252 = (bytes: Uint8Array): Decoded => {
  let text = ''
  for (const b of bytes) text += b >= 0x80 && b < 0xa0 ? WINDOWS_1252[b - 0x80] : String.fromCharCode(b)
  return { text, rest: bytes.length }
}

const decode = (encoding: string, bytes: Uint8Array, last: boolean, fatal: boolean): Decoded => {
  if (encoding === 'utf-8') return decodePart(bytes, last, fatal)
  if (encoding === 'windows-1252') return decodeWindows1252(bytes)
  return decodeUtf16(bytes, last, fatal, encoding === 'utf-16be')
}

export class TextDecoder {
  #encoding: string
  #fatal: boolean
  #ignoreBOM: boolean
  #held = new Uint8Array(0)
  #begun = false

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const encoding = encodingOf(`${label}`)
    if (encoding === undefined)
      throw new RangeError(`TextDecoder: only ${Object.keys(LABELS).join(', ')} are served here, not ${label}`)
    this.#encoding = encoding
    this.#fatal = !!fatal
    this.#ignoreBOM = !!ignoreBOM
  }

  get encoding(): string {
    return this.#encoding
  }

  get fatal(): boolean {
    return this.#fatal
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBOM
  }

  decode(source?: unknown, { stream = false }: { stream?: boolean } = {}): string {
    const bytes = this.#joined(source === undefined ? new Uint8Array(0) : viewOf(source, 'TextDecoder.decode'))
    this.#held = new Uint8Array(0)
    const begun = this.#begun
    this.#begun = false
    const { text, rest } = decode(this.#encoding, bytes, !stream, this.#fatal)
    this.#begun = !!stream && (begun || text !== '')
    if (stream) this.#held = bytes.slice(rest) as Uint8Array<ArrayBuffer>
    const mark = !begun && !this.#ignoreBOM && this.#encoding !== 'windows-1252' && text.startsWith('\ufeff')
    return mark ? text.slice(1) : text
  }

  #joined(bytes: Uint8Array): Uint8Array {
    const held = this.#held
    if (held.length === 0) return bytes
    const joined = new Uint8Array(held.length + bytes.length)
    joined.set(held)
    joined.set(bytes, held.length)
    return joined
  }
}
