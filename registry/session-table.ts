/** The blocks channels to other peers: at most one that we opened and one that the peer opened, for each. */
import type { ErrorCode } from '../protocol/errors.ts'
import type { Channel, Clock } from '../protocol/ports.ts'
import { BlockSession } from './block-session.ts'
import type { BlockStore } from './block-store.ts'

/** A connected peer answers an open within a round trip or two; one that does not is as good as silent. */
export const OPEN_MS_MAX = 3000

export interface SessionTableOptions {
  store: BlockStore
  open(peer: string): Promise<Channel>
  /** `peer` broke the protocol; that session is closed by now. */
  refused(peer: string, code: ErrorCode, message: string): void
}

export class SessionTable {
  readonly #clock: Clock
  readonly #options: SessionTableOptions
  readonly #outbound = new Map<string, BlockSession>()
  readonly #inbound = new Map<string, BlockSession>()
  readonly #opening = new Map<string, Promise<BlockSession | undefined>>()
  #stopped = false

  constructor(clock: Clock, options: SessionTableOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Serves an inbound channel; an older one from the same peer is closed. */
  accept(channel: Channel): void {
    this.#attach(channel, this.#inbound)
  }

  /** The session with `peer`, opened if there is none; undefined if that fails or takes longer than OPEN_MS_MAX. */
  to(peer: string): Promise<BlockSession | undefined> {
    if (this.#stopped) return Promise.resolve(undefined)
    const session = this.#outbound.get(peer) ?? this.#inbound.get(peer)
    if (session) return Promise.resolve(session)
    const pending = this.#opening.get(peer) ?? this.#open(peer)
    this.#opening.set(peer, pending)
    return pending
  }

  /** Ends every session with `peer`. */
  close(peer: string, reason: string): void {
    this.#outbound.get(peer)?.close(reason)
    this.#inbound.get(peer)?.close(reason)
  }

  stop(): void {
    this.#stopped = true
    for (const peer of [...this.#outbound.keys(), ...this.#inbound.keys()]) this.close(peer, 'stopping')
  }

  #attach(channel: Channel, sessions: Map<string, BlockSession>): BlockSession | undefined {
    const { peer } = channel
    if (this.#stopped) {
      channel.close({ abort: 'stopping' })
      return undefined
    }
    sessions.get(peer)?.close('replaced by a newer channel')
    const session = new BlockSession(this.#clock, this.#options.store, channel, {
      refused: (code, message) => this.#options.refused(peer, code, message),
      closed: () => {
        if (sessions.get(peer) === session) sessions.delete(peer)
      },
    })
    sessions.set(peer, session)
    session.start()
    return session
  }

  /** A channel that opens too late for whoever asked still serves the next. */
  async #open(peer: string): Promise<BlockSession | undefined> {
    const { promise: tooLate, resolve } = Promise.withResolvers<undefined>()
    const cancel = this.#clock.after(OPEN_MS_MAX, () => resolve(undefined))
    const arrive = async () => this.#attach(await this.#options.open(peer), this.#outbound)
    try {
      return await Promise.race([arrive(), tooLate])
    } catch {
      return undefined
    } finally {
      cancel()
      this.#opening.delete(peer)
    }
  }
}
