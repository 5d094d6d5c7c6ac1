/** Bodies, after the Fetch standard ("Body mixin"). Most are bytes: a stream is made of them where one is asked for. */
import type { ReadableStream } from 'web-streams-polyfill'
import { evaluated, use } from './prelude-exports.ts'
import { decodeUtf8, encodeUtf8, viewOf } from './text.ts'

type Bytes = Uint8Array<ArrayBuffer>

export class Body {
  /** Undefined: the stream has them. */
  #bytes: Bytes | undefined
  #stream: ReadableStream | undefined
  #used = false

  constructor(source: Bytes | ReadableStream) {
    if (source instanceof Uint8Array) this.#bytes = source
    else this.#stream = source
  }

  get stream(): ReadableStream {
    this.#stream ??= use('streams').streamOf(this.#used ? new Uint8Array(0) : (this.#bytes as Bytes))
    this.#bytes = undefined
    return this.#stream
  }

  get used(): boolean {
    return this.#used || (this.#stream !== undefined && use('streams').isDisturbed(this.#stream))
  }

  get unusable(): boolean {
    return this.used || (this.#stream?.locked ?? false)
  }

  /** Its bytes, where nothing has to be waited for. */
  get bytesNow(): Bytes | undefined {
    return this.#used ? undefined : this.#bytes
  }

  async take(): Promise<Bytes> {
    const bytes = this.#bytes
    if (!bytes) return use('streams').readAll(this.stream)
    this.#used = true
    return bytes.slice()
  }

  /** A second body with the same content. */
  copy(): Body {
    if (this.#bytes) return new Body(this.#bytes)
    const [one, other] = this.stream.tee()
    this.#stream = one
    return new Body(other)
  }

  /** What is left of this body, which counts as read. */
  moved(): Body {
    const body = this.#bytes
      ? new Body(this.#bytes)
      : new Body(this.stream.pipeThrough(new (use('streams').TransformStream)()))
    this.#used = true
    return body
  }
}

/** A body of what a Request or Response is made with, and the type that it brings along. */
export const extractBody = (init: unknown): { body: Body; type: string | null } => {
  if (typeof init === 'object' && init !== null) {
    const known = extractObject(init)
    if (known) return known
  }
  return { body: new Body(encodeUtf8(`${init}`)), type: 'text/plain;charset=UTF-8' }
}

const extractObject = (init: object): { body: Body; type: string | null } | undefined => {
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init))
    return { body: new Body(viewOf(init, 'body').slice() as Bytes), type: null }
  const [blob, url, streams] = [evaluated('blob'), evaluated('url'), evaluated('streams')]
  if (url && init instanceof url.URLSearchParams)
    return { body: new Body(encodeUtf8(init.toString())), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (blob && init instanceof blob.Blob) return { body: new Body(blob.bytesOfBlob(init)), type: init.type || null }
  if (blob && init instanceof blob.FormData) {
    const { bytes, type } = blob.writeMultipart(init)
    return { body: new Body(bytes), type }
  }
  if (streams?.isStream(init)) {
    if (init.locked || streams.isDisturbed(init)) throw new TypeError('the stream of a body has been used already')
    return { body: new Body(init), type: null }
  }
  return undefined
}

/** The value of a parameter of a media type. */
const parameterOf = (type: string, name: string): string | undefined => {
  const found = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(type)
  return found?.[1] ?? found?.[2]
}

const formOf = (bytes: Uint8Array, type: string) => {
  const { FormData, readMultipart } = use('blob')
  if (/^multipart\/form-data\s*(;|$)/i.test(type)) return readMultipart(bytes, parameterOf(type, 'boundary') ?? '')
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type))
    throw new TypeError('formData: the body is of no type that holds a form')
  const form = new FormData()
  for (const [name, value] of new (use('url').URLSearchParams)(`?${decodeUtf8(bytes)}`)) form.append(name, value)
  return form
}

const textOf = (bytes: Uint8Array): string => decodeUtf8(bytes).replace(/^\ufeff/, '')

/** What Request and Response have in common. */
export interface BodyMixin {
  readonly body: ReadableStream | null
  readonly bodyUsed: boolean
  arrayBuffer(): Promise<ArrayBuffer>
  blob(): Promise<unknown>
  bytes(): Promise<Uint8Array>
  formData(): Promise<unknown>
  json(): Promise<unknown>
  text(): Promise<string>
}

/** Gives `prototype` the members of the mixin. */
export const mixBody = <T>(prototype: T, bodyOf: (self: T) => Body | null, typeOf: (self: T) => string): void => {
  const take = async (self: T): Promise<Bytes> => {
    const body = bodyOf(self)
    if (body?.unusable) throw new TypeError('Body is unusable: Body has already been read')
    return body ? body.take() : new Uint8Array(0)
  }
  const members = {
    get body() {
      return bodyOf(this as T)?.stream ?? null
    },
    get bodyUsed() {
      return bodyOf(this as T)?.used ?? false
    },
    async arrayBuffer() {
      return (await take(this as T)).buffer
    },
    async blob() {
      const type = typeOf(this as T)
      return new (use('blob').Blob)([await take(this as T)], { type })
    },
    async bytes() {
      return take(this as T)
    },
    async formData() {
      const type = typeOf(this as T)
      return formOf(await take(this as T), type)
    },
    async json() {
      return JSON.parse(textOf(await take(this as T)))
    },
    async text() {
      return textOf(await take(this as T))
    },
  }
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(members))
}
