/** One channel of BLOCKS_PROTOCOL, whoever opened it: both sides ask on it, and both serve. */
import type { CID } from '../protocol/cid.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import { BlockFrame } from '../protocol/frames.ts'
import type { Channel, Clock } from '../protocol/ports.ts'
import { type Asked, BlockAsker, type Ended } from './block-asker.ts'
import { BlockServer, type Turn, WANTS_MAX } from './block-server.ts'
import type { BlockStore } from './block-store.ts'

/** A reader that takes nothing for this long is cut off: it holds a block in our memory. */
export const STALLED_MS = 20_000

export interface SessionEvents {
  /** The peer broke the protocol; the session is closed by now. */
  refused(code: ErrorCode, message: string): void
  /** Once, whatever ended it. */
  closed(): void
}

export class BlockSession {
  readonly #clock: Clock
  readonly #channel: Channel
  readonly #events: SessionEvents
  readonly #asker: BlockAsker
  readonly #server: BlockServer
  #closed = false

  /** For a channel just handed over: `start` it in the same turn. */
  constructor(clock: Clock, store: BlockStore, turn: Turn, channel: Channel, events: SessionEvents) {
    this.#clock = clock
    this.#channel = channel
    this.#events = events
    this.#asker = new BlockAsker(clock, {
      // Without waiting for room: wants are small, and no more of them are in flight than the asker allows.
      send: (frame) => void this.#send(frame),
      giveUp: (why) => this.close(`too ${why} a source of blocks`, why),
    })
    this.#server = new BlockServer(store, turn, (frame) => this.#sendAndWait(frame))
  }

  start(): void {
    this.#channel.receive({ frame: (bytes) => this.#receive(bytes), closed: () => this.#end('closed') })
  }

  /** The block as the peer sends it, not verified. Never rejects. Not to be called again before the answer. */
  ask(cid: CID): Promise<Asked> {
    return this.#asker.ask(cid)
  }

  /** Ends the channel at once. What was asked on it is answered with `why`. */
  close(reason: string, why: Ended = 'closed'): void {
    this.#end(why)
    this.#channel.close({ abort: reason })
  }

  #end(why: Ended): void {
    if (this.#closed) return
    this.#closed = true
    this.#asker.end(why)
    this.#events.closed()
  }

  /** False if the buffer is full. */
  #send(frame: BlockFrame): boolean {
    if (this.#closed) return true
    try {
      return this.#channel.send(BlockFrame.encode(frame))
    } catch (cause) {
      this.close(`cannot send: ${(cause as Error).message}`)
      return true
    }
  }

  async #sendAndWait(frame: BlockFrame): Promise<boolean> {
    if (!this.#send(frame)) {
      const stalled = () => this.close(`took no block for ${STALLED_MS} ms`)
      const cancel = this.#clock.after(STALLED_MS, stalled)
      await this.#channel.drained()
      cancel()
    }
    return !this.#closed
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#take(BlockFrame.decode(bytes))
    } catch (error) {
      if (!(error instanceof MeshError)) throw error
      this.#refuse(error.code, error.message)
    }
  }

  #take(frame: BlockFrame): void {
    if (frame.t === 'want') {
      if (!this.#server.want(frame)) this.#refuse('E_MESSAGE_LIMIT', `it wants more than ${WANTS_MAX} blocks at a time`)
      return
    }
    const fault = frame.t === 'have' ? this.#asker.have(frame) : this.#asker.chunk(frame)
    if (fault) this.#refuse('E_MESSAGE', fault)
  }

  #refuse(code: ErrorCode, message: string): void {
    this.close(message)
    this.#events.refused(code, message)
  }
}
