import { MeshError } from '../../protocol/errors.ts'
import type { FailPoints } from '../../protocol/fail-points.ts'
import type { Log } from '../../protocol/log.ts'
import type { Channel, Clock } from '../../protocol/ports.ts'
import { CHANNEL_UNSENT_BYTES, CHANNEL_UNSENT_BYTES_MAX } from './limits.ts'
import type { MemoryLink } from './memory-link.ts'
import { paced } from './paced.ts'
import { CLOSED_HERE, CLOSED_THERE, RESET_THERE } from './reasons.ts'

type Receivers = Parameters<Channel['receive']>[0]

export interface MemoryChannelOptions {
  /** PeerId of the other side. */
  peer: string
  protocol: string
  outbound: boolean
  frameBytesMax: number
  /** The way to the other side. */
  link: MemoryLink
  clock: Clock
  log: Log
  failPoints: FailPoints
  /** Called when this end has ended. */
  ended(): void
}

/** One end of a channel in memory; `join` makes two of them one channel. */
export class MemoryChannel implements Channel {
  readonly peer: string
  readonly protocol: string
  readonly outbound: boolean
  readonly #options: MemoryChannelOptions
  #other: MemoryChannel | undefined
  #receivers: Receivers | undefined
  #frameBytesMax: number
  #endReason: string | undefined
  /** Sent here and not yet taken there: what a socket and its window would hold. */
  #unsentBytes = 0
  #waiting: (() => void)[] = []
  /** Frames, and the reason once no more will come. */
  #arrived: (Uint8Array | string)[] = []
  #delivering = false

  constructor(options: MemoryChannelOptions) {
    this.peer = options.peer
    this.protocol = options.protocol
    this.outbound = options.outbound
    this.#options = options
    this.#frameBytesMax = options.frameBytesMax
  }

  static join(one: MemoryChannel, two: MemoryChannel): void {
    one.#other = two
    two.#other = one
  }

  get hasReceivers(): boolean {
    return this.#receivers !== undefined
  }

  get isOpen(): boolean {
    return this.#endReason === undefined
  }

  send(frame: Uint8Array): boolean {
    if (!this.isOpen) return true
    const { link, failPoints } = this.#options
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
    const copy = frame.slice()
    this.#unsentBytes += copy.length
    link.send(() => this.#other?.arrive(copy))
    const unsent = this.#unsentBytes
    if (unsent > CHANNEL_UNSENT_BYTES_MAX) this.#abort(`the other side does not read: ${unsent} bytes unsent`)
    return unsent < CHANNEL_UNSENT_BYTES
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.isOpen || this.#unsentBytes < CHANNEL_UNSENT_BYTES) resolve()
      else this.#waiting.push(resolve)
    })
  }

  allow(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax
  }

  receive(receivers: Receivers): void {
    this.#receivers = paced(this.#options.clock, receivers)
    if (this.#endReason !== undefined) this.#sayClosed(this.#endReason)
    else this.#deliver()
  }

  close({ abort }: { abort?: string } = {}): void {
    if (!this.isOpen) return
    if (abort !== undefined) return this.#abort(abort)
    this.#options.link.send(() => this.#other?.arrive(CLOSED_THERE))
    this.end(CLOSED_HERE)
  }

  /** A frame, or why no more will come. */
  arrive(item: Uint8Array | string): void {
    if (!this.isOpen) return
    this.#arrived.push(item)
    this.#deliver()
  }

  /** Longer than is taken: then the channel is over. */
  #isTooLong(frame: Uint8Array): boolean {
    if (frame.length <= this.#frameBytesMax) return false
    const reason = `a frame of ${frame.length} bytes; at most ${this.#frameBytesMax} are taken`
    this.#options.log.event('peer.misbehaved', { peer: this.peer, code: 'E_MESSAGE_LIMIT', reason })
    this.#abort(`E_MESSAGE_LIMIT: ${reason}`)
    return true
  }

  /** Ends this side alone, and says so to its receiver. */
  end(reason: string): void {
    if (!this.isOpen) return
    this.#endReason = reason
    this.#arrived = []
    this.#release()
    this.#options.ended()
    if (this.#receivers) this.#sayClosed(reason)
  }

  /** Ends this side alone, and says so to nobody: its process is dead. */
  vanish(): void {
    this.#receivers = undefined
    this.end('dead')
  }

  #abort(reason: string): void {
    this.#options.link.send(() => this.#other?.end(RESET_THERE))
    this.end(reason)
  }

  #deliver(): void {
    while (this.#receivers && !this.#delivering) {
      const item = this.#arrived.shift()
      if (item === undefined) return
      if (typeof item === 'string') return this.end(item)
      if (this.#isTooLong(item)) return
      this.#other?.taken(item.length)
      this.#handOver(this.#receivers, item)
    }
  }

  #handOver(receivers: Receivers, frame: Uint8Array): void {
    this.#delivering = true
    const done = () => {
      this.#delivering = false
    }
    try {
      const pending = receivers.frame(frame)
      if (!pending) return done()
      pending
        .catch((cause) => this.#receiverFailed(cause))
        .then(done)
        .then(() => this.#deliver())
    } catch (cause) {
      this.#receiverFailed(cause)
    }
  }

  #receiverFailed(cause: unknown): void {
    const reason = String((cause as Error)?.stack ?? cause)
    this.#options.log.event('internal.error', { peer: this.peer, code: 'E_INTERNAL', reason })
    if (this.isOpen) this.#abort('E_INTERNAL: a receiver failed')
  }

  /** The other side has taken `bytes` of what we sent. */
  taken(bytes: number): void {
    this.#unsentBytes -= bytes
    if (this.#unsentBytes <= CHANNEL_UNSENT_BYTES / 2) this.#release()
  }

  #release(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }

  #sayClosed(reason: string): void {
    queueMicrotask(() => this.#receivers?.closed(reason))
  }
}
