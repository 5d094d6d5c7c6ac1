/**
 * The direct serialisation graph of a history (Adya 1999, "Weak Consistency", 4.1.3), with real time: who comes before whom
 * in any serial order that explains what was seen. That one ended before another began takes no edge between the two: a
 * chain of barriers, one for each end, stands for all such pairs.
 */
import type { Recorded } from './history.ts'
import type { Versions } from './versions.ts'

/** `wr`: the second read what the first wrote; `ww`: replaced it; `rw`: replaced what the first read; `list`: what it missed. */
export const KINDS = ['wr', 'ww', 'rw', 'list'] as const
export type Kind = (typeof KINDS)[number]
const KIND_NUMBERS = { wr: 0, ww: 1, rw: 2, list: 3 } as const satisfies Record<Kind, number>

/** Grows as it is filled. */
class Numbers {
  #numbers = new Int32Array(1024)
  length = 0

  push(number: number): void {
    if (this.length === this.#numbers.length) {
      const grown = new Int32Array(this.length * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[this.length++] = number
  }

  at(index: number): number {
    return this.#numbers[index] as number
  }
}

export class Graph {
  /** Transactions have their number in the history; the barriers come after them. */
  readonly transactions: number
  readonly nodes: number
  /** Edges of node i: from `starts[i]` up to, not including, `starts[i + 1]`. */
  readonly starts: Int32Array
  readonly targets: Int32Array
  /** By edge; -1: of real time. */
  readonly kinds: Int8Array
  /** By edge: the version that the second wrote, for `wr` the one that it read; -1: of real time. */
  readonly versions: Int32Array
  /** In events; of whoever never ended Infinity. */
  readonly beganAt: Float64Array
  readonly endedAt: Float64Array

  constructor(versions: Versions) {
    const { history, counted } = versions
    this.transactions = history.length
    this.nodes = 2 * history.length
    this.beganAt = Float64Array.from(history, ({ beganAt }) => beganAt)
    this.endedAt = Float64Array.from(history, ({ outcome, endedAt }) => (outcome === 'committed' ? endedAt : Infinity))
    const edges = new Edges()
    for (const [number, transaction] of history.entries())
      if (counted[number] === 1) addReads(edges, versions, transaction, number)
    addReplaced(edges, versions)
    this.#addRealTime(edges, counted)
    const { starts, order } = edges.byStart(this.nodes)
    this.starts = starts
    this.targets = order.map((edge) => edges.to.at(edge))
    this.kinds = Int8Array.from(order, (edge) => edges.kind.at(edge))
    this.versions = order.map((edge) => edges.version.at(edge))
  }

  #addRealTime(edges: Edges, counted: Uint8Array): void {
    const count = this.transactions
    const byEnd = Int32Array.from(this.endedAt.keys()).filter((i) => counted[i] === 1 && this.endedAt[i] !== Infinity)
    byEnd.sort((a, b) => (this.endedAt[a] as number) - (this.endedAt[b] as number))
    const ends = Float64Array.from(byEnd, (i) => this.endedAt[i] as number)
    for (const [rank, transaction] of byEnd.entries()) {
      edges.add(transaction, count + rank, -1, -1)
      if (rank + 1 < byEnd.length) edges.add(count + rank, count + rank + 1, -1, -1)
    }
    for (let number = 0; number < count; number++) {
      const before = counted[number] === 1 ? countBelow(ends, this.beganAt[number] as number) : 0
      if (before > 0) edges.add(count + before - 1, number, -1, -1)
    }
  }
}

class Edges {
  readonly from = new Numbers()
  readonly to = new Numbers()
  readonly kind = new Numbers()
  readonly version = new Numbers()

  add(from: number, to: number, kind: number, version: number): void {
    if (from === to) return
    this.from.push(from)
    this.to.push(to)
    this.kind.push(kind)
    this.version.push(version)
  }

  /** By counting. */
  byStart(nodes: number): { starts: Int32Array; order: Int32Array } {
    const { length } = this.from
    const starts = new Int32Array(nodes + 1)
    for (let edge = 0; edge < length; edge++) {
      const next = this.from.at(edge) + 1
      starts[next] = (starts[next] as number) + 1
    }
    for (let node = 0; node < nodes; node++) starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
    const free = starts.slice()
    const order = new Int32Array(length)
    for (let edge = 0; edge < length; edge++) {
      const from = this.from.at(edge)
      const at = free[from] as number
      order[at] = edge
      free[from] = at + 1
    }
    return { starts, order }
  }
}

const addReads = (edges: Edges, versions: Versions, { reads, lists, snapshot }: Recorded, reader: number): void => {
  for (const { key, value } of reads)
    addRead(edges, versions, { reader, key: versions.keyNumber(key), value, snapshot })
  for (const { prefix, after = '', through, seen } of lists) {
    const values = new Map(seen.map(({ key, value }) => [key, value]))
    for (let key = firstKey(versions.keys, prefix); versions.keys[key]?.startsWith(prefix); key++) {
      const name = versions.keys[key] as string
      if (name <= after) continue
      if (through !== undefined && name > through) break
      const value = values.get(name) ?? 0
      addRead(edges, versions, { reader, key, value, snapshot }, value === 0 ? 'list' : 'rw')
    }
  }
}

const addRead = (
  edges: Edges,
  versions: Versions,
  { reader, key, value, snapshot }: { reader: number; key: number; value: number; snapshot: number },
  kind: 'rw' | 'list' = 'rw',
): void => {
  const version = value === 0 ? versions.absent(key, snapshot) : versions.read(value)
  if (version === undefined) return
  if (version >= (versions.starts[key] as number))
    edges.add(versions.writers[version] as number, reader, KIND_NUMBERS.wr, version)
  const next = versions.next(key, version)
  if (next !== undefined) edges.add(reader, versions.writers[next] as number, KIND_NUMBERS[kind], next)
}

const addReplaced = (edges: Edges, versions: Versions): void => {
  for (let key = 0; key < versions.keys.length; key++) {
    const end = versions.starts[key + 1] as number
    for (let version = (versions.starts[key] as number) + 1; version < end; version++)
      edges.add(versions.writers[version - 1] as number, versions.writers[version] as number, KIND_NUMBERS.ww, version)
  }
}

/** How many of the sorted `numbers` are below `limit`. */
const countBelow = (numbers: Float64Array, limit: number): number => {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] as number) < limit) low = middle + 1
    else high = middle
  }
  return low
}

const firstKey = (keys: readonly string[], prefix: string): number => {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < prefix) low = middle + 1
    else high = middle
  }
  return low
}
