/** What an owner reads and changes of the state at its home, by hand: each change is a commit of its own. */
import { MeshError } from '../../protocol/errors.ts'
import type { MoveMark } from '../../protocol/moves.ts'
import { commitKnown } from './commit.ts'
import type { Change, Entry, Range, StateEngine, Write } from './engine.ts'
import { ensureSettled, Moving, type MovingPorts, markRead, type OwnStep } from './moving.ts'

/** Wayside's own are not the owner's to change, and would tell of others' calls. */
const ensureOpen = (namespace: string): void => {
  if (!namespace.startsWith('.')) return
  throw new MeshError('E_USAGE', { message: `namespace ${namespace} is kept by Wayside for itself`, namespace })
}

export class OwnerAccess {
  readonly #ports: MovingPorts
  readonly #engine: StateEngine

  constructor(ports: MovingPorts, engine: StateEngine) {
    this.#ports = ports
    this.#engine = engine
  }

  /** As of now. Throws MeshError E_USAGE, E_STATE_UNAVAILABLE or E_STORAGE, as all methods do. */
  async get(namespace: string, key: string): Promise<Entry> {
    ensureOpen(namespace)
    const revision = await this.#engine.revision()
    await ensureSettled(this.#engine, namespace, revision, 'read')
    const [entry] = await this.#engine.read(namespace, [key], revision)
    return entry as Entry
  }

  /** `value`: an encoded Value; undefined: there is to be none. Returns the revision that the change became. */
  async put(namespace: string, key: string, value: Uint8Array | undefined): Promise<number> {
    ensureOpen(namespace)
    const write: Write = value ? { namespace, key, put: value } : { namespace, key, delete: true }
    const id = `owner/${Array.from(this.#ports.random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
    for (;;) {
      const revision = await this.#engine.revision()
      await ensureSettled(this.#engine, namespace, revision, 'write')
      const transaction = { id, revision, reads: [markRead(namespace)], ranges: [], writes: [write] }
      const committed = await commitKnown(this.#ports.clock, this.#engine, transaction)
      if (committed.kind === 'committed') return committed.revision
    }
  }

  /** As of `revision`, or of now; the pages of one list are all as of the first one's. `arriving`: of what has come by that move, too. */
  async list(
    range: Range,
    revision?: number,
    arriving?: string,
  ): Promise<{ revision: number; entries: Entry[]; more: boolean }> {
    ensureOpen(range.namespace)
    const at = revision ?? (await this.#engine.revision())
    await ensureSettled(this.#engine, range.namespace, at, 'read', arriving)
    return { revision: at, ...(await this.#engine.list(range, at)) }
  }

  /** Changes after `after`, or after now. */
  async *watch(
    namespace: string,
    prefix: string,
    after: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Change> {
    ensureOpen(namespace)
    yield* this.#engine.watch(namespace, prefix, after ?? (await this.#engine.revision()), signal)
  }

  /** One step of a move, of this end. Throws MeshError E_STATE_MOVING, E_NAMESPACE_TAKEN or E_USAGE where it cannot be taken. */
  async move(namespace: string, step: OwnStep): Promise<MoveMark | undefined> {
    ensureOpen(namespace)
    return new Moving(this.#ports, this.#engine, namespace).take(step)
  }

  /** Entries that arrive by `move`. */
  async load(namespace: string, move: string, entries: readonly { key: string; value: Uint8Array }[]): Promise<void> {
    ensureOpen(namespace)
    return new Moving(this.#ports, this.#engine, namespace).load(move, entries)
  }
}
