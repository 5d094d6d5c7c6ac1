/** One step of a call: all that it reads is as of one revision, and noted, since at its end all of it must still stand. */
import { MeshError } from '../../protocol/errors.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { StateRange, StateReads } from '../effects/state.ts'
import type { Deferred } from '../grants.ts'
import type { Read, ReadRange, StateEngine, Transaction, Write } from './engine.ts'

const writesOf = (deferred: readonly Deferred[]): Write[] =>
  deferred.flatMap((one): Write[] => {
    // The outbox has those.
    if (one.kind === 'send') return []
    const { args, grant } = one
    const place = { namespace: grant.state, key: args.key }
    return [one.kind === 'put' ? { ...place, put: encodeValue(one.args.value) } : { ...place, delete: true }]
  })

export class Step implements StateReads {
  readonly revision: number
  readonly #engine: Pick<StateEngine, 'read' | 'list'>
  /** Also what a lying executor asked for: that can make the step conflict, and do nothing else. */
  readonly #reads = new Map<string, Read>()
  readonly #ranges: ReadRange[] = []
  #isStale = false
  #unavailable: MeshError | undefined

  constructor(engine: Pick<StateEngine, 'read' | 'list'>, revision: number) {
    this.#engine = engine
    this.revision = revision
  }

  async get(namespace: string, key: string): Promise<Uint8Array | undefined> {
    this.#reads.set(`${namespace} ${key}`, { namespace, key })
    const [entry] = await this.#unlessStale(this.#engine.read(namespace, [key], this.revision))
    return entry?.value
  }

  async list(range: StateRange) {
    const { namespace, prefix, after } = range
    const { entries, more } = await this.#unlessStale(this.#engine.list(range, this.revision))
    const through = more ? entries.at(-1)?.key : undefined
    this.#ranges.push({ namespace, prefix, after, through })
    return { entries: entries.map(({ key, value }) => ({ key, value: value as Uint8Array })), more }
  }

  beside(): { reads: Step; note(): void } {
    const reads = new Step(this.#engine, this.revision)
    const note = () => {
      for (const [name, read] of reads.#reads) this.#reads.set(name, read)
      this.#ranges.push(...reads.#ranges)
    }
    return { reads, note }
  }

  /** Something was asked for that is no longer kept as of the revision: whatever came of the step, it was no answer. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** Why something could not be read: whatever came of the step, it was no answer. */
  get unavailable(): MeshError | undefined {
    return this.#unavailable
  }

  async #unlessStale<T>(found: Promise<T>): Promise<T> {
    try {
      return await found
    } catch (cause) {
      if (cause instanceof MeshError && cause.code === 'E_REVISION') this.#isStale = true
      if (cause instanceof MeshError && cause.code === 'E_STATE_UNAVAILABLE') this.#unavailable = cause
      throw cause
    }
  }

  /** What is to be committed of a verified outcome's requests, and what else is read and written with it. */
  transaction(id: string, deferred: readonly Deferred[], more: Pick<Transaction, 'reads' | 'writes'>): Transaction {
    const reads = [...this.#reads.values(), ...more.reads]
    const writes = [...writesOf(deferred), ...more.writes]
    return { id, revision: this.revision, reads, ranges: this.#ranges, writes }
  }
}
