/** The asking half of a blocks channel: a few wants in flight, their chunks put together in order. */
import type { CID } from '../protocol/cid.ts'
import type { BlockFrame } from '../protocol/frames.ts'
import { hasSlept } from '../protocol/late.ts'
import { BLOCK_CHUNK_BYTES } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'

type HaveFrame = Extract<BlockFrame, { t: 'have' }>
type ChunkFrame = Extract<BlockFrame, { t: 'block' }>

/** Enough to fill a long path, and at most 8 MiB of half-received blocks a channel. Less than any server's WANTS_MAX. */
const IN_FLIGHT_MAX = 8
/** Without a chunk for this long, a peer counts as silent. A 64 KiB chunk takes 1 s on 0.5 Mbit/s. */
export const SILENT_MS = 3000
/** A block that takes longer comes slower than 0.15 Mbit/s, or from a peer that trickles it on purpose. */
export const BLOCK_MS_MAX = 60_000

/** Why a channel gives no more blocks. */
export type Ended = 'silent' | 'slow' | 'closed'

/** `bytes` are as the peer sent them: not verified. */
export type Asked = { ok: true; bytes: Uint8Array } | { ok: false; why: 'missing' | Ended }

interface Want {
  readonly cid: CID
  readonly answer: PromiseWithResolvers<Asked>
  /** Monotonic; undefined while it waits for its turn. */
  sentMs: number | undefined
  buffer: Uint8Array | undefined
  received: number
}

export interface AskerOptions {
  /** Takes one small frame. */
  send(frame: BlockFrame): void
  /** The peer has kept us waiting too long: end the channel. */
  giveUp(why: 'silent' | 'slow'): void
}

export class BlockAsker {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #options: AskerOptions
  /** By CID, in the order asked. */
  readonly #wants = new Map<string, Want>()
  #inFlight = 0
  #ended: Ended | undefined
  #stopWatching = () => {}

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, options: AskerOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Never rejects. Not to be called again for one CID before the answer. */
  ask(cid: CID): Promise<Asked> {
    if (this.#ended) return Promise.resolve({ ok: false, why: this.#ended })
    const answer = Promise.withResolvers<Asked>()
    this.#wants.set(cid.toString(), { cid, answer, sentMs: undefined, buffer: undefined, received: 0 })
    this.#sendMore()
    return answer.promise
  }

  /** Takes an answer. Returns how it breaks the protocol, in words, if it does. */
  have({ cids, missing }: HaveFrame): string | undefined {
    const stray = [...cids, ...missing].find((cid) => !this.#sent(cid))
    if (stray) return `it answered for the block ${stray}, which nobody asked for`
    for (const cid of missing) {
      const want = this.#sent(cid)
      if (want) this.#settle(want, { ok: false, why: 'missing' })
    }
    return undefined
  }

  /** Takes a chunk. Returns how it breaks the protocol, in words, if it does. */
  chunk({ cid, size, offset, bytes }: ChunkFrame): string | undefined {
    const want = this.#sent(cid)
    if (!want) return `it sent the block ${cid}, which nobody asked for`
    want.buffer ??= new Uint8Array(size)
    if (offset !== want.received || size !== want.buffer.length) return `a chunk of the block ${cid} is out of order`
    if (bytes.length !== Math.min(BLOCK_CHUNK_BYTES, size - offset))
      return `a chunk of the block ${cid} has the wrong length`
    want.buffer.set(bytes, offset)
    want.received += bytes.length
    if (want.received === size) this.#settle(want, { ok: true, bytes: want.buffer })
    else if (this.#clock.monotonic() - (want.sentMs ?? 0) > BLOCK_MS_MAX) this.#options.giveUp('slow')
    else this.#watch()
    return undefined
  }

  /** The channel has ended: everything asked, now or later, is answered with `why`. */
  end(why: Ended): void {
    this.#ended = why
    this.#stopWatching()
    for (const { answer } of this.#wants.values()) answer.resolve({ ok: false, why })
    this.#wants.clear()
    this.#inFlight = 0
  }

  #sent(cid: CID): Want | undefined {
    const want = this.#wants.get(cid.toString())
    return want?.sentMs === undefined ? undefined : want
  }

  #settle(want: Want, asked: Asked): void {
    this.#wants.delete(want.cid.toString())
    this.#inFlight--
    want.answer.resolve(asked)
    this.#watch()
    this.#sendMore()
  }

  #sendMore(): void {
    for (const want of this.#wants.values()) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return
      if (want.sentMs !== undefined) continue
      want.sentMs = this.#clock.monotonic()
      this.#inFlight++
      if (this.#inFlight === 1) this.#watch()
      this.#options.send({ t: 'want', cids: [want.cid], send: true })
    }
  }

  /** From now on the peer has SILENT_MS for the next chunk or answer, while anything is in flight. */
  #watch(): void {
    this.#stopWatching()
    const dueMs = this.#clock.monotonic() + SILENT_MS
    const look = () => (hasSlept(this.#clock.monotonic(), dueMs) ? this.#watch() : this.#options.giveUp('silent'))
    this.#stopWatching = this.#inFlight > 0 ? this.#clock.after(SILENT_MS, look) : () => {}
  }
}
