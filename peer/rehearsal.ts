/**
 * A function run here beside its execution elsewhere, as far as that has come. Between two barriers it stays at rest, so that
 * however many there are it runs once; the pool lets go of it where it has no room, and begins it again from its journal.
 */
import { isDeferred } from '../protocol/effects.ts'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { sameBytes } from '../protocol/same-bytes.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { partsOf } from './journal-parts.ts'
import { leadingTo, restAfter } from './proven.ts'
import type { RunRequest } from './runner.ts'

/** An executor may be this far behind. */
const CHECKPOINTS_MAX = 4

type Ended = Exclude<SandboxResult, { kind: 'inconclusive' }>

export interface RehearsalParts {
  start(journal: readonly JournalEntry[], events: Pick<RunRequest, 'onRequest' | 'onWait' | 'onRest'>): SandboxRun
  /** Rejects with MeshError for a run that says nothing of its function. */
  ended(run: SandboxRun): Promise<Ended>
}

const isSame = (a: EffectRequest | undefined, b: EffectRequest): boolean =>
  a === b || (a?.kind === b.kind && a.after === b.after && sameBytes(a.arguments, b.arguments))

export class Rehearsal {
  readonly #run: SandboxRun
  readonly #ended: Promise<Ended>
  /** By their numbers. */
  readonly #made: EffectRequest[]
  /** In this order. */
  readonly #given: Answer[]
  #rest = Promise.withResolvers<undefined>()
  /** By the answers before them; the last few. */
  readonly #checkpoints = new Map<number, Uint8Array>()
  /** Whoever came before has come as far as it wanted. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Begins with what leads to a request, or to the rest behind so many answers. */
  constructor({ start, ended }: RehearsalParts, journal: readonly JournalEntry[], to: EffectRequest | number) {
    const begun = typeof to === 'number' ? restAfter(journal, to) : leadingTo(journal, to)
    const { requests, answers } = partsOf(begun)
    this.#made = [...requests]
    this.#given = answers.map(({ answer }) => answer)
    this.#run = start(begun, {
      onRequest: (made) => {
        this.#made[made.n] = made
      },
      onWait: () => this.#rest.resolve(undefined),
      onRest: (answers, bytes) => this.#rested(answers, bytes),
    })
    this.#ended = ended(this.#run)
    this.#ended.catch(() => {})
  }

  /** What it was answered is the beginning of what `journal` says. */
  suits(journal: readonly JournalEntry[]): boolean {
    const { answers } = partsOf(journal)
    return this.#given.every((given, i) => answers[i]?.answer === given)
  }

  /** How many of the requests of `journal`, from the first to `request`, it makes. */
  requestsOf(journal: readonly JournalEntry[], request: EffectRequest): Promise<number> {
    return this.#inTurn(async () => {
      const told = await this.#goOn(journal, request.after)
      if (told?.kind === 'diverged') return Math.min(told.n, request.n)
      return this.#madeOf(partsOf(journal).requests.slice(0, request.n + 1))
    })
  }

  /** The checkpoint that it comes to after so many answers of `journal`, by the same requests as that; undefined: none. */
  checkpointAt(journal: readonly JournalEntry[], answers: number): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      await this.#goOn(journal, answers)
      const wanted = partsOf(restAfter(journal, answers)).requests
      return this.#madeOf(wanted) === wanted.length ? this.#checkpoints.get(answers) : undefined
    })
  }

  /** What it comes to with all of `journal`; undefined: something else than that. */
  outcomeOf(journal: readonly JournalEntry[]): Promise<Extract<Ended, { kind: 'outcome' }> | undefined> {
    return this.#inTurn(async () => {
      const told = await this.#goOn(journal, journal.length)
      const wanted = partsOf(journal).requests
      if (told?.kind !== 'outcome' || wanted.length !== this.#made.length) return undefined
      return this.#madeOf(wanted) === wanted.length ? told : undefined
    })
  }

  /** How many of `wanted`, from the first, it has made. Of those the arguments are compared once. */
  #madeOf(wanted: readonly EffectRequest[]): number {
    for (let n = 0; n < wanted.length; n++) {
      const one = wanted[n] as EffectRequest
      if (!isSame(this.#made[n], one)) return n
      this.#made[n] = one
    }
    return wanted.length
  }

  #rested(answers: number, bytes: Uint8Array): void {
    this.#checkpoints.set(answers, bytes)
    for (const oldest of this.#checkpoints.keys()) {
      if (this.#checkpoints.size <= CHECKPOINTS_MAX) return
      this.#checkpoints.delete(oldest)
    }
  }

  end(): void {
    this.#run.kill('nobody answers it')
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Gives it what it has not been given of so many answers; undefined: then it waits for more, or for what it has not asked for. */
  async #goOn(journal: readonly JournalEntry[], answers: number): Promise<Ended | undefined> {
    for (const { n, answer } of partsOf(journal).answers.slice(this.#given.length, answers)) {
      if (!this.#made[n]) {
        const told = await this.#atRest()
        if (told) return told
      }
      if (!this.#waitsFor(n)) return undefined
      this.#given.push(answer)
      this.#rest = Promise.withResolvers()
      this.#run.answer(n, answer)
    }
    return this.#atRest()
  }

  /** An answer to anything else moves it no further, and it would be waited for in vain. */
  #waitsFor(n: number): boolean {
    const made = this.#made[n]
    return made !== undefined && !isDeferred(made.kind)
  }

  #atRest(): Promise<Ended | undefined> {
    return Promise.race([this.#ended, this.#rest.promise])
  }
}
