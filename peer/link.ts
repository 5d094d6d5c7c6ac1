/** One peer at the other end of a channel: typed frames both ways, under back-pressure. */
import { MeshError } from '../protocol/errors.ts'
import { type FrameOf, PeerFrame } from '../protocol/frames.ts'
import { FRAME_BYTES_MAX, MESSAGE_CHARS_MAX, MIB } from '../protocol/limits.ts'
import type { Channel, Ports } from '../protocol/ports.ts'

/** What waits for a peer that does not read. Twice what a window of items may hold; beyond it the link is of no use. */
const WAITING_BYTES_MAX = 64 * MIB

/** Over all links; then whoever has more than a little waiting, and gets more, is given up. */
const WAITING_ALL_BYTES_MAX = 256 * MIB
const WAITING_LITTLE_BYTES = 4 * MIB

/** What waits on all links of a peer. */
export interface Waiting {
  bytes: number
}

export interface LinkHandlers {
  /** Throwing (or rejecting with) a MeshError closes the link with that code: the other side broke the protocol. */
  frame(frame: PeerFrame): void | Promise<void>
  closed(reason: string): void
}

/** A typed channel. */
export interface Link {
  readonly peer: string
  readonly outbound: boolean
  readonly isOpen: boolean
  /** Frames leave in order, as fast as the other side reads. A closed link drops them. */
  send(frame: PeerFrame): void
  /** Hands all later frames to `handlers`; called again when the handshake passes the link on. */
  receive(handlers: LinkHandlers): void
  /** Says why, then closes. */
  bye(code: FrameOf<'bye'>['code'], message: string): void
}

export interface LinkPorts {
  log: Ports['log']
  /** Of all links that share it. */
  waiting: Waiting
}

class ChannelLink implements Link {
  readonly #channel: Channel
  readonly #log: Ports['log']
  readonly #all: Waiting
  #handlers: LinkHandlers
  #open = true
  /** Frames that wait until the channel has drained. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #draining = false

  constructor(channel: Channel, { log, waiting }: LinkPorts, first: (link: Link) => LinkHandlers) {
    this.#channel = channel
    this.#log = log
    this.#all = waiting
    this.#handlers = first(this)
    channel.receive({
      frame: (bytes) => this.#onFrame(bytes),
      closed: (reason) => {
        this.#open = false
        this.#waiting = []
        this.#waits(-this.#waitingBytes)
        this.#handlers.closed(reason)
      },
    })
  }

  get peer(): string {
    return this.#channel.peer
  }

  get outbound(): boolean {
    return this.#channel.outbound
  }

  get isOpen(): boolean {
    return this.#open
  }

  send(frame: PeerFrame): void {
    if (!this.#open) return
    const bytes = PeerFrame.encode(frame)
    if (bytes.length > FRAME_BYTES_MAX) return this.#tooLong(frame, bytes.length)
    if (!this.#draining) {
      if (!this.#channel.send(bytes)) this.#drain()
      return
    }
    this.#waiting.push(bytes)
    this.#waits(bytes.length)
    const isMuch = this.#waitingBytes > WAITING_LITTLE_BYTES && this.#all.bytes > WAITING_ALL_BYTES_MAX
    if (isMuch || this.#waitingBytes > WAITING_BYTES_MAX) this.#channel.close({ abort: 'the other side does not read' })
  }

  receive(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  bye(code: FrameOf<'bye'>['code'], message: string): void {
    if (!this.#open) return
    this.#channel.send(PeerFrame.encode({ t: 'bye', code, message: message.slice(0, MESSAGE_CHARS_MAX) }))
    this.#channel.close()
  }

  #waits(bytes: number): void {
    this.#waitingBytes += bytes
    this.#all.bytes += bytes
  }

  async #drain(): Promise<void> {
    this.#draining = true
    await this.#channel.drained()
    while (this.#waiting.length > 0) {
      const frames = this.#waiting
      this.#waiting = []
      for (const bytes of frames) {
        if (!this.#open) return
        this.#waits(-bytes.length)
        if (!this.#channel.send(bytes)) await this.#channel.drained()
      }
    }
    this.#draining = false
  }

  /** Whoever makes frames keeps to the limit. Should one not, the other side must not wait for what cannot come. */
  #tooLong({ t }: PeerFrame, bytes: number): void {
    const reason = `a frame of type ${t} came to ${bytes} bytes; at most ${FRAME_BYTES_MAX} can be sent`
    this.#log.event('internal.error', { peer: this.peer, code: 'E_MESSAGE_LIMIT', reason })
    this.bye('E_INTERNAL', 'internal error')
  }

  #onFrame(bytes: Uint8Array): void | Promise<void> {
    try {
      const pending = this.#handlers.frame(PeerFrame.decode(bytes))
      if (pending) return pending.catch((cause) => this.#misbehaved(cause))
    } catch (cause) {
      this.#misbehaved(cause)
    }
  }

  #misbehaved(cause: unknown): void {
    const known = cause instanceof MeshError
    const code = known ? cause.code : 'E_INTERNAL'
    const reason = known ? cause.message : String((cause as Error).stack)
    this.#log.event(known ? 'peer.misbehaved' : 'internal.error', { peer: this.peer, code, reason })
    this.bye(code, known ? cause.message : 'internal error')
  }
}

/** Wraps a channel just handed over; `first` makes the handlers that receive from the first frame on. */
export const createLink = (channel: Channel, ports: LinkPorts, first: (link: Link) => LinkHandlers): Link =>
  new ChannelLink(channel, ports, first)
