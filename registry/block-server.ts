/** The serving half of a blocks channel: answers wants in order, holding one block at a time. */
import type { CID } from '../protocol/cid.ts'
import type { BlockFrame } from '../protocol/frames.ts'
import { BLOCK_BYTES_MAX, BLOCK_CHUNK_BYTES } from '../protocol/limits.ts'
import type { BlockStore } from './block-store.ts'

type WantFrame = Extract<BlockFrame, { t: 'want' }>

/** CIDs that a peer may have wanted on one channel without an answer yet: one full want frame. */
export const WANTS_MAX = 64

/** Resolves when there is room for another frame, to false once the channel has ended. */
type Send = (frame: BlockFrame) => Promise<boolean>

/** Resolves when `bytes` more may be served to this peer. */
export type Turn = (bytes: number) => Promise<void>

export class BlockServer {
  readonly #store: BlockStore
  readonly #turn: Turn
  readonly #send: Send
  readonly #queue: WantFrame[] = []
  /** CIDs of the queue and of the frame being answered. */
  #unanswered = 0
  #running = false

  constructor(store: BlockStore, turn: Turn, send: Send) {
    this.#store = store
    this.#turn = turn
    this.#send = send
  }

  /** Queues the answer; false if more than WANTS_MAX would wait, and then nothing is queued. */
  want(frame: WantFrame): boolean {
    if (this.#unanswered + frame.cids.length > WANTS_MAX) return false
    this.#unanswered += frame.cids.length
    this.#queue.push(frame)
    if (!this.#running) void this.#run()
    return true
  }

  async #run(): Promise<void> {
    this.#running = true
    let open = true
    for (let frame = this.#queue.shift(); frame && open; frame = this.#queue.shift()) open = await this.#answer(frame)
    this.#running = false
  }

  async #answer({ cids, send: withBytes }: WantFrame): Promise<boolean> {
    const held = await Promise.all(cids.map((cid) => this.#store.has(cid)))
    const here = cids.filter((_, i) => held[i])
    const missing = cids.filter((_, i) => !held[i])
    let open = await this.#send({ t: 'have', cids: here, missing })
    this.#unanswered -= withBytes ? missing.length : cids.length
    if (!withBytes) return open
    for (const cid of here) {
      open &&= await this.#sendBlock(cid)
      this.#unanswered--
    }
    return open
  }

  async #sendBlock(cid: CID): Promise<boolean> {
    const bytes = await this.#read(cid)
    if (!bytes) return this.#send({ t: 'have', cids: [], missing: [cid] })
    await this.#turn(bytes.length)
    for (let offset = 0; offset < bytes.length; offset += BLOCK_CHUNK_BYTES) {
      const chunk = bytes.subarray(offset, offset + BLOCK_CHUNK_BYTES)
      if (!(await this.#send({ t: 'block', cid, size: bytes.length, offset, bytes: chunk }))) return false
    }
    return true
  }

  /** A block that cannot be read, or that no frame can carry, is one we have not got. The store has logged why. */
  async #read(cid: CID): Promise<Uint8Array | undefined> {
    const bytes = await this.#store.get(cid).catch(() => undefined)
    return bytes && bytes.length > 0 && bytes.length <= BLOCK_BYTES_MAX ? bytes : undefined
  }
}
