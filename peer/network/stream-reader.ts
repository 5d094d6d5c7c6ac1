import type { Stream } from '@libp2p/interface'
import { CHANNEL_UNDELIVERED_BYTES_MAX } from './limits.ts'
import { FrameSplitter } from './split-frames.ts'

type Chunk = { byteLength: number; subarray(): Uint8Array }

export interface StreamReaderEvents {
  /** While a promise that it returns is pending, no further frame is handed over. It never rejects. */
  frame(frame: Uint8Array): Promise<void> | undefined
  /** The other side has closed its half, or the stream is over, and its last frame was handed over. */
  ended(): void
  /** What came is no frame. */
  failed(cause: unknown): void
}

/**
 * Hands over the frames of a stream as they come, one after another, and pauses the stream when more than
 * `CHANNEL_UNDELIVERED_BYTES_MAX` wait for a receiver at work (libp2p's own iterator never does).
 */
export class StreamReader {
  readonly #stream: Stream
  readonly #splitter: FrameSplitter
  readonly #chunks: Chunk[] = []
  #bytes = 0
  #events: StreamReaderEvents | undefined
  /** Handing over, or waiting until a frame has been dealt with. */
  #isBusy = false
  #isOver = false
  #isResuming = false

  constructor(stream: Stream, frameBytesMax: number) {
    this.#stream = stream
    this.#splitter = new FrameSplitter(frameBytesMax)
    stream.addEventListener('message', ({ data }) => this.#take(data))
    stream.addEventListener('end', () => this.#handOver())
    stream.addEventListener('close', () => this.#handOver())
  }

  /** Taken off the stream and not handed over. */
  get heldBytes(): number {
    return this.#bytes + this.#splitter.heldBytes
  }

  allow(frameBytesMax: number): void {
    this.#splitter.frameBytesMax = frameBytesMax
  }

  /** Begins in a microtask, so that whoever calls can finish what it does. */
  start(events: StreamReaderEvents): void {
    queueMicrotask(() => {
      this.#events = events
      this.#handOver()
    })
  }

  /** Hands over nothing more, and lets the other side go on writing into the void. */
  discard(): void {
    this.#isOver = true
    this.#resume()
    this.#stream.closeRead().catch(() => {})
  }

  #take(chunk: Chunk): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    this.#handOver()
    // yamux forgets a pause that comes while it resumes: it would go on granting window.
    if (this.#bytes > CHANNEL_UNDELIVERED_BYTES_MAX && !this.#isResuming) this.#stream.pause()
  }

  #handOver(): void {
    if (this.#isBusy || this.#isOver || !this.#events) return
    this.#isBusy = true
    try {
      // What follows a frame that ended it is not looked at.
      while (!this.#isOver) {
        const frame = this.#next()
        if (!frame) break
        const pending = this.#events.frame(frame)
        if (pending) {
          pending.then(() => this.#goOn())
          return
        }
      }
    } catch (cause) {
      this.#isOver = true
      return this.#events.failed(cause)
    }
    this.#isBusy = false
    if (this.#isAtEnd()) this.#end(this.#events)
    else this.#resume()
  }

  #goOn(): void {
    this.#isBusy = false
    this.#handOver()
  }

  #next(): Uint8Array | undefined {
    for (;;) {
      const frame = this.#splitter.next()
      if (frame) return frame
      const chunk = this.#chunks.shift()
      if (!chunk) return undefined
      this.#bytes -= chunk.byteLength
      this.#splitter.push(chunk.subarray())
    }
  }

  #isAtEnd(): boolean {
    const { readableEnded, status, readBufferLength } = this.#stream
    return readableEnded || (status !== 'open' && status !== 'closing' && readBufferLength === 0)
  }

  #end(events: StreamReaderEvents): void {
    if (this.#isOver) return
    this.#isOver = true
    events.ended()
  }

  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return
    this.#isResuming = true
    try {
      this.#stream.resume()
    } catch {
      // The connection is gone: what was received has been handed over, but no window can be granted any more.
    }
    this.#isResuming = false
    this.#handOver()
  }
}
