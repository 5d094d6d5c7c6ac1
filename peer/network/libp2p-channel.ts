/** A Channel over one libp2p stream, with the frames of it-length-prefixed. */
import type { Stream } from '@libp2p/interface'
import { MeshError } from '../../protocol/errors.ts'
import type { FailPoints } from '../../protocol/fail-points.ts'
import type { Log } from '../../protocol/log.ts'
import type { Channel, Clock } from '../../protocol/ports.ts'
import { FrameWriter } from './frame-writer.ts'
import { CHANNEL_LINGER_MS, CHANNEL_UNSENT_BYTES, CHANNEL_UNSENT_BYTES_MAX } from './limits.ts'
import { paced } from './paced.ts'
import { CLOSED_HERE, CLOSED_THERE, CONNECTION_LOST, RESET_THERE } from './reasons.ts'
import { StreamReader } from './stream-reader.ts'

export interface StreamChannelOptions {
  peer: string
  outbound: boolean
  frameBytesMax: number
  clock: Clock
  log: Log
  failPoints: FailPoints
}

type Receivers = Parameters<Channel['receive']>[0]

/** Wraps a stream just opened or accepted; whoever gets it sets the receivers before yielding. */
export class StreamChannel implements Channel {
  readonly peer: string
  readonly protocol: string
  readonly outbound: boolean
  readonly #stream: Stream
  readonly #options: StreamChannelOptions
  readonly #reader: StreamReader
  readonly #writer: FrameWriter
  #receivers: Receivers | undefined
  #frameBytesMax: number
  #endReason: string | undefined
  #closedThere = false

  constructor(stream: Stream, options: StreamChannelOptions) {
    this.peer = options.peer
    this.protocol = stream.protocol
    this.outbound = options.outbound
    this.#stream = stream
    this.#options = options
    this.#frameBytesMax = options.frameBytesMax
    this.#writer = new FrameWriter(stream, (cause) => this.#abort(String(cause)))
    stream.addEventListener('remoteCloseWrite', () => {
      this.#closedThere = true
    })
    stream.addEventListener('close', ({ error }) => this.#streamClosed(error))
    // After our own listeners: why a stream closed is heard before that it has ended.
    this.#reader = new StreamReader(stream, options.frameBytesMax)
  }

  get hasReceivers(): boolean {
    return this.#receivers !== undefined
  }

  /** What came and was not handed over, and what was sent and did not leave. */
  get heldBytes(): number {
    return this.#reader.heldBytes + this.#writer.unsentBytes
  }

  send(frame: Uint8Array): boolean {
    if (this.#endReason !== undefined) return true
    const { failPoints } = this.#options
    if (frame.length > this.#frameBytesMax) {
      const message = `a frame of ${frame.length} bytes is too long for ${this.protocol}; send at most ${this.#frameBytesMax}`
      throw new MeshError('E_MESSAGE_LIMIT', message)
    }
    try {
      failPoints.hit('channel.send')
    } catch (cause) {
      this.#abort((cause as Error).message)
      return true
    }
    this.#writer.send(frame)
    const { unsentBytes } = this.#writer
    if (unsentBytes > CHANNEL_UNSENT_BYTES_MAX) this.#abort(`the other side does not read: ${unsentBytes} bytes unsent`)
    return unsentBytes < CHANNEL_UNSENT_BYTES
  }

  drained(): Promise<void> {
    return this.#writer.drained()
  }

  allow(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax
    this.#reader.allow(frameBytesMax)
  }

  receive(given: Receivers): void {
    const receivers = paced(this.#options.clock, given)
    this.#receivers = receivers
    if (this.#endReason !== undefined) this.#sayClosed(this.#endReason)
    else
      this.#reader.start({
        frame: (frame) => this.#handOver(receivers, frame),
        ended: () => this.#endedThere(),
        failed: (cause) => this.#breach(cause),
      })
  }

  close({ abort }: { abort?: string } = {}): void {
    if (this.#endReason !== undefined) return
    if (abort !== undefined) this.#abort(abort)
    else this.#closeGently(CLOSED_HERE)
  }

  #endedThere(): void {
    if (this.#endReason === undefined) this.#closeGently(this.#closedThere ? CLOSED_THERE : CONNECTION_LOST)
  }

  #handOver(receivers: Receivers, frame: Uint8Array): Promise<void> | undefined {
    try {
      return receivers.frame(frame)?.catch((cause) => this.#receiverFailed(cause))
    } catch (cause) {
      this.#receiverFailed(cause)
    }
  }

  #receiverFailed(cause: unknown): void {
    const reason = String((cause as Error)?.stack ?? cause)
    this.#options.log.event('internal.error', { peer: this.peer, code: 'E_INTERNAL', reason })
    this.#abort('E_INTERNAL: a receiver failed')
  }

  #breach(cause: unknown): void {
    if (!(cause instanceof MeshError)) return this.#receiverFailed(cause)
    this.#options.log.event('peer.misbehaved', { peer: this.peer, code: cause.code, reason: cause.message })
    this.#abort(`${cause.code}: ${cause.message}`)
  }

  #streamClosed(error: Error | undefined): void {
    this.#writer.stop()
    if (!error || this.#endReason !== undefined) return
    this.#end(error.name === 'StreamResetError' ? RESET_THERE : `${CONNECTION_LOST}: ${error.message}`)
  }

  #abort(reason: string): void {
    if (this.#endReason !== undefined) return
    this.#end(reason)
    this.#stream.abort(new Error(reason))
  }

  /** Flushes and closes our half; the other side has a while to close its own. */
  #closeGently(reason: string): void {
    const stream = this.#stream
    this.#writer.flush()
    // A stream that cannot be written to has ended the channel by now.
    if (this.#endReason !== undefined) return
    this.#end(reason)
    if (stream.status !== 'open') return
    const cancel = this.#options.clock.after(CHANNEL_LINGER_MS, () => stream.abort(new Error('not closed in time')))
    stream.addEventListener('close', cancel)
    stream.close().catch(() => {})
  }

  #end(reason: string): void {
    this.#endReason = reason
    this.#writer.stop()
    this.#reader.discard()
    if (this.#receivers) this.#sayClosed(reason)
  }

  #sayClosed(reason: string): void {
    queueMicrotask(() => this.#receivers?.closed(reason))
  }
}
