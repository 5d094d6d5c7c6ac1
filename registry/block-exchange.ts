/** Gets blocks that are missing here from peers, verified, and serves those that are held. */
import type { CID } from '../protocol/cid.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import { type Asked, BLOCK_MS_MAX, SILENT_MS } from './block-asker.ts'
import type { BlockStore } from './block-store.ts'
import { SessionTable } from './session-table.ts'
import { createSourceMemory, type SourceMemory } from './source-memory.ts'

export interface BlockExchange {
  /** Serves an inbound channel of BLOCKS_PROTOCOL, and asks on it if we have opened none to that peer. */
  accept(channel: Channel): void
  /**
   * The block from the local store, else from `sources` (PeerIds), one after another until one has it; verified and
   * stored. Fetches of one CID at the same time share one transfer, their sources and the bytes, so do not write to
   * them. Throws MeshError E_BLOCK_MISSING (naming whom it asked), E_CANCELLED, E_STOPPING, E_STORAGE_FULL, E_STORAGE.
   */
  fetch(cid: CID, sources: readonly string[], signal?: AbortSignal): Promise<Uint8Array>
  /** Closes the channels with `peer`, which has left. */
  leave(peer: string): void
  /** Closes every channel. Fetches under way and later ones fail with E_STOPPING. */
  stop(): void
}

export interface ExchangeOptions {
  store: BlockStore
  /** A fresh channel of BLOCKS_PROTOCOL to `peer`, its receivers not yet set; frames of BlockFrame.bytesMax. */
  open(peer: string): Promise<Channel>
  /** `peer` sent a wrong block or broke the protocol. Its channel is closed, and it is not asked for DISTRUST_MS. */
  misbehaved(peer: string, code: ErrorCode, message: string): void
}

interface Transfer {
  readonly cid: CID
  readonly sources: Set<string>
  /** Each source asked, and how that ended. */
  readonly asked: Map<string, string>
  readonly result: PromiseWithResolvers<Uint8Array>
  waiting: number
}

type Attempt = { bytes: Uint8Array } | { why: string }

const WHY = {
  missing: 'has not got it',
  silent: `was silent for ${SILENT_MS} ms`,
  slow: `had not sent it whole after ${BLOCK_MS_MAX} ms`,
  closed: 'closed the channel',
  unreachable: 'could not be reached',
  distrusted: 'was not asked, because it misbehaved before',
} as const

const cancelled = (cid: CID) =>
  new MeshError('E_CANCELLED', { message: `the block ${cid} is no longer wanted`, block: cid.toString() })

const stopping = () => new MeshError('E_STOPPING', 'the block exchange has stopped; ask another peer')

const missing = ({ cid, sources, asked }: Transfer) => {
  const tried = [...sources].map((peer) => `${peer} ${asked.get(peer) ?? WHY.distrusted}`).join('; ')
  const message = `the block ${cid} was not found: ${tried || 'there was no peer to ask'}; try again with a peer that holds it`
  return new MeshError('E_BLOCK_MISSING', { message, block: cid.toString(), asked: [...asked.keys()] })
}

class Exchange implements BlockExchange {
  readonly #ports: Pick<Ports, 'clock' | 'log'>
  readonly #options: ExchangeOptions
  readonly #memory: SourceMemory
  readonly #sessions: SessionTable
  readonly #transfers = new Map<string, Transfer>()
  #stopped = false

