/** How the engine on the Storage port writes what it keeps. */
import type { Holdings } from './engine.ts'
import { heldBytes } from './large-reference.ts'

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

/** As quotas count it. */
export const countedBytes = (value: KeptValue | undefined): number =>
  value instanceof Uint8Array ? heldBytes(value) : bytesOf(value)

const LARGE_BODY_BYTES = 8

const bodyBytes = (value: KeptValue | undefined) => (isLarge(value) ? LARGE_BODY_BYTES : bytesOf(value))

/** Room for many entries at once: to find memory for each would take longer than to fill it. */
export class EntryPage {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #end = 0

  /** For no more than these, in any order. */
  constructor(entries: readonly { value: KeptValue | undefined }[]) {
    let bytes = 0
    for (const { value } of entries) bytes += HEAD_BYTES + bodyBytes(value)
    this.#bytes = new Uint8Array(bytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  encode(version: number, value: KeptValue): Uint8Array {
    const start = this.#end
    const body = start + HEAD_BYTES
    this.#end = body + bodyBytes(value)
    this.#view.setUint32(start, Math.floor(version / HIGH_UNIT))
    this.#view.setUint32(start + 4, version % HIGH_UNIT)
    if (isLarge(value)) {
      this.#bytes[start] = LARGE_KIND
      this.#view.setUint32(body, value.index)
      this.#view.setUint32(body + 4, value.bytes)
    } else this.#bytes.set(value, body)
    return this.#bytes.subarray(start, this.#end)
  }
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
