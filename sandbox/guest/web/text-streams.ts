/** TextEncoderStream and TextDecoderStream, after the Encoding standard. */
import { type ReadableStream, TransformStream, type WritableStream } from 'web-streams-polyfill'
import { encodeUtf8, TextDecoder } from './text.ts'

const isLead = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

export class TextEncoderStream {
  #transform: TransformStream<unknown, Uint8Array>

  constructor() {
    // The first half of a surrogate pair waits for the second.
    let held = ''
    this.#transform = new TransformStream<unknown, Uint8Array>({
      transform(chunk, controller) {
        const text = `${held}${chunk}`
        held = text !== '' && isLead(text.charCodeAt(text.length - 1)) ? text.slice(-1) : ''
        const bytes = encodeUtf8(held === '' ? text : text.slice(0, -1))
        if (bytes.length > 0) controller.enqueue(bytes)
      },
      flush(controller) {
        if (held !== '') controller.enqueue(encodeUtf8(held))
      },
    })
  }

  get encoding(): string {
    return 'utf-8'
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#transform.readable
  }

  get writable(): WritableStream<unknown> {
    return this.#transform.writable
  }
}

export class TextDecoderStream {
  #decoder: TextDecoder
  #transform: TransformStream<unknown, string>

  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const decoder = new TextDecoder(label, options)
    this.#decoder = decoder
    this.#transform = new TransformStream<unknown, string>({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true })
        if (text !== '') controller.enqueue(text)
      },
      flush(controller) {
        const text = decoder.decode()
        if (text !== '') controller.enqueue(text)
      },
    })
  }

  get encoding(): string {
    return this.#decoder.encoding
  }

  get fatal(): boolean {
    return this.#decoder.fatal
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM
  }

  get readable(): ReadableStream<string> {
    return this.#transform.readable
  }

  get writable(): WritableStream<unknown> {
    return this.#transform.writable
  }
}