  constructor(ports: Pick<Ports, 'clock' | 'log'>, options: ExchangeOptions) {
    this.#ports = ports
    this.#options = options
    this.#memory = createSourceMemory(ports.clock)
    this.#sessions = new SessionTable(ports.clock, {
      store: options.store,
      open: options.open,
      refused: (peer, code, message) => this.#refuse(peer, code, message),
    })
  }

  accept(channel: Channel): void {
    this.#sessions.accept(channel)
  }

  leave(peer: string): void {
    this.#sessions.close(peer, 'the peer is no neighbour')
  }

  async fetch(cid: CID, sources: readonly string[], signal?: AbortSignal): Promise<Uint8Array> {
    const held = await this.#options.store.get(cid)
    if (this.#stopped) throw stopping()
    if (signal?.aborted) throw cancelled(cid)
    return held ?? this.#join(cid, sources, signal)
  }

  stop(): void {
    this.#stopped = true
    for (const { result } of this.#transfers.values()) result.reject(stopping())
    this.#sessions.stop()
  }

  #refuse(peer: string, code: ErrorCode, message: string): void {
    this.#memory.distrust(peer)
    this.#options.misbehaved(peer, code, message)
  }

  #join(cid: CID, sources: readonly string[], signal?: AbortSignal): Promise<Uint8Array> {
    const transfer = this.#transfers.get(cid.toString()) ?? this.#start(cid, sources)
    for (const peer of sources) transfer.sources.add(peer)
    transfer.waiting++
    return new Promise((resolve, reject) => {
      const leave = () => {
        transfer.waiting--
        reject(cancelled(cid))
      }
      signal?.addEventListener('abort', leave, { once: true })
      const done = () => signal?.removeEventListener('abort', leave)
      transfer.result.promise.then(resolve, reject).finally(done)
    })
  }

  #start(cid: CID, sources: readonly string[]): Transfer {
    const result = Promise.withResolvers<Uint8Array>()
    const transfer: Transfer = { cid, sources: new Set(sources), asked: new Map(), result, waiting: 0 }
    this.#transfers.set(cid.toString(), transfer)
    this.#pursue(transfer).then(result.resolve, result.reject)
    return transfer
  }

  /** Asks one source after another, those included that join meanwhile, while anybody waits. */
  async #pursue(transfer: Transfer): Promise<Uint8Array> {
    const { cid, sources, asked } = transfer
    const next = () => this.#memory.best([...sources].filter((peer) => !asked.has(peer)))
    try {
      for (let peer = next(); peer; peer = next()) {
        asked.set(peer, 'was being asked')
        const attempt = await this.#attempt(cid, peer)
        if ('bytes' in attempt) return attempt.bytes
        asked.set(peer, attempt.why)
        if (transfer.waiting === 0) throw cancelled(cid)
      }
      throw missing(transfer)
    } finally {
      // In the same turn as the throw: whoever comes now begins anew, with sources of its own.
      this.#transfers.delete(cid.toString())
    }
  }

  async #attempt(cid: CID, peer: string): Promise<Attempt> {
    const asked = await this.#ask(cid, peer)
    if (!asked.ok) {
      if (asked.why !== 'missing' && asked.why !== 'closed') this.#memory.askLast(peer)
      return { why: WHY[asked.why] }
    }
    try {
      await this.#options.store.put(cid, asked.bytes)
      return { bytes: asked.bytes }
    } catch (error) {
      if (!(error instanceof MeshError) || error.code !== 'E_BLOCK_MISMATCH') throw error
      const reason = `it sent ${asked.bytes.length} bytes that are not the block ${cid}`
      this.#ports.log.event('block.refused', { peer, block: cid.toString(), code: error.code, reason })
      this.#sessions.close(peer, reason)
      this.#refuse(peer, error.code, reason)
      return { why: 'sent other bytes' }
    }
  }

  /** A channel may turn out to have ended meanwhile; then a fresh one is tried, once. */
  async #ask(cid: CID, peer: string, again = true): Promise<Asked | { ok: false; why: 'unreachable' }> {
    const session = await this.#sessions.to(peer)
    if (!session) return { ok: false, why: 'unreachable' }
    const asked = await session.ask(cid)
    if (asked.ok || asked.why !== 'closed' || !again || this.#memory.isDistrusted(peer)) return asked
    return this.#ask(cid, peer, false)
  }
}

export const createBlockExchange = (ports: Pick<Ports, 'clock' | 'log'>, options: ExchangeOptions): BlockExchange =>
  new Exchange(ports, options)
