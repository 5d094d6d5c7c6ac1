/** UTF-8, and TextEncoder. */

/** More arguments than this at once are much for the engine's stack. */
const CHUNK = 2048

/** The bytes of an ArrayBuffer or of a view of one, without a copy. Throws TypeError. */
export const viewOf = (source: unknown, what: string): Uint8Array => {
  if (source instanceof Uint8Array) return source
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  throw new TypeError(`${what}: expected an ArrayBuffer or a view of one`)
}

/** Writes as much of a well-formed text as fits: how many code units were read, and how many bytes written. */
const encodeInto = (text: string, bytes: Uint8Array): { read: number; written: number } => {
  let at = 0
  let read = 0
  for (; read < text.length; read++) {
    const c = text.codePointAt(read) as number
    const length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4
    if (at + length > bytes.length) break
    if (length === 1) bytes[at++] = c
    else {
      bytes[at++] = ((0xf00 >> length) & 0xff) | (c >> (6 * (length - 1)))
      for (let shift = 6 * (length - 2); shift >= 0; shift -= 6) bytes[at++] = 0x80 | ((c >> shift) & 0x3f)
    }
    if (length === 4) read++
  }
  return { read, written: at }
}

const utf8Length = (text: string): number => {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c >= 0xd800 && c < 0xdc00) {
      i++
      length += 4
    } else length += c < 0x80 ? 1 : c < 0x800 ? 2 : 3
  }
  return length
}

export const encodeUtf8 = (text: string): Uint8Array<ArrayBuffer> => {
  const wellFormed = text.toWellFormed()
  const bytes = new Uint8Array(utf8Length(wellFormed))
  encodeInto(wellFormed, bytes)
  return bytes
}

/** The character that begins at i and its length; c is -1 where the bytes are wrong, or cut short by their end. */
const decodeOne = (bytes: Uint8Array, i: number): { length: number; c: number; cut?: boolean } => {
  const b = bytes[i] as number
  const needed = b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : 0
  let c = needed === 0 ? 0 : b & (0x3f >> needed)
  for (let k = 1; k <= needed; k++) {
    const next = bytes[i + k]
    const low = k > 1 ? 0x80 : b === 0xe0 ? 0xa0 : b === 0xf0 ? 0x90 : 0x80
    const high = k > 1 ? 0xbf : b === 0xed ? 0x9f : b === 0xf4 ? 0x8f : 0xbf
    if (next === undefined || next < low || next > high) return { length: k, c: -1, cut: next === undefined }
    c = (c << 6) | (next & 0x3f)
  }
  return needed === 0 ? { length: 1, c: -1 } : { length: needed + 1, c }
}

/** Decodes what is complete, or all where `last`. `rest`: where that ended. Throws TypeError where `fatal` and wrong. */
export const decodePart = (bytes: Uint8Array, last: boolean, fatal: boolean): { text: string; rest: number } => {
  let text = ''
  let i = 0
  while (i < bytes.length) {
    let end = i
    while (end < bytes.length && end - i < CHUNK && (bytes[end] as number) < 0x80) end++
    if (end > i) {
      text += String.fromCharCode.apply(null, bytes.subarray(i, end) as unknown as number[])
      i = end
      continue
    }
    const { length, c, cut } = decodeOne(bytes, i)
    if (c < 0 && cut && !last) break
    if (c < 0 && fatal) throw new TypeError('TextDecoder: the bytes are not utf-8')
    text += c < 0 ? '\ufffd' : String.fromCodePoint(c)
    i += length
  }
  return { text, rest: i }
}

/** "UTF-8 decode without BOM": what is wrong becomes U+FFFD. */
export const decodeUtf8 = (bytes: Uint8Array): string => decodePart(bytes, true, false).text

export class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(input: string = ''): Uint8Array<ArrayBuffer> {
    return encodeUtf8(`${input}`)
  }

  encodeInto(input: string, bytes: Uint8Array): { read: number; written: number } {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('TextEncoder.encodeInto: expected a Uint8Array')
    return encodeInto(`${input}`.toWellFormed(), bytes)
  }
}
