/** The Streams standard, by web-streams-polyfill, with what texts and bodies need of it. */
import { ReadableStream } from 'web-streams-polyfill'
import { joinBytes } from './joined.ts'

export * from 'web-streams-polyfill'
export { TextDecoderStream, TextEncoderStream } from './text-streams.ts'

/** It has been read from or cancelled. The library keeps this, as its standard does, where no one else asks. */
export const isDisturbed = (stream: ReadableStream): boolean =>
  (stream as unknown as { _disturbed: boolean })._disturbed

export const isStream = (x: unknown): x is ReadableStream => x instanceof ReadableStream

/** A stream that gives `bytes` when it is read, at once. */
export const streamOf = (bytes: Uint8Array): ReadableStream =>
  new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (bytes.length > 0) controller.enqueue(bytes.slice())
      controller.close()
      controller.byobRequest?.respond(0)
    },
  })

export const readAll = async (stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> => {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!(value instanceof Uint8Array)) {
      const error = new TypeError('a body is read as bytes: each chunk must be a Uint8Array')
      await reader.cancel(error)
      throw error
    }
    chunks.push(value)
  }
  return joinBytes(chunks)
}
