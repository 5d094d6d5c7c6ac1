import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { CHANNEL_UNSENT_BYTES } from './limits.ts'

/**
 * Frames wait this many microtasks for others to share one write with. That is 2 µs; and since each write costs some
 * 30 µs of encryption and system call, it carries 6 times the calls at 128 in flight.
 */
const COALESCING_MICROTASKS = 32

const joinFrames = (frames: readonly Uint8Array[], maxDataLength: number): Uint8Array => {
  const pieces = [...encode(frames, { maxDataLength })]
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}

/** Writes frames, each behind its length as an unsigned varint, to a stream; `failed` says that it cannot go on. */
export interface FrameWriter {
  /** Bytes neither the muxer nor the socket has taken. */
  readonly unsentBytes: number
  send(frame: Uint8Array): void
  drained(): Promise<void>
  /** Hands everything to the stream now. */
  flush(): void
  /** Nothing more goes out; whoever waits for `drained` goes on. */
  stop(): void
}

export const createFrameWriter = (
  stream: Stream,
  frameBytesMax: number,
  failed: (cause: unknown) => void,
): FrameWriter => {
  let frames: Uint8Array[] = []
  let framesBytes = 0
  let scheduled = false
  let stopped = false
  const waiting: (() => void)[] = []

  const unsentBytes = () => framesBytes + stream.writeBufferLength

  const release = () => {
    if (unsentBytes() > CHANNEL_UNSENT_BYTES / 2) return
    for (const resume of waiting.splice(0)) resume()
  }

  const flush = () => {
    if (frames.length === 0 || stopped) return
    const joined = joinFrames(frames, frameBytesMax)
    frames = []
    framesBytes = 0
    try {
      stream.send(joined)
    } catch (cause) {
      failed(cause)
    }
  }

  const flushAfter = (microtasks: number): void =>
    queueMicrotask(() => {
      if (microtasks > 1) return flushAfter(microtasks - 1)
      scheduled = false
      if (!stream.writableNeedsDrain) flush()
    })

  stream.addEventListener('drain', () => {
    flush()
    release()
  })
  stream.addEventListener('idle', release)

  return {
    get unsentBytes() {
      return unsentBytes()
    },
    send(frame) {
      frames.push(frame)
      framesBytes += frame.length
      if (!scheduled) flushAfter(COALESCING_MICROTASKS)
      scheduled = true
    },
    drained: () =>
      new Promise((resolve) => {
        if (stopped || unsentBytes() < CHANNEL_UNSENT_BYTES) resolve()
        else waiting.push(resolve)
      }),
    flush,
    stop() {
      stopped = true
      for (const resume of waiting.splice(0)) resume()
    },
  }
}
