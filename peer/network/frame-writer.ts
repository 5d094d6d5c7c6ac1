import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { KIB } from '../../protocol/limits.ts'
import { soon } from '../soon.ts'
import { CHANNEL_UNSENT_BYTES } from './limits.ts'

/**
 * What a connection cannot take waits in its channel, not where all channels queue up: but a write cannot be taken
 * back. Smaller ones cost more: 64 KiB a fifth more processor time on bulk than 1 MiB.
 */
const WRITE_BYTES = 256 * KIB

const joinFrames = (frames: readonly Uint8Array[]): Uint8Array => {
  const pieces = [...encode(frames, { maxDataLength: Number.POSITIVE_INFINITY })]
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}

/** Writes frames, each behind its length as an unsigned varint, to a stream. */
export class FrameWriter {
  readonly #stream: Stream
  readonly #failed: (cause: unknown) => void
  #frames: Uint8Array[] = []
  #framesBytes = 0
  /** Joined frames of before, but for what is written of them. */
  #joined: Uint8Array = new Uint8Array(0)
  #isScheduled = false
  #isStopped = false
  readonly #waiting: (() => void)[] = []

  /** `failed`: the stream takes no more. */
  constructor(stream: Stream, failed: (cause: unknown) => void) {
    this.#stream = stream
    this.#failed = failed
    // The stream itself goes on in a microtask of this event; only then is it known whether there is room for more.
    stream.addEventListener('drain', () => queueMicrotask(() => this.#writeSome()))
  }

  /** Bytes that neither the muxer nor the socket has taken. */
  get unsentBytes(): number {
    return this.#framesBytes + this.#joined.length + this.#stream.writeBufferLength
  }

  send(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#framesBytes += frame.length
    if (this.#isScheduled) return
    this.#isScheduled = true
    // Each write costs some 30 µs of encryption and system call: waited for, it carries 6 times the calls at 128 in flight.
    soon(() => {
      this.#isScheduled = false
      this.#writeSome()
    })
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isStopped || this.unsentBytes < CHANNEL_UNSENT_BYTES) resolve()
      else this.#waiting.push(resolve)
    })
  }

  /** Hands everything to the stream now. */
  flush(): void {
    this.#write(Number.POSITIVE_INFINITY, () => true)
  }

  /** Nothing more goes out; whoever waits for `drained` goes on. */
  stop(): void {
    this.#isStopped = true
    this.#release()
  }

  #writeSome(): void {
    this.#write(WRITE_BYTES, () => !this.#stream.writableNeedsDrain)
    if (this.unsentBytes <= CHANNEL_UNSENT_BYTES / 2) this.#release()
  }

  #write(bytes: number, canTakeMore: () => boolean): void {
    try {
      while (!this.#isStopped && canTakeMore()) {
        const taken = this.#take(bytes)
        if (!taken) return
        this.#stream.send(taken)
      }
    } catch (cause) {
      this.#failed(cause)
    }
  }

  /** The next bytes to write, at most `bytes`; undefined: there are none. */
  #take(bytes: number): Uint8Array | undefined {
    if (this.#joined.length === 0) {
      if (this.#frames.length === 0) return undefined
      this.#joined = joinFrames(this.#frames)
      this.#frames = []
      this.#framesBytes = 0
    }
    const taken = this.#joined.subarray(0, bytes)
    this.#joined = this.#joined.subarray(taken.length)
    return taken
  }

  #release(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}
