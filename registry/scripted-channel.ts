/** A blocks channel whose other end is played by a test. */
import { BLOCKS_PROTOCOL, BlockFrame } from '../protocol/frames.ts'
import type { Channel } from '../protocol/ports.ts'

type Handlers = Parameters<Channel['receive']>[0]

export class ScriptedChannel implements Channel {
  readonly peer: string
  readonly protocol = BLOCKS_PROTOCOL
  readonly outbound: boolean
  /** What our side has sent. */
  readonly sent: BlockFrame[] = []
  /** Frames that our side may send before `send` says that the buffer is full. */
  room = Number.POSITIVE_INFINITY
  /** Why our side ended it; undefined while it has not. */
  aborted: string | undefined
  #handlers: Handlers | undefined
  #closed = false
  #drained: (() => void)[] = []

  constructor(peer: string, { outbound = true } = {}) {
    this.peer = peer
    this.outbound = outbound
  }

  send(frame: Uint8Array): boolean {
    if (this.#closed) return true
    this.sent.push(BlockFrame.decode(frame))
    this.room--
    return this.room > 0
  }

  drained(): Promise<void> {
    if (this.#closed || this.room > 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  allow(): void {}

  receive(handlers: Handlers): void {
    if (this.#handlers) throw new Error('the receivers are set already')
    this.#handlers = handlers
  }

  close({ abort = 'closed' }: { abort?: string } = {}): void {
    if (this.#closed) return
    this.aborted = abort
    this.#end(abort)
  }

  /** The remote sends a frame, or bytes that may be none. */
  async deliver(frame: BlockFrame | Uint8Array): Promise<void> {
    if (!this.#closed) await this.#handlers?.frame(frame instanceof Uint8Array ? frame : BlockFrame.encode(frame))
  }

  /** The remote reads on: room for `frames` more. */
  drain(frames: number): void {
    this.room = frames
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** The remote, or the connection, ends it. */
  hangUp(reason = 'hung up'): void {
    if (!this.#closed) this.#end(reason)
  }

  #end(reason: string): void {
    this.#closed = true
    this.drain(0)
    this.#handlers?.closed(reason)
  }
}
