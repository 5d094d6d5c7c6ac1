/** What a function wrote in a step that is not committed yet: it reads that, and not what stood there before. */
import { decodeArguments, type LargePut } from '../../protocol/effects.ts'
import type { JournalEntry } from '../../protocol/journal.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { CallRequest, CallSteps } from '../calls.ts'
import type { StateRange, StateReads } from './state.ts'

interface Own {
  n: number
  namespace: string
  key: string
  /** Encoded, or in blocks; undefined: it was deleted. */
  value: Uint8Array | LargePut | undefined
}

export interface Writer extends Pick<CallRequest, 'grants'> {
  /** Undefined: it puts nothing in blocks. */
  steps?: Pick<CallSteps, 'putBytes'> | undefined
}

const ENCODER = new TextEncoder()

/** Keys sort as their UTF-8 does. */
const compare = (a: string, b: string): number => {
  const [x, y] = [ENCODER.encode(a), ENCODER.encode(b)]
  for (let i = 0; i < x.length && i < y.length; i++) if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number)
  return x.length - y.length
}

export class OwnWrites {
  readonly #journal: readonly JournalEntry[]
  readonly #writer: Writer
  readonly #writes: Own[] = []
  /** Entries of the journal that were looked at. */
  #seen = 0

  /** `journal` may only grow. */
  constructor(journal: readonly JournalEntry[], writer: Writer) {
    this.#journal = journal
    this.#writer = writer
  }

  /** Something that requests `from` up to `n`, exclusive, wrote is named by its blocks. */
  hasLarge(from: number, n: number): boolean {
    this.#look()
    return this.#writes.some((one) => one.n >= from && one.n < n && one.value && 'blocks' in one.value)
  }

  /** `reads`, with what requests `from` up to `n`, exclusive, wrote. */
  over(reads: StateReads, from: number, n: number): StateReads {
    this.#look()
    const own = this.#writes.filter((one) => one.n >= from && one.n < n)
    return own.length === 0 ? reads : new LayeredReads(reads, own, this.#writer)
  }

  #look(): void {
    for (; this.#seen < this.#journal.length; this.#seen++) {
      const one = this.#journal[this.#seen] as JournalEntry
      if (one.entry === 'answer' || (one.kind !== 'put' && one.kind !== 'delete')) continue
      const args = decodeArguments<'put' | 'delete'>(one.kind, one.arguments)
      const { grants = {} } = this.#writer
      const grant = Object.hasOwn(grants, args.binding) ? grants[args.binding] : undefined
      if (!grant || !('state' in grant)) continue
      const value = 'blocks' in args ? args : 'value' in args ? encodeValue(args.value) : undefined
      this.#writes.push({ n: one.n, namespace: grant.state, key: args.key, value })
    }
  }
}

class LayeredReads implements StateReads {
  readonly #below: StateReads
  /** In the order in which they were made. */
  readonly #own: readonly Own[]
  readonly #writer: Writer

  constructor(below: StateReads, own: readonly Own[], writer: Writer) {
    this.#below = below
    this.#own = own
    this.#writer = writer
  }

  async get(namespace: string, key: string): Promise<Uint8Array | undefined> {
    const own = this.#own.findLast((one) => one.key === key && one.namespace === namespace)
    return own ? this.#whole(own.value) : this.#below.get(namespace, key)
  }

  async list(range: StateRange): ReturnType<StateReads['list']> {
    const own = this.#within(range)
    const found: { key: string; value: Uint8Array }[] = []
    for (let { after } = range; ; ) {
      const page = await this.#below.list({ ...range, after })
      const through = page.more ? page.entries.at(-1)?.key : undefined
      found.push(...page.entries.filter(({ key }) => !own.has(key)))
      for (const [key, written] of own) {
        const isThere = after === undefined || compare(key, after) > 0
        if (!isThere || (through !== undefined && compare(key, through) > 0)) continue
        const value = await this.#whole(written)
        if (value) found.push({ key, value })
      }
      if (through === undefined || found.length > range.limit) {
        found.sort((a, b) => compare(a.key, b.key))
        return { entries: found.slice(0, range.limit), more: found.length > range.limit }
      }
      after = through
    }
  }

  beside(): ReturnType<StateReads['beside']> {
    const { reads, note } = this.#below.beside()
    return { reads: new LayeredReads(reads, this.#own, this.#writer), note }
  }

  async #whole(value: Own['value']): Promise<Uint8Array | undefined> {
    return value && 'blocks' in value ? this.#writer.steps?.putBytes(value) : value
  }

  #within({ namespace, prefix }: StateRange): Map<string, Own['value']> {
    const own = this.#own.filter((one) => one.namespace === namespace && one.key.startsWith(prefix))
    return new Map(own.map(({ key, value }) => [key, value]))
  }
}
