/** Blob and File, after the File API, over bytes in memory. */
import { joinBytes } from './joined.ts'
import { instant, use } from './prelude-exports.ts'
import { decodeUtf8, encodeUtf8, viewOf } from './text.ts'

type Part = ArrayBuffer | ArrayBufferView | Blob | string

const isBytes = (x: unknown): boolean => x instanceof ArrayBuffer || ArrayBuffer.isView(x)

/** What is no printable ASCII makes a type no type. */
const typeOf = (type: unknown): string => {
  const text = `${type ?? ''}`
  return /[^\x20-\x7e]/.test(text) ? '' : text.toLowerCase()
}

/** Where an index, counted from the end if it is negative, falls. Web IDL rounds to the nearest, halves to even. */
const clamp = (index: number, length: number): number => {
  const up = Math.round(index) || 0
  const at = up - index === 0.5 && up % 2 !== 0 ? up - 1 : up
  return at < 0 ? Math.max(length + at, 0) : Math.min(at, length)
}

export let bytesOfBlob: (blob: Blob) => Uint8Array<ArrayBuffer>

export class Blob {
  #bytes: Uint8Array<ArrayBuffer>
  #type: string

  static {
    bytesOfBlob = (blob) => blob.#bytes
  }

  constructor(parts: Iterable<Part> = [], options: { type?: string; endings?: string } = {}) {
    if (typeof parts !== 'object' || parts === null || typeof parts[Symbol.iterator] !== 'function')
      throw new TypeError('Blob: the parts must be a sequence')
    const endings = `${options?.endings ?? 'transparent'}`
    if (endings !== 'transparent' && endings !== 'native') throw new TypeError(`Blob: no endings ${endings}`)
    const bytesOf = (part: Part): Uint8Array => {
      if (isBytes(part)) return viewOf(part, 'Blob')
      if (part instanceof Blob) return part.#bytes
      const text = `${part}`
      return encodeUtf8(endings === 'native' ? text.replace(/\r\n?|\n/g, '\n') : text)
    }
    this.#bytes = joinBytes(Array.from(parts, bytesOf))
    this.#type = typeOf(options?.type)
  }

  get size(): number {
    return this.#bytes.length
  }

  get type(): string {
    return this.#type
  }

  slice(start: number = 0, end: number = this.size, type: string = ''): Blob {
    const from = clamp(start, this.size)
    const blob = new Blob([], { type })
    blob.#bytes = this.#bytes.subarray(from, Math.max(from, clamp(end, this.size)))
    return blob
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice()
  }

  async text(): Promise<string> {
    const text = decodeUtf8(this.#bytes)
    return text.startsWith('\ufeff') ? text.slice(1) : text
  }

  stream() {
    return use('streams').streamOf(this.#bytes)
  }
}

export class File extends Blob {
  #name: string
  #lastModified: number

  constructor(parts: Iterable<Part>, name: string, options: { type?: string; lastModified?: number } = {}) {
    if (arguments.length < 2) throw new TypeError('File: 2 arguments are required')
    super(parts, options)
    this.#name = `${name}`.toWellFormed()
    this.#lastModified = Math.trunc(Number(options?.lastModified ?? instant)) || 0
  }

  get name(): string {
    return this.#name
  }

  get lastModified(): number {
    return this.#lastModified
  }
}
