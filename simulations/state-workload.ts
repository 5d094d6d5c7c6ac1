/**
 * Random transactions over any state engine, and the history of what clients saw. Most read and write a few keys, some
 * of which everybody wants (Zipf); others list, write blindly, delete, span two namespaces, or only read.
 */
import type { Entry, Read, ReadRange, StateEngine, Write } from '../peer/state/engine.ts'
import type { Random } from '../protocol/ports.ts'
import type { History, Listed, Recorded, Seen, Written } from './checkers/history.ts'
import { byClients, type Clients, commitBy, whileReachable } from './state-clients.ts'

export interface Workload extends Clients {
  /** How many are drawn from, by Zipf's law: the n-th is n times as rare as the first. */
  keys: number
  /** Two, of the engine's own choice. */
  namespaces?: readonly [string, string] | undefined
  /** What ids begin with: histories of one engine need different ones. */
  name?: string | undefined
}

/** What a transaction will do, whatever it reads: it is the same at each attempt. */
interface Plan {
  id: string
  reads: readonly Read[]
  list: { namespace: string; prefix: string; limit: number } | undefined
  writes: readonly (Read & { isDeletion: boolean })[]
  /** Also the first key is written twice: only the last counts. */
  isTwice: boolean
}

/** Lists are short, so that a key that comes or goes is noticed. */
const SHELVES = 12
const PLACES = 8
/** Shorter than some lists: they go on in pages. */
const LIMITS = [2, 4, 1000]

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Cumulative, of numbers below `count`. */
const zipfSampler = (count: number, { below }: Random): (() => number) => {
  const bounds = new Float64Array(count)
  let sum = 0
  for (let n = 0; n < count; n++) bounds[n] = sum += 1 / (n + 1)
  return () => {
    const drawn = (below(2 ** 32) / 2 ** 32) * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((bounds[middle] as number) <= drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

class Planner {
  readonly #random: Random
  readonly #zipf: () => number
  readonly #namespaces: readonly [string, string]
  readonly #name: string

  constructor({ random, keys, namespaces = ['shop', 'stock'], name = 't' }: Workload) {
    this.#random = random
    this.#zipf = zipfSampler(keys, random)
    this.#namespaces = namespaces
    this.#name = name
  }

  plan(number: number): Plan {
    const { below } = this.#random
    const kind = below(100)
    const items = this.#items(1 + below(3))
    const isBlind = kind < 15
    const isReadOnly = kind >= 80
    const list = kind >= 65 ? this.#list() : undefined
    const shelf = list && { namespace: list.namespace, key: `${list.prefix}${below(PLACES)}` }
    const written = shelf ? [shelf] : items.slice(0, 1 + below(2))
    return {
      id: `${this.#name}-${number}`,
      reads: isBlind ? [] : items,
      list,
      writes: isReadOnly ? [] : written.map((key) => ({ ...key, isDeletion: below(4) === 0 })),
      isTwice: below(20) === 0,
    }
  }

  #items(count: number): Read[] {
    const namespace = this.#namespaces[this.#random.below(2)] as string
    const items = new Map<string, Read>()
    for (let i = 0; i < count; i++) {
      const isOther = this.#random.below(8) === 0
      const item = { namespace: isOther ? this.#namespaces[0] : namespace, key: `item-${this.#zipf()}` }
      items.set(nameOf(item.namespace, item.key), item)
    }
    return [...items.values()]
  }

  #list() {
    const { below } = this.#random
    const namespace = this.#namespaces[below(2)] as string
    return { namespace, prefix: `shelf-${below(SHELVES)}-`, limit: LIMITS[below(LIMITS.length)] as number }
  }
}

const nameOf = (namespace: string, key: string) => `${namespace}/${key}`

const seenOf = (namespace: string, { key, version, value }: Entry): Seen => ({
  key: nameOf(namespace, key),
  version,
  value: value === undefined ? 0 : Number(decoder.decode(value)),
})

/** What an attempt read at one revision. */
interface View {
  snapshot: number
  reads: Seen[]
  lists: Listed[]
  ranges: ReadRange[]
}

class Workers {
  readonly #workload: Workload
  readonly #planner: Planner
  readonly history: Recorded[] = []
  #events = 0
  #values = 0

  constructor(workload: Workload) {
    this.#workload = workload
    this.#planner = new Planner(workload)
  }

  async perform(client: number, number: number): Promise<void> {
    const plan = this.#planner.plan(number)
    while (!(await this.#attempt(client, plan))) await this.#workload.pause()
  }

  /** False: it begins again. */
  async #attempt(client: number, plan: Plan): Promise<boolean> {
    const beganAt = ++this.#events
    const view = await whileReachable(async () => this.#look(await this.#workload.engineOf(client), plan))
    if (!view) return false
    const { snapshot, reads, lists, ranges } = view
    const { writes, written } = this.#write(plan)
    await this.#workload.pause()
    const transaction = { id: plan.id, revision: snapshot, reads: plan.reads, ranges, writes }
    const came = await commitBy(this.#workload, client, transaction)
    const outcome = came.kind === 'conflict' ? 'aborted' : came.kind
    const revision = came.kind === 'committed' && writes.length > 0 ? came.revision : undefined
    const { id } = plan
    const endedAt = ++this.#events
    this.history.push({ id, beganAt, endedAt, outcome, snapshot, revision, reads, lists, writes: written })
    return outcome !== 'aborted'
  }

  async #look(engine: StateEngine, { reads, list }: Plan): Promise<View> {
    const snapshot = await engine.revision()
    await this.#workload.pause()
    const view: View = { snapshot, reads: [], lists: [], ranges: [] }
    for (const namespace of new Set(reads.map((read) => read.namespace))) {
      const keys = reads.filter((read) => read.namespace === namespace).map(({ key }) => key)
      const entries = await engine.read(namespace, keys, snapshot)
      view.reads.push(...entries.map((entry) => seenOf(namespace, entry)))
    }
    if (list) await this.#lookThrough(engine, list, view)
    return view
  }

  /** Two pages of it at most. */
  async #lookThrough(engine: StateEngine, list: NonNullable<Plan['list']>, view: View): Promise<void> {
    const { namespace, prefix, limit } = list
    let after: string | undefined
    for (let page = 0; page < 2; page++) {
      const { entries, more } = await engine.list({ namespace, prefix, after, limit }, view.snapshot)
      const through = more ? entries.at(-1)?.key : undefined
      const named = (key: string | undefined) => (key === undefined ? undefined : nameOf(namespace, key))
      const seen = entries.map((entry) => seenOf(namespace, entry))
      view.ranges.push({ namespace, prefix, after, through })
      view.lists.push({ prefix: nameOf(namespace, prefix), after: named(after), through: named(through), seen })
      if (!more) return
      after = through
      await this.#workload.pause()
    }
  }

  /** Each attempt writes values of its own. */
  #write({ writes: planned, isTwice }: Plan): { writes: Write[]; written: Written[] } {
    const all = isTwice && planned[0] ? [{ ...planned[0], isDeletion: false }, ...planned] : planned
    const written = all.map(({ namespace, key, isDeletion }) => ({
      key: nameOf(namespace, key),
      value: isDeletion ? 0 : ++this.#values,
    }))
    const writes = all.map(({ namespace, key, isDeletion }, index): Write => {
      if (isDeletion) return { namespace, key, delete: true }
      return { namespace, key, put: encoder.encode(`${written[index]?.value}`) }
    })
    return { writes, written }
  }
}

/** What clients saw, attempts that conflicted included. */
export const runWorkload = async (workload: Workload): Promise<History> => {
  const workers = new Workers(workload)
  await byClients(workload, (client, number) => workers.perform(client, number))
  return workers.history
}
