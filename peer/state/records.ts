/** How the engine on the Storage port writes what it keeps. */
import type { Holdings } from './engine.ts'

/** A value that is kept apart from its key, so that whoever rewrites the keys around it does not rewrite it. */
export interface LargeValue {
  /** Which of its commit's large values it is. */
  index: number
  bytes: number
}

export type KeptValue = Uint8Array | LargeValue

/** Kind in the first byte, version in seven. */
const HEAD_BYTES = 8
const LARGE_KIND = 1
const HIGH_UNIT = 2 ** 32

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const isLarge = (value: KeptValue | undefined): value is LargeValue =>
  value !== undefined && !(value instanceof Uint8Array)

export const bytesOf = (value: KeptValue | undefined): number =>
  value === undefined ? 0 : value instanceof Uint8Array ? value.length : value.bytes

const writeHead = (into: Uint8Array, kind: number, version: number) => {
  const high = Math.floor(version / HIGH_UNIT)
  into[0] = kind
  into[1] = high >>> 16
  into[2] = high >>> 8
  into[3] = high
  into[4] = version >>> 24
  into[5] = version >>> 16
  into[6] = version >>> 8
  into[7] = version
}

export const encodeEntry = (version: number, value: KeptValue): Uint8Array => {
  if (isLarge(value)) {
    const bytes = new Uint8Array(HEAD_BYTES + 8)
    writeHead(bytes, LARGE_KIND, version)
    const view = new DataView(bytes.buffer, HEAD_BYTES)
    view.setUint32(0, value.index)
    view.setUint32(4, value.bytes)
    return bytes
  }
  const bytes = new Uint8Array(HEAD_BYTES + value.length)
  writeHead(bytes, 0, version)
  bytes.set(value, HEAD_BYTES)
  return bytes
}

export const decodeEntry = (bytes: Uint8Array): { version: number; value: KeptValue } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const version = (view.getUint32(0) & 0xffffff) * HIGH_UNIT + view.getUint32(4)
  const value = bytes[0] === LARGE_KIND ? { index: view.getUint32(8), bytes: view.getUint32(12) } : bytes.subarray(8)
  return { version, value }
}

/** The ids of consecutive commits, the first of which has the revision that is the record's key. */
export const encodeIds = (ids: readonly string[]): Uint8Array => encoder.encode(ids.join('\n'))
export const decodeIds = (bytes: Uint8Array): string[] => decoder.decode(bytes).split('\n')

export const encodeHoldings = ({ keys, bytes }: Holdings): Uint8Array => encoder.encode(`${keys} ${bytes}`)
export const decodeHoldings = (encoded: Uint8Array): Holdings => {
  const [keys = 0, bytes = 0] = decoder.decode(encoded).split(' ').map(Number)
  return { keys, bytes }
}
