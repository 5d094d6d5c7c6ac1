import type { Stream } from '@libp2p/interface'
import { CHANNEL_UNDELIVERED_BYTES_MAX } from './limits.ts'

type Chunk = { byteLength: number; subarray(): Uint8Array }

/**
 * The bytes of a stream as an async iterable that pauses the stream while its consumer is at work (libp2p's own never
 * does). Ends when the other side has closed its half, or the stream is over and its last byte read.
 */
export interface StreamReader {
  readonly source: AsyncGenerator<Uint8Array>
  /** Ends the iteration, whatever is left, and lets the other side go on writing into the void. */
  discard(): void
}

export const createStreamReader = (stream: Stream): StreamReader => {
  const chunks: Chunk[] = []
  let bytes = 0
  let discarding = false
  let resuming = false
  let wake: (() => void) | undefined

  const wakeUp = () => {
    wake?.()
    wake = undefined
  }

  const take = (chunk: Chunk) => {
    chunks.push(chunk)
    bytes += chunk.byteLength
    // yamux forgets a pause that comes while it resumes: it would go on granting window.
    if (bytes > CHANNEL_UNDELIVERED_BYTES_MAX && !resuming) stream.pause()
    wakeUp()
  }

  const resume = () => {
    if (stream.readStatus !== 'paused') return
    resuming = true
    try {
      stream.resume()
    } catch {
      // The connection is gone: what was received has been handed over, but no window can be granted any more.
    }
    resuming = false
  }

  const isOver = () =>
    discarding ||
    stream.readableEnded ||
    (stream.status !== 'open' && stream.status !== 'closing' && stream.readBufferLength === 0)

  const next = async (): Promise<Chunk | undefined> => {
    for (;;) {
      if (chunks.length === 0) resume()
      const chunk = chunks.shift()
      if (chunk) {
        bytes -= chunk.byteLength
        return chunk
      }
      if (isOver()) return undefined
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  stream.addEventListener('message', ({ data }) => take(data))
  stream.addEventListener('end', wakeUp)
  stream.addEventListener('close', wakeUp)

  return {
    source: (async function* () {
      for (let chunk = await next(); chunk && !discarding; chunk = await next()) yield chunk.subarray()
    })(),
    discard() {
      discarding = true
      wakeUp()
      resume()
      stream.closeRead().catch(() => {})
    },
  }
}
