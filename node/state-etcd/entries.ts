/** Keys and values as of a revision, from etcd's own history. */
import type { Entry, Range } from '../../peer/state/engine.ts'
import { decodeEntry, keyOf, type Layout, stateKey } from './layout.ts'
import { bytewise, isIn, type Place } from './log.ts'
import type { Reader } from './reader.ts'

/** A page of a list ends behind the entry with which its values come to this. */
const PAGE_BYTES = 4 * 1024 * 1024
/** Of a list, at once, before it is known how large they are. */
const FIRST_ENTRIES = 32

interface Found {
  stateKey: string
  version: number
  value: Uint8Array
}

export class Entries {
  readonly #reader: Reader
  readonly #layout: Layout

  constructor(reader: Reader, layout: Layout) {
    this.#reader = reader
    this.#layout = layout
  }

  /** One for each key. */
  read(namespace: string, keys: readonly string[], place: Place, until: number): Promise<Entry[]> {
    return Promise.all(
      keys.map(async (key) => {
        const found = await this.#get(stateKey(namespace, key), place, until)
        return { key, version: found?.version ?? 0, value: found?.value }
      }),
    )
  }

  /** A page: `more` if there are others behind the last. */
  async list(range: Range, place: Place, until: number): Promise<{ entries: Entry[]; more: boolean }> {
    const { limit } = range
    const changed = await this.#changedIn(range, place, until)
    const found: Found[] = []
    let [bytes, more] = [0, place.etcdRevision > 0]
    for (let behind = range.after; more && found.length < limit && bytes < PAGE_BYTES; ) {
      const page = await this.#page(
        { ...range, after: behind, limit: entriesNext(found.length, bytes, limit) },
        place,
        until,
      )
      more = page.more
      const last = page.found.at(-1)?.stateKey
      if (last !== undefined) behind = keyOf(last)
      // What changed takes its place among those that did not.
      const isDue = ({ stateKey }: Found) => !more || last === undefined || bytewise(stateKey, last) <= 0
      const due = changed.splice(0, changed.filter(isDue).length)
      const fresh = [...page.found.filter(({ stateKey }) => !place.changed.has(stateKey)), ...due]
      if (due.length > 0) fresh.sort((a, b) => bytewise(a.stateKey, b.stateKey))
      for (const one of fresh) bytes += one.value.length
      found.push(...fresh)
    }
    const fits = found.slice(0, Math.min(limit, countWithin(found)))
    const entries = fits.map(({ stateKey, version, value }) => ({ key: keyOf(stateKey), version, value }))
    return { entries, more: more || found.length > fits.length }
  }

  async #get(stateKey: string, place: Place, until: number): Promise<Found | undefined> {
    const at = place.changed.has(stateKey) ? place.changedAt : place.etcdRevision
    if (at === 0) return undefined
    const { kvs } = await this.#reader.ask(this.#layout.entryRange(stateKey), at, 0, until)
    return kvs[0] && { stateKey, ...decodeEntry(kvs[0].value) }
  }

  async #page({ namespace, prefix, after, limit }: Range, place: Place, until: number) {
    const behind = after === undefined ? undefined : stateKey(namespace, after)
    const range = this.#layout.entriesRange(stateKey(namespace, prefix), behind)
    const { kvs, more } = await this.#reader.ask(range, place.etcdRevision, limit, until)
    const found: Found[] = kvs.map(({ key, value }) => ({
      stateKey: this.#layout.stateKeyOf(key),
      ...decodeEntry(value),
    }))
    return { found, more }
  }

  /** What stands in the range under keys that the group in the middle of which we read has changed, in order. */
  async #changedIn(range: Range, place: Place, until: number): Promise<Found[]> {
    const keys = [...place.changed].filter((key) => isIn(range, key)).sort(bytewise)
    const found = await Promise.all(keys.map((key) => this.#get(key, place, until)))
    return found.filter((one) => one !== undefined)
  }
}

/** Of what was found, up to the entry with which a page is full. */
const countWithin = (found: readonly Found[]): number => {
  let bytes = 0
  const last = found.findIndex(({ value }) => {
    bytes += value.length
    return bytes >= PAGE_BYTES
  })
  return last < 0 ? found.length : last + 1
}

/** As many as are wanted, and no more than a page has room for if the rest is like those before. */
const entriesNext = (count: number, bytes: number, limit: number): number => {
  const left = limit - count
  if (count === 0) return Math.min(left, FIRST_ENTRIES)
  const room = Math.ceil((PAGE_BYTES - bytes) / Math.max(1, bytes / count))
  return Math.max(1, Math.min(left, room))
}
