/**
 * The way of a home that does not commit: it puts transactions where the committer, whoever that is by then, finds them, and
 * waits for the answer there. They are in etcd until they are answered, so that a committer that dies loses none.
 */
import { Fifo } from '../../peer/state/fifo.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type Etcd, EtcdError } from './client.ts'
import { BYTES_MAX, decodeAnswers, encodeTransactions, type Item, WRITES_MAX } from './item.ts'
import type { Layout } from './layout.ts'
import { put, remove, unchanged } from './messages.ts'

const FOR_EVER = Number.POSITIVE_INFINITY

interface Outstanding {
  request: string
  items: Item[]
}

export class Forwarder {
  readonly #etcd: Etcd
  readonly #layout: Layout
  /** Begins the names of requests: no other home has it. */
  readonly #home: string
  #queue = new Fifo<Item>()
  #outstanding: Outstanding | undefined
  #requests = 0
  #lease: string | undefined

  constructor(etcd: Etcd, layout: Layout, home: string) {
    this.#etcd = etcd
    this.#layout = layout
    this.#home = home
  }

  submit(item: Item): void {
    this.#queue.push(item)
    this.#send()
  }

  /** Takes what has not been sent. */
  takeAll(): Item[] {
    const items = this.#queue.slice(0, this.#queue.length)
    this.#queue = new Fifo()
    return items
  }

  /** What is under way may have gone with the lease before: then it is asked again, under this one. */
  renew(lease: string): void {
    this.#lease = lease
    this.#again()
  }

  /** What etcd holds has been told anew: neither request nor answer may be among it. */
  lookFor(keys: ReadonlySet<string>): void {
    const { request } = this.#outstanding ?? {}
    if (request === undefined) return
    if (!keys.has(this.#layout.requests + request) && !keys.has(this.#layout.answers + request)) this.#again()
  }

  /** The committer has answered request `HOME/N`. */
  answered(request: string, value: Buffer): void {
    if (!request.startsWith(`${this.#home}/`)) return
    this.#etcd.txn([], [remove(this.#layout.answers + request)], [], FOR_EVER).catch(() => {})
    // One that was given up with its lease has been asked again.
    if (request !== this.#outstanding?.request) return
    const { items } = this.#outstanding
    this.#outstanding = undefined
    for (const [index, answer] of decodeAnswers(value).entries()) items[index]?.settle(answer)
    this.#send()
  }

  #again(): void {
    const { items } = this.#outstanding ?? { items: [] }
    this.#outstanding = undefined
    this.#queue = new Fifo([...items, ...this.takeAll()].filter((item) => !item.isSettled))
    this.#send()
  }

  #send(): void {
    if (this.#outstanding || this.#lease === undefined || this.#queue.length === 0) return
    const items = this.#take()
    if (items.length === 0) return
    this.#requests += 1
    const request = `${this.#home}/${this.#requests}`
    this.#outstanding = { request, items }
    this.#put(request, items, this.#lease).catch((error) => {
      // The lease is gone: `renew` sends again. Closed: the items have been told.
      if (!(error instanceof EtcdError) || error.isNotFound) return
      for (const item of items) item.settle(new MeshError('E_STORAGE', `etcd refuses: ${error.message}`))
      if (this.#outstanding?.request === request) this.#outstanding = undefined
    })
  }

  /** As many as etcd takes at once. */
  #take(): Item[] {
    const items: Item[] = []
    let [bytes, writes] = [0, 0]
    for (let item = this.#queue.first; item !== undefined; item = this.#queue.first) {
      bytes += item.bytes
      writes += item.writes.size
      if (items.length > 0 && (bytes > BYTES_MAX || writes > WRITES_MAX)) break
      this.#queue.shift()
      if (!item.isSettled) items.push(item)
    }
    return items
  }

  async #put(request: string, items: readonly Item[], lease: string): Promise<void> {
    const key = this.#layout.requests + request
    // Sent twice, the second may come after the answer: the committer answers it from the log, and nobody reads that.
    await this.#etcd.txn([unchanged(key, 0)], [put(key, encodeTransactions(items), lease)], [], FOR_EVER)
  }
}
