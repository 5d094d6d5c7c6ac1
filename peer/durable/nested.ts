/**
 * Calls that a durable invocation makes of what changes something: each is an invocation of its own, whose id is made of its
 * parent's. So whoever goes on with the parent finds it, running or ended, and never begins a second.
 */
import { MeshError } from '../../protocol/errors.ts'
import { NESTED_RUNNING_MAX } from '../../protocol/limits.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Clock } from '../../protocol/ports.ts'
import type { CallRequest } from '../calls.ts'
import { pause } from '../pause.ts'
import { commitKnown } from '../state/commit.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import type { DurableEnd } from './durable.ts'
import { INVOCATIONS } from './names.ts'
import { findRecord, readRecord } from './records.ts'
import { mayGoOn, RETRY_MS } from './retry.ts'

export interface NestedParts {
  engine: StateEngine
  /** Aborted when this home stops. */
  stopped: AbortSignal
  /** Keeps it and runs it, unless it was begun before. */
  begin(id: string, request: CallRequest, parent: string): Promise<void>
  wait(id: string): Promise<DurableEnd>
}

/** Who waits for a place at one parent, and how many have one. */
interface Places {
  taken: number
  waiting: (() => void)[]
}

export class Nested {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #parts: NestedParts
  readonly #places = new Map<string, Places>()

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, parts: NestedParts) {
    this.#clock = clock
    this.#parts = parts
  }

  /**
   * What the call `request.id` of the invocation `parent` comes to. Throws MeshError for one that failed, or cannot be begun.
   * Settles only while this home runs: else the next one finds it.
   */
  async outcomeOf(request: CallRequest, parent: string): Promise<Outcome> {
    const leave = await this.#enter(parent)
    try {
      const end = await this.#endOf(request, parent)
      if (!end) return await new Promise(() => {})
      if (end.outcome) return Outcome.decode(end.outcome)
      throw end.error ?? new MeshError('E_CANCELLED', 'the invocation that was called has been cancelled')
    } finally {
      leave()
    }
  }

  /** A state that is out of reach may be back. Undefined: this home stops. */
  async #endOf(request: CallRequest, parent: string): Promise<DurableEnd | undefined> {
    const { stopped } = this.#parts
    const untilMs = this.#clock.monotonic() + request.timeoutMs
    for (let delayMs = RETRY_MS.least; !stopped.aborted; delayMs = Math.min(2 * delayMs, RETRY_MS.most)) {
      const end = await this.#attempt(request, parent).catch((cause: unknown) => {
        if (!stopped.aborted && !mayGoOn(cause, this.#clock.monotonic() < untilMs)) throw cause
      })
      if (end) return end
      await pause(this.#clock, delayMs, stopped)
    }
    return undefined
  }

  async #attempt(request: CallRequest, parent: string): Promise<DurableEnd> {
    const id = request.id as string
    const { record } = await findRecord(this.#parts.engine, id)
    if (!record) await this.#parts.begin(id, request, parent)
    return this.#parts.wait(id)
  }

  async #enter(parent: string): Promise<() => void> {
    const places = this.#places.get(parent) ?? { taken: 0, waiting: [] }
    this.#places.set(parent, places)
    if (places.taken < NESTED_RUNNING_MAX) places.taken++
    else await new Promise<void>((resolve) => places.waiting.push(resolve))
    return () => {
      const next = places.waiting.shift()
      if (next) return next()
      places.taken--
      if (places.taken === 0) this.#places.delete(parent)
    }
  }
}

/** Its first commit. False: it was begun before. Throws MeshError E_CANCELLED if its parent has ended. */
export const commitNested = async (
  clock: Pick<Clock, 'monotonic' | 'after'>,
  engine: StateEngine,
  { id, parent, writes }: { id: string; parent: string; writes: readonly Write[] },
): Promise<boolean> => {
  const reads = [id, parent].map((key) => ({ namespace: INVOCATIONS, key }))
  for (;;) {
    const revision = await engine.revision()
    const [own, above] = await engine.read(INVOCATIONS, [id, parent], revision)
    if (own?.value) return false
    if (!above?.value || readRecord(parent, above.value).state !== 'running')
      throw new MeshError('E_CANCELLED', 'the invocation that calls it has ended')
    const transaction = { id: `${id}/start/${revision}`, revision, reads, ranges: [], writes }
    const committed = await commitKnown(clock, engine, transaction)
    if (committed.kind === 'committed') return true
  }
}
