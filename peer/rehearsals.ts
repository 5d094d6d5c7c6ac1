/** The rehearsals of this home: one of each call under way that needs some. */
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import type { CallRequest, Item } from './calls.ts'
import { Rehearsal, type RehearsalParts } from './rehearsal.ts'
import type { LoadedFunction } from './runner.ts'

interface RehearsalsParts {
  load(item: Item): Promise<LoadedFunction>
  run(
    item: Item,
    loaded: LoadedFunction,
    journal: readonly JournalEntry[],
    events: Parameters<RehearsalParts['start']>[1],
  ): SandboxRun
  ended(item: Item, run: SandboxRun): ReturnType<RehearsalParts['ended']>
}

export class Rehearsals {
  readonly #parts: RehearsalsParts
  /** By the calls that they are of. */
  readonly #rehearsals = new Map<CallRequest, Rehearsal>()

  constructor(parts: RehearsalsParts) {
    this.#parts = parts
  }

  /**
   * How many of the requests of `item`, from the first to `request`, its function makes, given what it was answered
   * before. Throws MeshError E_INCONCLUSIVE, E_CANCELLED or E_TIMEOUT. Until `forget` what was run for that is kept.
   */
  async rehearse(item: Item, request: EffectRequest): Promise<number> {
    const rehearsal = await this.of(item, request)
    try {
      const made = await rehearsal.requestsOf(item.journal, request)
      if (made <= request.n) this.forget(item.request)
      return made
    } catch (cause) {
      this.forget(item.request)
      throw cause
    }
  }

  /** The one that there is, or one that begins with what leads to a request, or to the rest behind so many answers. */
  async of(item: Item, to: EffectRequest | number): Promise<Rehearsal> {
    const loaded = await this.#parts.load(item)
    const found = this.#rehearsals.get(item.request)
    if (found?.suits(item.journal)) return found
    found?.end()
    const parts: RehearsalParts = {
      start: (journal, events) => this.#parts.run(item, loaded, journal, events),
      ended: (run) => this.#parts.ended(item, run),
    }
    const rehearsal = new Rehearsal(parts, item.journal, to)
    this.#rehearsals.set(item.request, rehearsal)
    return rehearsal
  }

  /** What a run of it has come to with all of `journal`; undefined: there is none that has. */
  async outcomeOf(
    item: Item,
    journal: readonly JournalEntry[],
  ): Promise<Extract<SandboxResult, { kind: 'outcome' }> | undefined> {
    const rehearsal = this.#rehearsals.get(item.request)
    return rehearsal?.suits(journal) ? rehearsal.outcomeOf(journal).catch(() => undefined) : undefined
  }

  /** The call has ended. */
  forget(request: CallRequest): void {
    this.#rehearsals.get(request)?.end()
    this.#rehearsals.delete(request)
  }
}
