/** The last two verified checkpoints of a durable invocation: where whoever goes on with it begins. */
import { type CID, ensureCid } from '../../protocol/cid.ts'
import { KeptCheckpoint } from '../../protocol/durable.ts'
import { joinBytes } from '../../protocol/join-bytes.ts'
import type { JournalEntry } from '../../protocol/journal.ts'
import type { Crypto } from '../../protocol/ports.ts'
import type { Checkpoint } from '../../protocol/records.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import { blocksIn, checkpointOf, isSameCheckpoint } from '../checkpoints.ts'
import { restAfter } from '../proven.ts'
import { sameBytes } from '../receipts.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { Heads } from './heads.ts'
import { checkpointName, checkpointsName } from './names.ts'
import { piecesOf, scanPieces } from './pieces.ts'

/** One may be of a journal that is cut, or damaged. */
const KEPT_MAX = 2

interface Kept extends Pick<KeptCheckpoint, 'answers' | 'state' | 'head' | 'bytes'> {
  number: number
  /** Under which it is kept. */
  keys: string[]
}

interface CheckpointParts {
  crypto: Pick<Crypto, 'hash'>
  /** Executors fetch them from there. */
  store: Pick<BlockStore, 'put' | 'pin'>
}

export class KeptCheckpoints {
  readonly #crypto: CheckpointParts['crypto']
  readonly #store: CheckpointParts['store']
  readonly #place: string
  readonly #id: string
  readonly #heads: Heads
  /** The newest last. */
  readonly #kept: (Kept & { unpin(): void })[] = []
  #number = 0

  constructor({ crypto, store }: CheckpointParts, { place, id }: { place: string; id: string }) {
    this.#crypto = crypto
    this.#store = store
    this.#place = place
    this.#id = id
    this.#heads = new Heads(crypto, ensureCid(id))
  }

  /** Those that are whole of what an earlier home has kept. */
  async open(engine: StateEngine, revision: number): Promise<void> {
    const found = new Map<string, { keys: string[]; pieces: Uint8Array[] }>()
    for await (const { key, value } of scanPieces(engine, this.#place, `${checkpointsName(this.#id)}/`, revision)) {
      const name = key.slice(0, key.lastIndexOf('/'))
      const one = found.get(name) ?? { keys: [], pieces: [] }
      found.set(name, one)
      one.keys.push(key)
      one.pieces.push(value)
    }
    for (const [name, { keys, pieces }] of found) {
      this.#number = Number(name.slice(name.lastIndexOf('/') + 1)) + 1
      const read = this.#read(joinBytes(pieces))
      if (read) await this.add({ ...read, number: this.#number - 1, keys })
    }
  }

  #read(bytes: Uint8Array): KeptCheckpoint | undefined {
    try {
      const read = KeptCheckpoint.decode(bytes)
      return isSameCheckpoint(read, checkpointOf(this.#crypto, read.answers, read.bytes)) ? read : undefined
    } catch {
      return undefined
    }
  }

  /** The newest that `journal` leads to. */
  find(journal: readonly JournalEntry[]): { checkpoint: Checkpoint; bytes: Uint8Array } | undefined {
    const found = this.#kept.findLast(({ answers, head }) => sameBytes(head, this.headAt(journal, answers)))
    return found && { checkpoint: { answers: found.answers, state: found.state }, bytes: found.bytes }
  }

  /** As a checkpoint after so many answers of `journal` names it. */
  headAt(journal: readonly JournalEntry[], answers: number): Uint8Array {
    return this.#heads.of(restAfter(journal, answers))
  }

  /** Whether it is the one that is kept there; undefined: none is. */
  isKnown(checkpoint: Checkpoint, head: Uint8Array): boolean | undefined {
    const found = this.#kept.find((one) => one.answers === checkpoint.answers && sameBytes(one.head, head))
    return found && isSameCheckpoint(found, checkpoint)
  }

  /** Nothing is gained by one before. */
  isPassed({ answers }: Checkpoint, journal: readonly JournalEntry[]): boolean {
    return (this.find(journal)?.checkpoint.answers ?? 0) > answers
  }

  /** What keeps one, each in a commit of its own and in this order; the last ends the one that is then too many. */
  writesFor(named: Checkpoint, head: Uint8Array, bytes: Uint8Array): { kept: Kept; commits: Write[][] } {
    const number = this.#number++
    const encoded = KeptCheckpoint.encode({ v: 1, ...named, head, bytes })
    const writes = piecesOf(this.#place, checkpointName(this.#id, number), encoded)
    const commits: Write[][] = writes.map((write) => [write])
    commits.at(-1)?.push(...this.#removals(KEPT_MAX - 1))
    return { kept: { ...named, head, bytes, number, keys: writes.map(({ key }) => key) }, commits }
  }

  /** It is kept now. */
  async add(kept: Kept): Promise<void> {
    const blocks = blocksIn(kept.bytes)
    const unpin = this.#store.pin(kept.state)
    this.#kept.push({ ...kept, unpin })
    for (const one of this.#kept.splice(0, this.#kept.length - KEPT_MAX)) one.unpin()
    // Without room for it executors begin with the start.
    for (const [i, block] of blocks.entries()) await this.#store.put(kept.state[i] as CID, block).catch(() => {})
  }

  /** What ends all, with the invocation. */
  get ends(): Write[] {
    return this.#removals(0)
  }

  close(): void {
    for (const one of this.#kept) one.unpin()
  }

  #removals(left: number): Write[] {
    const gone = this.#kept.slice(0, Math.max(0, this.#kept.length - left))
    return gone.flatMap(({ keys }) => keys.map((key) => ({ namespace: this.#place, key, delete: true as const })))
  }
}
