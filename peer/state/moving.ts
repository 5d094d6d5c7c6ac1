/** Namespaces that move from one state to another: marks that every use reads, so that a commit meanwhile conflicts with them. */
import { MeshError } from '../../protocol/errors.ts'
import { LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import { MoveMark } from '../../protocol/moves.ts'
import type { Ports } from '../../protocol/ports.ts'
import { commitKnown } from './commit.ts'
import type { Read, ReadRange, StateEngine, Write } from './engine.ts'
import { type MoveStep, markAfter, refusalOf } from './move-rules.ts'

/** No grant reaches it. */
const MOVES = '.moves'

/** What stands in the way of whoever uses the namespace. To be among the reads of a transaction that writes to it. */
export const markRead = (namespace: string): Read => ({ namespace: MOVES, key: namespace })

export const markAt = async (
  engine: Pick<StateEngine, 'read'>,
  namespace: string,
  revision: number,
): Promise<MoveMark | undefined> => {
  const [entry] = await engine.read(MOVES, [namespace], revision)
  return entry?.value && MoveMark.decode(entry.value)
}

/** Throws MeshError E_STATE_MOVING or E_NAMESPACE_TAKEN where it may not be used as of `revision`. What arrives by `arriving` may. */
export const ensureSettled = async (
  engine: Pick<StateEngine, 'read'>,
  namespace: string,
  revision: number,
  use: 'read' | 'write',
  arriving?: string,
): Promise<void> => {
  const mark = await markAt(engine, namespace, revision)
  if (mark?.state === 'arriving' && mark.move === arriving) return
  const refusal = refusalOf(namespace, mark, use)
  if (refusal) throw refusal
}

const nameOf = ({ random }: Pick<Ports, 'random'>): string =>
  Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** As an owner asks for it: a move that begins is named here. */
export type OwnStep =
  | Exclude<MoveStep, { step: 'leave' | 'delete' | 'deleted' }>
  | { step: 'leave'; where: string }
  | { step: 'delete' }

export type MovingPorts = Pick<Ports, 'clock' | 'random'> & { network: Pick<Ports['network'], 'peerId'> }

export class Moving {
  readonly #ports: MovingPorts
  readonly #engine: StateEngine
  readonly #namespace: string

  constructor(ports: MovingPorts, engine: StateEngine, namespace: string) {
    this.#ports = ports
    this.#engine = engine
    this.#namespace = namespace
  }

  /** Takes one step, whole or not at all, and again after an interruption. Returns the mark; undefined: there is none any more. */
  async take(step: OwnStep): Promise<MoveMark | undefined> {
    const wanted: MoveStep =
      step.step === 'leave' || step.step === 'delete' ? { ...step, move: nameOf(this.#ports) } : step
    if (wanted.step === 'stay') await this.#clear('arriving')
    const mark = await this.#mark(wanted)
    if (wanted.step === 'left') await this.#clear('gone')
    if (wanted.step !== 'delete' || !mark) return mark
    await this.#clear('deleting')
    return this.#mark({ step: 'deleted', move: mark.move })
  }

  /** Entries of the namespace that arrives by `move`. Throws MeshError E_USAGE if none does. */
  async load(move: string, entries: readonly { key: string; value: Uint8Array }[]): Promise<void> {
    const namespace = this.#namespace
    const writes = entries.map(({ key, value }): Write => ({ namespace, key, put: value }))
    await this.#commit(async (revision) => {
      const mark = await markAt(this.#engine, namespace, revision)
      if (mark?.state === 'arriving' && mark.move === move) return { writes }
      throw new MeshError('E_USAGE', `namespace ${namespace} is not arriving by that move`)
    })
  }

  async #mark(step: MoveStep): Promise<MoveMark | undefined> {
    const namespace = this.#namespace
    let after: MoveMark | undefined
    await this.#commit(async (revision) => {
      const range = { namespace, prefix: '', limit: 1 }
      const [mark, { entries }] = await Promise.all([
        markAt(this.#engine, namespace, revision),
        this.#engine.list(range, revision),
      ])
      const at = { isEmpty: entries.length === 0, home: this.#ports.network.peerId }
      const decided = markAfter(namespace, mark, step, at)
      if (decided instanceof MeshError) throw decided
      after = decided
      // An entry that comes meanwhile conflicts.
      const ranges = entries.length === 0 ? [{ namespace, prefix: '' }] : []
      if (decided === mark) return { writes: [] }
      const own = markRead(namespace)
      return { ranges, writes: [decided ? { ...own, put: MoveMark.encode(decided) } : { ...own, delete: true }] }
    })
    return after
  }

  /** Deletes what is kept, as long as the namespace is marked so. */
  async #clear(state: MoveMark['state']): Promise<void> {
    const namespace = this.#namespace
    for (let isDone = false; !isDone; ) {
      await this.#commit(async (revision) => {
        const mark = await markAt(this.#engine, namespace, revision)
        const range = { namespace, prefix: '', limit: LIST_ENTRIES_MAX }
        const { entries } = mark?.state === state ? await this.#engine.list(range, revision) : { entries: [] }
        isDone = entries.length === 0
        return { writes: entries.map(({ key }): Write => ({ namespace, key, delete: true })) }
      })
    }
  }

  /** Until it does not conflict. */
  async #commit(
    at: (revision: number) => Promise<{ writes: readonly Write[]; ranges?: readonly ReadRange[] }>,
  ): Promise<void> {
    for (;;) {
      const revision = await this.#engine.revision()
      const { writes, ranges = [] } = await at(revision)
      if (writes.length === 0) return
      const id = `moving/${nameOf(this.#ports)}`
      const reads = [markRead(this.#namespace)]
      const transaction = { id, revision, reads, ranges, writes }
      if ((await commitKnown(this.#ports.clock, this.#engine, transaction)).kind === 'committed') return
    }
  }
}
