/**
 * What `env` has for a binding of the kind `state`. Reads are asked of the home; writes are told to it, and done once the
 * outcome has been verified: until its step may have ended the function reads its own from here, then from the home.
 */
import { ask, endedSteps, retold, type Told, tell } from './effects.ts'

// Kept, since the function may change them for itself.
const { freeze, keys, setPrototypeOf } = Object
const { prototype: ArrayPrototype } = Array
const { call } = Function.prototype
const startsWith = call.bind(String.prototype.startsWith) as (text: string, prefix: string) => boolean
const charCodeAt = call.bind(String.prototype.charCodeAt) as (text: string, at: number) => number
const sort = call.bind(ArrayPrototype.sort) as <T>(list: T[], order: (a: T, b: T) => number) => T[]
const KeptPromise = Promise

interface Entry {
  key: string
  value: unknown
}

interface Page {
  entries: Entry[]
  more: boolean
}

/** What the function wrote; without `told`: that it deleted it. */
interface Own {
  readonly key: string
  readonly told: Told | undefined
}

interface ListOptions {
  prefix?: unknown
  after?: unknown
  limit?: unknown
}

/** The largest page that a home gives. */
const LIMIT_DEFAULT = 1000

const resolved = <T>(value: T): Promise<T> => new KeptPromise((resolve) => resolve(value))

/** Surrogates stand for what comes after all others. */
const rankAt = (text: string, i: number): number => {
  const unit = charCodeAt(text, i)
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** Keys sort as their UTF-8 does, which is by code point. */
const compare = (a: string, b: string): number => {
  const length = a.length < b.length ? a.length : b.length
  for (let i = 0; i < length; i++) {
    const x = rankAt(a, i)
    const y = rankAt(b, i)
    if (x !== y) return x - y
  }
  return a.length - b.length
}

const toldValue = (told: Told): unknown => (retold(told) as Entry).value

/** A list without a prototype, so that no setter of the function is met. */
const newList = <T>(): T[] => setPrototypeOf([], null)

/** Those behind `after` that the function wrote. */
const writtenIn = (writes: Record<string, Own>, prefix: string, after: string | null): Own[] => {
  const found = newList<Own>()
  const names = keys(writes)
  for (let i = 0; i < names.length; i++) {
    const key = names[i] as string
    if (startsWith(key, prefix) && (after === null || compare(key, after) > 0)) found[found.length] = writes[key] as Own
  }
  return sort(found, (a, b) => compare(a.key, b.key))
}

/** A page of the home with what the function wrote in its range: `limit` at most. */
const merged = ({ entries, more }: Page, own: readonly Own[], limit: number): Page => {
  const last = more && entries.length > 0 ? (entries[entries.length - 1] as Entry).key : undefined
  const all = newList<Entry>()
  const add = (entry: Entry) => {
    all[all.length] = entry
  }
  let at = 0
  const addOwnBefore = (key: string | undefined) => {
    for (; at < own.length && (key === undefined || compare((own[at] as Own).key, key) < 0); at++) {
      const { key: mine, told } = own[at] as Own
      if (told) add({ key: mine, value: toldValue(told) })
    }
  }
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry
    addOwnBefore(entry.key)
    const mine = at < own.length ? (own[at] as Own) : undefined
    if (mine?.key !== entry.key) add(entry)
    else {
      at++
      if (mine.told) add({ key: mine.key, value: toldValue(mine.told) })
    }
  }
  if (last === undefined) addOwnBefore(undefined)
  const isLong = all.length > limit
  if (isLong) all.length = limit
  return { entries: setPrototypeOf(all, ArrayPrototype), more: isLong || last !== undefined }
}

export const newState = (binding: string): object => {
  let kept: Record<string, Own>
  let keptIn = -1
  /** Of the step as it is now. */
  const writes = (): Record<string, Own> => {
    if (keptIn === endedSteps()) return kept
    keptIn = endedSteps()
    kept = { __proto__: null } as unknown as Record<string, Own>
    return kept
  }
  const note = (key: unknown, told: Told | undefined): Promise<void> => {
    writes()[key as string] = { key: key as string, told }
    return resolved(undefined)
  }

  const list = async ({ prefix = '', after = null, limit = LIMIT_DEFAULT }: ListOptions = {}): Promise<Page> => {
    let from = after
    for (;;) {
      const asked = ask('list', { __proto__: null, binding, prefix, after: from, limit })
      // Had one of them been of another type, the request would have been refused.
      const own = writtenIn(writes(), prefix as string, from as string | null)
      const page = (await asked) as Page
      const found = merged(page, own, limit as number)
      if (found.entries.length > 0 || !found.more) return found
      from = (page.entries[page.entries.length - 1] as Entry).key
    }
  }

  return freeze({
    get: (key: unknown) => {
      const own = typeof key === 'string' ? writes()[key] : undefined
      if (own) return resolved(own.told ? toldValue(own.told) : null)
      return ask('get', { __proto__: null, binding, key })
    },
    list,
    put: (key: unknown, value: unknown) =>
      note(key, tell('put', { __proto__: null, binding, key, value: value === undefined ? null : value })),
    delete: (key: unknown) => {
      tell('delete', { __proto__: null, binding, key })
      return note(key, undefined)
    },
  })
}
