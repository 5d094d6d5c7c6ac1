/** Where the engine on the Storage port keeps what: names and keys as storage keys, which sort like the keys themselves. */

/** Newest value of each key: `state/NAMESPACE/KEY`. */
export const ENTRIES = 'state/'
/** What one write to the disk has committed: `state-group/FIRST`. */
export const GROUPS = 'state-group/'
/** Keys and bytes of a namespace: `state-total/NAMESPACE`. */
export const TOTALS = 'state-total/'
/** A large value: `state-large/REVISION-N`. */
export const LARGE = 'state-large/'
/** Large values that the commit of that revision has replaced: `state-gone/REVISION`. */
export const GONE = 'state-gone/'

/** Bytes of a key that stand for themselves: printable ASCII but for the space and the three signs below. */
const PLAIN = /^["-|]*$/
/** Before what sorts below them, and (two, for there are 131) before what sorts above. */
const LOW = '!'
const HIGH = ['}', '~'] as const
const FIRST_LOW = 0x20
const FIRST_HIGH = 0x7d
const HIGH_EACH = 66
const FIRST_SIGN = 0x21

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const escaped = (byte: number): string => {
  if (byte < FIRST_LOW + 2) return LOW + String.fromCharCode(FIRST_SIGN + byte - FIRST_LOW)
  if (byte < FIRST_HIGH) return String.fromCharCode(byte)
  const index = byte - FIRST_HIGH
  return HIGH[index < HIGH_EACH ? 0 : 1] + String.fromCharCode(FIRST_SIGN + (index % HIGH_EACH))
}

const encodeText = (text: string): string => {
  if (PLAIN.test(text)) return text
  let encoded = ''
  for (const byte of encoder.encode(text)) encoded += escaped(byte)
  return encoded
}

const decodeText = (encoded: string): string => {
  if (PLAIN.test(encoded)) return encoded
  const bytes: number[] = []
  for (let at = 0; at < encoded.length; at++) {
    const sign = encoded.charAt(at)
    if (sign !== LOW && sign !== HIGH[0] && sign !== HIGH[1]) bytes.push(encoded.charCodeAt(at))
    else {
      at += 1
      const index = encoded.charCodeAt(at) - FIRST_SIGN
      const first = sign === LOW ? FIRST_LOW : sign === HIGH[0] ? FIRST_HIGH : FIRST_HIGH + HIGH_EACH
      bytes.push(first + index)
    }
  }
  return decoder.decode(Uint8Array.from(bytes))
}

/** Of a key, or of a prefix of keys. Byte by byte, so that prefixes and order stay what they are. */
export const entryKey = (namespace: string, text: string): string => `${ENTRIES}${namespace}/${encodeText(text)}`

export const namespaceOf = (storageKey: string): string =>
  storageKey.slice(ENTRIES.length, storageKey.indexOf('/', ENTRIES.length))

export const keyOf = (storageKey: string): string =>
  decodeText(storageKey.slice(storageKey.indexOf('/', ENTRIES.length) + 1))

/** Bytes of the key in UTF-8. */
export const keyBytesOf = (storageKey: string): number => {
  const from = storageKey.indexOf('/', ENTRIES.length) + 1
  let bytes = storageKey.length - from
  for (let at = from; at < storageKey.length; at++) {
    const code = storageKey.charCodeAt(at)
    if (code !== FIRST_SIGN && code < FIRST_HIGH) continue
    at += 1
    bytes -= 1
  }
  return bytes
}

/** Of revisions up to 2^53, in their order. */
export const revisionKey = (prefix: string, revision: number): string =>
  prefix + revision.toString(36).padStart(11, '0')

export const revisionOf = (prefix: string, storageKey: string): number =>
  Number.parseInt(storageKey.slice(prefix.length), 36)
