/**
 * Values that are larger than an entry can be, on any state engine: their blocks are committed first, each under a name that
 * no other has, and then the entry that names them, with all else that its transaction writes. Whoever reads as of a revision
 * finds both as of it.
 */
import { cidMatches } from '../../protocol/cid.ts'
import { MeshError } from '../../protocol/errors.ts'
import { joinBytes } from '../../protocol/join-bytes.ts'
import type { LargeValue } from '../../protocol/large-values.ts'
import { MIB, STATE_BLOCK_BYTES, STATE_VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import type { Clock, Ports } from '../../protocol/ports.ts'
import { splitBytes } from '../../protocol/split.ts'
import type { Change, Committed, Entry, Range, Read, SizedWrite, StateEngine, Transaction, Write } from './engine.ts'
import { decodeReference, encodeReference, heldBytes, isReference } from './large-reference.ts'
import { LIST_BYTES_MAX } from './listing.ts'
import { blockKeys, fenceOf, readBlocks, Uploads } from './uploads.ts'

/** Of all values of one transaction, together, as entries: what etcd takes at once has room for keys besides. */
const TRANSACTION_BYTES_MAX = MIB
/** Where they come to more, those that are longer than this are kept as blocks too. */
const SMALL_BYTES = 16 * 1024

type Put = Extract<Write, { put: Uint8Array }>

const isPut = (write: Write): write is Put => 'put' in write

/** Which of the writes are kept as blocks. */
const largeIn = (writes: readonly Write[]): Put[] => {
  const puts = writes.filter(isPut)
  const isTooMuch = puts.reduce((sum, { put }) => sum + put.length, 0) > TRANSACTION_BYTES_MAX
  const most = isTooMuch ? SMALL_BYTES : STATE_BLOCK_BYTES
  return puts.filter(({ put }) => put.length > most || isReference(put))
}

const ensureWithinLimit = ({ key, put }: Put): void => {
  if (put.length <= STATE_VALUE_BYTES_MAX) return
  const message = `the value of ${JSON.stringify(key)} has ${put.length} bytes, values have up to ${STATE_VALUE_BYTES_MAX}: keep parts of it under several keys`
  throw new MeshError('E_USAGE', { message, key, bytes: put.length })
}

export type LargeValuePorts = Pick<Ports, 'random' | 'crypto'> & { clock: Pick<Clock, 'monotonic'> }

/** A state engine with values of up to 32 MiB. */
export class LargeValues implements StateEngine {
  readonly #ports: LargeValuePorts
  readonly #engine: StateEngine
  readonly #uploads: Uploads

  /** `isShared`: other homes write to the same state. */
  constructor(ports: LargeValuePorts, engine: StateEngine, isShared: boolean) {
    this.#ports = ports
    this.#engine = engine
    this.#uploads = new Uploads(ports, engine, isShared)
  }

  revision(): Promise<number> {
    return this.#engine.revision()
  }

  async read(namespace: string, keys: readonly string[], revision: number): Promise<Entry[]> {
    return this.#whole(namespace, await this.#engine.read(namespace, keys, revision), revision)
  }

  async list(range: Range, revision: number): Promise<{ entries: Entry[]; more: boolean }> {
    const { entries, more } = await this.#engine.list(range, revision)
    let bytes = 0
    const page = entries.filter(({ value }) => {
      const fits = bytes <= LIST_BYTES_MAX
      bytes += heldBytes(value as Uint8Array)
      return fits
    })
    return {
      entries: await this.#whole(range.namespace, page, revision),
      more: more || page.length < entries.length,
    }
  }

  async commit(transaction: Transaction): Promise<Committed> {
    const { writes } = transaction
    for (const write of writes) if (isPut(write)) ensureWithinLimit(write)
    const large = largeIn(writes)
    const committed =
      large.length === 0 ? await this.#engine.commit(transaction) : await this.#commitLarge(transaction, large)
    this.#uploads.written(writes)
    return committed
  }

  ensureRoom(writes: readonly SizedWrite[]): Promise<void> {
    return this.#engine.ensureRoom(writes)
  }

  async *watch(namespace: string, prefix: string, after: number, signal: AbortSignal): AsyncIterable<Change> {
    for await (const change of this.#engine.watch(namespace, prefix, after, signal)) {
      const { revision, key, value } = change
      if (!isReference(value)) yield change
      else yield { revision, key, value: await this.#valueOf(namespace, key, decodeReference(value), revision) }
    }
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  /** Resolves when the blocks of values that were replaced or deleted are gone too. */
  swept(): Promise<void> {
    return this.#uploads.swept()
  }

  async #commitLarge(transaction: Transaction, large: readonly Put[]): Promise<Committed> {
    const uploads = new Map<Write, string>(large.map((put) => [put, this.#uploads.name()]))
    try {
      const references = new Map<Write, Uint8Array>()
      for (const [put, upload] of uploads as Map<Put, string>) {
        const reference = await this.#keep(put, upload)
        if (!reference) return { kind: 'conflict', namespace: put.namespace, key: put.key }
        references.set(put, reference)
      }
      const writes = transaction.writes.map((write): Write => {
        const put = references.get(write)
        return put ? { namespace: write.namespace, key: write.key, put } : write
      })
      const reads: Read[] = [...transaction.reads, ...[...uploads.values()].map(fenceOf)]
      return await this.#engine.commit({ ...transaction, reads, writes })
    } finally {
      this.#uploads.settled([...uploads.values()])
      this.#uploads.written(large)
    }
  }

  async #keep({ namespace, key, put }: Put, upload: string): Promise<Uint8Array | undefined> {
    const blocks = splitBytes(this.#ports.crypto, put, STATE_BLOCK_BYTES)
    if (!(await this.#uploads.keep(upload, namespace, key, blocks))) return undefined
    return encodeReference({ v: 1, upload, bytes: put.length, blocks: blocks.map(({ cid }) => cid) })
  }

  async #whole(namespace: string, entries: Entry[], revision: number): Promise<Entry[]> {
    if (!entries.some(({ value }) => isReference(value))) return entries
    return Promise.all(
      entries.map(async (entry) => {
        const { key, value } = entry
        if (!isReference(value)) return entry
        return { ...entry, value: await this.#valueOf(namespace, key, decodeReference(value), revision) }
      }),
    )
  }

  async #valueOf(
    namespace: string,
    key: string,
    { upload, blocks }: LargeValue,
    revision: number,
  ): Promise<Uint8Array> {
    const found = await readBlocks(this.#engine, blockKeys(upload, blocks.length), revision)
    const parts = found.filter((bytes, i) => {
      const cid = blocks[i]
      return bytes && cid && cidMatches(this.#ports.crypto, cid, bytes)
    }) as Uint8Array[]
    if (parts.length === blocks.length) return joinBytes(parts)
    const message = `the value of ${JSON.stringify(key)} in namespace ${namespace} is damaged: ${blocks.length - parts.length} of its ${blocks.length} blocks are not what they were; write it again, or delete it`
    throw new MeshError('E_STORAGE', { message, namespace, key })
  }
}
