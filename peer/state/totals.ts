/** What namespaces hold, each caller in all of its own together, and all callers; and whether that is too much. */
import { MeshError } from '../../protocol/errors.ts'
import { CALLERS, callerPrefixIn } from './caller-namespaces.ts'
import type { Holdings } from './engine.ts'

const NOTHING: Holdings = { keys: 0, bytes: 0 }

const plus = (held: Holdings, keys: number, bytes: number): Holdings => ({
  keys: held.keys + keys,
  bytes: held.bytes + bytes,
})

/** On others: what would be held if these stood in their place. */
export class Totals {
  #below: Totals | undefined
  readonly #namespaces = new Map<string, Holdings>()
  /** By the prefix of their namespaces, CALLERS included. Most transactions are of none: a map for each of them would be felt. */
  #callers: Map<string, Holdings> | undefined

  constructor(below?: Totals) {
    this.#below = below
  }

  /** Those that these stood on have been taken by `below`. */
  standOn(below: Totals): void {
    this.#below = below
  }

  of(namespace: string): Holdings {
    return this.#namespaces.get(namespace) ?? this.#below?.of(namespace) ?? NOTHING
  }

  add(namespace: string, keys: number, bytes: number): void {
    this.#namespaces.set(namespace, plus(this.of(namespace), keys, bytes))
    const caller = callerPrefixIn(namespace)
    if (caller === undefined) return
    this.#callers ??= new Map()
    for (const holder of [caller, CALLERS]) this.#callers.set(holder, plus(this.together(holder), keys, bytes))
  }

  set(namespace: string, { keys, bytes }: Holdings): void {
    const before = this.of(namespace)
    this.add(namespace, keys - before.keys, bytes - before.bytes)
  }

  /** Those that were set here, and not below. */
  changed(): IterableIterator<[string, Holdings]> {
    return this.#namespaces.entries()
  }

  /** What stands on these, and on these alone. */
  take(others: Totals): void {
    for (const [namespace, held] of others.#namespaces) this.#namespaces.set(namespace, held)
    if (!others.#callers) return
    this.#callers ??= new Map()
    for (const [caller, held] of others.#callers) this.#callers.set(caller, held)
  }

  /**
   * Which of those that were set here would hold too much: MeshError E_STATE_QUOTA. A caller may have in all of its namespaces
   * together what `quotaOf` says of their prefix, and all callers what it says of CALLERS.
   */
  over(quotaOf: (namespace: string) => Holdings): MeshError | undefined {
    for (const [namespace, held] of this.#namespaces) {
      const wrong = overQuota(namespace, held, this.#below?.of(namespace), quotaOf(namespace))
      if (wrong) return wrong
    }
    if (!this.#callers) return undefined
    for (const [caller, held] of this.#callers) {
      const wrong = overQuota(`${caller}*`, held, this.#below?.together(caller), quotaOf(caller))
      if (wrong) return wrong
    }
    return undefined
  }

  /** By the prefix of a caller's namespaces, or CALLERS. */
  together(caller: string): Holdings {
    return this.#callers?.get(caller) ?? this.#below?.together(caller) ?? NOTHING
  }
}

/** Whether a holder that E_STATE_QUOTA names is no namespace, but a caller, or all of them. */
export const isOfCallers = (holder: string): boolean => holder.endsWith('*')

const whose = (holder: string): string => (holder === `${CALLERS}*` ? 'callers' : 'one caller')

const overQuota = (
  holder: string,
  held: Holdings,
  before: Holdings = NOTHING,
  quota: Holdings,
): MeshError | undefined => {
  if (held.keys <= quota.keys && held.bytes <= quota.bytes) return undefined
  // What makes it smaller is always welcome.
  const isOver = (unit: 'keys' | 'bytes') => held[unit] > quota[unit] && held[unit] > before[unit]
  const unit = isOver('keys') ? 'keys' : isOver('bytes') ? 'bytes' : undefined
  if (!unit) return undefined
  const [wanted, most] = [held[unit], quota[unit]]
  const who = isOfCallers(holder)
    ? `all namespaces of ${whose(holder)} together (${holder})`
    : `the namespace ${holder}`
  const message = `${who} would hold ${wanted} ${unit}, the owner of the home allows ${most}: delete some of it, or have the quota raised`
  return new MeshError('E_STATE_QUOTA', { message, namespace: holder, unit, wanted, quota: most })
}
