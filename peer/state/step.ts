/**
 * One step of a call: all that it reads is as of one revision, that of its first read, and noted, since at its end all of it
 * must still stand.
 */
import type { LargePut } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { MoveMark } from '../../protocol/moves.ts'
import { encodeValue } from '../../protocol/values.ts'
import type { StateRange, StateReads } from '../effects/state.ts'
import type { Deferred } from '../grants.ts'
import type { Read, ReadRange, StateEngine, Transaction, Write } from './engine.ts'
import { refusalOf } from './move-rules.ts'
import { markAt, markRead } from './moving.ts'

/** The encoded value of a put that is named by its blocks. */
type PutBytes = (put: LargePut) => Promise<Uint8Array>

type Written = Exclude<Deferred, { kind: 'send' }>

/** The outbox has the others. */
const writtenIn = (deferred: readonly Deferred[]): Written[] => deferred.filter((one) => one.kind !== 'send')

const writeOf = async ({ args, grant }: Written, putBytes: PutBytes): Promise<Write> => {
  const place = { namespace: grant.state, key: args.key }
  if ('blocks' in args) return { ...place, put: await putBytes(args) }
  return 'value' in args ? { ...place, put: encodeValue(args.value) } : { ...place, delete: true }
}

const namespacesOf = (written: readonly Written[]): string[] => [...new Set(written.map(({ grant }) => grant.state))]

type Reading = Pick<StateEngine, 'revision' | 'read' | 'list'>

export class Step implements StateReads {
  readonly #engine: Reading
  #revision: Promise<number> | undefined
  /** Also what a lying executor asked for: that can make the step conflict, and do nothing else. */
  readonly #reads = new Map<string, Read>()
  readonly #ranges: ReadRange[] = []
  /** Of namespaces as of the revision: each is read once, beside what is read there first. */
  readonly #marks = new Map<string, Promise<MoveMark | undefined>>()
  #isStale = false
  #unavailable: MeshError | undefined

  constructor(engine: Reading, revision?: Promise<number>) {
    this.#engine = engine
    this.#revision = revision
  }

  /** Fixed when it is first asked for. */
  get revision(): Promise<number> {
    this.#revision ??= this.#engine.revision()
    return this.#revision
  }

  async get(namespace: string, key: string): Promise<Uint8Array | undefined> {
    this.#reads.set(`${namespace} ${key}`, { namespace, key })
    const [[entry]] = await this.#unlessStale(async () => {
      const revision = await this.revision
      return Promise.all([this.#engine.read(namespace, [key], revision), this.#ensureSettled(namespace, 'read')])
    })
    return entry?.value
  }

  async list(range: StateRange) {
    const { namespace, prefix, after } = range
    const [{ entries, more }] = await this.#unlessStale(async () => {
      const revision = await this.revision
      return Promise.all([this.#engine.list(range, revision), this.#ensureSettled(namespace, 'read')])
    })
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

  async #unlessStale<T>(find: () => Promise<T>): Promise<T> {
    try {
      return await find()
    } catch (cause) {
      if (cause instanceof MeshError && cause.code === 'E_REVISION') this.#isStale = true
      if (cause instanceof MeshError && cause.code === 'E_STATE_UNAVAILABLE') this.#unavailable = cause
      throw cause
    }
  }

  async #ensureSettled(namespace: string, use: 'read' | 'write'): Promise<void> {
    const mark = this.#marks.get(namespace) ?? this.revision.then((at) => markAt(this.#engine, namespace, at))
    this.#marks.set(namespace, mark)
    const refusal = refusalOf(namespace, await mark, use)
    if (refusal) throw refusal
  }

  /** Throws MeshError E_STATE_MOVING or E_NAMESPACE_TAKEN where something is to be written that moves. */
  async ensureMayWrite(deferred: readonly Deferred[]): Promise<void> {
    for (const namespace of namespacesOf(writtenIn(deferred)))
      await this.#unlessStale(() => this.#ensureSettled(namespace, 'write'))
  }

  /** What is to be committed of a verified outcome's requests, and what else is read and written with it. */
  async transaction(
    id: string,
    deferred: readonly Deferred[],
    putBytes: PutBytes,
    more: Pick<Transaction, 'reads' | 'writes'>,
  ): Promise<Transaction> {
    const written = writtenIn(deferred)
    const reads = [...this.#reads.values(), ...namespacesOf(written).map(markRead), ...more.reads]
    const writes = [...(await Promise.all(written.map((one) => writeOf(one, putBytes)))), ...more.writes]
    return { id, revision: await this.revision, reads, ranges: this.#ranges, writes }
  }
}
