/** The blocks channels to other peers: at most one that we opened and one that the peer opened, for each. */
import { Buckets, type Pace } from '../protocol/bucket.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { MIB } from '../protocol/limits.ts'
import type { Channel, Clock } from '../protocol/ports.ts'
import type { Turn } from './block-server.ts'
import { BlockSession } from './block-session.ts'
import type { BlockStore } from './block-store.ts'

/** A connected peer answers an open within a round trip or two; one that does not is as good as silent. */
export const OPEN_MS_MAX = 3000

/** Served to one peer, whatever channels it opens: eight of the largest functions at once, then what fills 100 Mbit/s. */
const SERVED_BYTES_BURST_MAX = 64 * MIB
const SERVED_BYTES_PER_SECOND_MAX = 12 * MIB
const PACE: Pace = { burst: SERVED_BYTES_BURST_MAX, perSecond: SERVED_BYTES_PER_SECOND_MAX }
/** Far more than can be connected. */
const PEERS_MAX = 1024

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
  readonly #served = new Buckets(PACE, PEERS_MAX)
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
    const session = new BlockSession(this.#clock, this.#options.store, this.#turnOf(peer), channel, {
      refused: (code, message) => this.#options.refused(peer, code, message),
      closed: () => {
        if (sessions.get(peer) === session) sessions.delete(peer)
      },
    })
    sessions.set(peer, session)
    session.start()
    return session
  }

  #turnOf(peer: string): Turn {
    return async (bytes) => {
      const nowMs = this.#clock.monotonic()
      const waitMs = this.#served.of(peer, nowMs).take(nowMs, bytes)
      if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
    }
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
