/** One item on its way to one outcome: its attempts, whom it may still ask, and how it ends. */
import { ERRORS, type ErrorCode, MeshError } from '../protocol/errors.ts'
import { ATTEMPTS_MAX } from '../protocol/limits.ts'
import { type Item, isPure, type Performed } from './calls.ts'
import type { Attempt, AttemptResult } from './dispatcher.ts'
import { PROGRESS_EVERY_MS } from './hedging.ts'
import type { Home } from './home.ts'
import type { Neighbour } from './neighbours.ts'

/** An item that fails at so many executors fails because of itself. */
const FAILED_MAX = 3
/** One after another that bring its journal no further. */
const ATTEMPTS_IN_VAIN_MAX = 16
/** A drawn verifier that is busy so often, some 20 to 200 ms apart, is passed over: it must not hold up the verdict. */
const BUSY_MAX = 20
const SHUN_MS = 1000

interface Lost {
  readonly neighbour: Neighbour
  readonly heardMs: number
}

export interface PursuitOptions {
  /** PeerIds that must not be asked: they have voted already. */
  exclude: ReadonlySet<string>
  /** The one peer to ask: the verifier that was drawn. */
  only?: string | undefined
  /** That one is passed over when it has taken so many times as long as counts as slow; Infinity, the default: never. */
  patience?: number
}

/** What the pursuit asks of the invoker. */
export interface PursuitEvents {
  /** It waits for an executor again. */
  wait(pursuit: Pursuit): void
  cancel(attempt: Attempt, code: ErrorCode, message: string): void
  ended(pursuit: Pursuit): void
}

export class Pursuit {
  readonly item: Item
  readonly home: Home | undefined
  readonly result: Promise<Performed>
  readonly startedMs: number
  waitingSinceMs: number
  /** Executions: attempts that were not refused, nor, of those tied, cancelled before they started. */
  attempts = 0
  /** Attempts after the first that made up for a lost, failed or slow one. */
  recovered = 0
  hedges = 0
  readonly #options: PursuitOptions
  readonly #events: PursuitEvents
  /** Under way, and whether it makes up for another. */
  readonly #open = new Map<Attempt, boolean>()
  /** They have a free slot, as the peer said that refused last. */
  #better: readonly string[] = []
  /** Whom it was sent to; of those that were lost, as whom, and when they were last heard. */
  readonly #asked = new Map<string, Lost | undefined>()
  /** At whom it failed, however often. */
  readonly #failedAt = new Set<string>()
  /** Entries of its journal when it was longest, and the attempts up to then. */
  #furthest = { entries: 0, attempts: 0 }
  #busy = 0
  #last: { code: ErrorCode; message: string } | undefined
  readonly #settle: PromiseWithResolvers<Performed>
  #ended = false

  constructor(item: Item, home: Home | undefined, options: PursuitOptions, events: PursuitEvents, nowMs: number) {
    this.item = item
    this.home = home
    this.#options = options
    this.#events = events
    this.startedMs = nowMs
    this.waitingSinceMs = nowMs
    this.#settle = Promise.withResolvers()
    this.result = this.#settle.promise
  }

  /** Part of what was begun earlier: a nested call, a verification, or one more attempt. */
  get isContinuation(): boolean {
    return this.item.request.depth > 0 || this.attempts > 0 || this.#options.only !== undefined
  }

  /**
   * Others wait for it and hold places in windows meanwhile, so that places may not be what it waits for: a nested call, whose
   * caller does; a step that has taken its turn, which all others wait for that are at their ends.
   */
  get needsNoPlace(): boolean {
    const { depth, steps } = this.item.request
    return depth > 0 || steps?.inTurn === true
  }

  /** It may ask only the verifier that was drawn for it. */
  get isDrawn(): boolean {
    return this.#options.only !== undefined
  }

  /** How many times as long as counts as slow the one peer may take, before another is drawn. */
  get patience(): number {
    return this.#options.patience ?? Number.POSITIVE_INFINITY
  }

  /** May it be asked, as far as this item is concerned? One that was lost may, once it is there again. */
  mayAsk(neighbour: Neighbour): boolean {
    const { only, exclude } = this.#options
    const { peer, heardMs } = neighbour
    if (exclude.has(peer) || (only !== undefined && only !== peer)) return false
    if (!this.#asked.has(peer)) return true
    const lost = this.#asked.get(peer)
    return lost !== undefined && (lost.neighbour !== neighbour || heardMs > lost.heardMs)
  }

  /** A peer that has refused the item named this one: its word is newer than what this one has told. */
  isBetter(peer: string): boolean {
    return this.#better.includes(peer)
  }

  /** Why nobody is left to ask, as an error for the caller. `lenders`: those in reach, asked or not. */
  exhausted(lenders: readonly Neighbour[]): MeshError {
    if (this.#last) return new MeshError(this.#last.code, this.#last.message)
    const [first] = lenders
    if (!first)
      return new MeshError(
        'E_NO_PEER',
        'no peer that lends is in reach; check `wayside peers`, or join one with --join',
      )
    const { engine, limits } = this.item.template.environment
    const mostBytes = Math.max(...lenders.map(({ advertisement }) => advertisement?.memory_bytes ?? 0))
    if (limits.memory_bytes > mostBytes) {
      const message = `the task asks for ${limits.memory_bytes} bytes of memory, the most that a peer in reach lends is ${mostBytes}`
      return new MeshError('E_NO_MEMORY', { message, asked_bytes: limits.memory_bytes, lent_bytes: mostBytes })
    }
    if (lenders.every(({ advertisement }) => !advertisement?.engines.includes(engine))) {
      return new MeshError('E_ENGINE_UNAVAILABLE', `no peer in reach carries ${engine}; update the older side`)
    }
    return new MeshError('E_NO_PEER', `none of the ${lenders.length} peers in reach can take this`)
  }

  /** `recovers`: it makes up for one that was lost, failed or is slow. */
  launched(attempt: Attempt, recovers: boolean): void {
    this.attempts++
    if (recovers) this.recovered++
    this.#open.set(attempt, recovers)
    this.#asked.set(attempt.neighbour.peer, undefined)
    attempt.result.then((result) => this.#onResult(attempt, result))
  }

  /** One of those tied runs: the others that do not are taken back. */
  started(): void {
    for (const attempt of [...this.#open.keys()]) if (hasNotStarted(attempt)) this.#takeBack(attempt)
  }

  /** It may be asked again. */
  #takeBack(attempt: Attempt): void {
    this.attempts--
    if (this.#open.get(attempt)) this.recovered--
    this.#open.delete(attempt)
    this.#asked.delete(attempt.neighbour.peer)
    this.#events.cancel(attempt, 'E_CANCELLED', 'another executor has started')
  }

  fail(error: MeshError): void {
    if (this.#ended) return
    this.#end(error.code, error.message)
    this.#settle.reject(error)
  }

  #onResult(attempt: Attempt, result: AttemptResult): void {
    const recovers = this.#open.get(attempt)
    if (!this.#open.delete(attempt) || this.#ended) return
    if (result.kind === 'answered') return this.#answered(attempt, result)
    this.#last = { code: result.code, message: result.message }
    if (result.kind === 'refused') this.#refused(attempt, result, recovers === true)
    else if (result.code === 'E_EXECUTOR_LOST') this.#lost(attempt)
    // What one made up says nothing of the item.
    else if (result.code !== 'E_VERIFICATION_FAILED') this.#failedAt.add(attempt.neighbour.peer)
    if (result.code === 'E_REPLAY_DIVERGED') this.#startOver(attempt)
    // One executor's word is not enough to give up, whatever it says.
    if (this.#failedAt.size >= FAILED_MAX || this.#hasTriedEnough())
      return this.fail(new MeshError(result.code, result.message))
    if (this.#open.size === 0) this.#events.wait(this)
  }

  /** Who gets further, and loses one executor after another because it lasts, is not given up for that. */
  #hasTriedEnough(): boolean {
    const entries = this.item.journal.length
    if (entries > this.#furthest.entries) this.#furthest = { entries, attempts: this.attempts }
    return this.attempts - this.#furthest.attempts >= ATTEMPTS_IN_VAIN_MAX || this.attempts >= ATTEMPTS_MAX
  }

  /** It is there again with a link of its own, or once it is heard; one that talks, but not of this item, is there already. */
  #lost(attempt: Attempt): void {
    const { neighbour } = attempt
    this.#asked.set(neighbour.peer, {
      neighbour,
      heardMs: isSilent(attempt) ? neighbour.heardMs : Number.POSITIVE_INFINITY,
    })
  }

  /** Of two executors one has invented requests. Until that is settled by verification, the journal is not to be built on. */
  #startOver({ neighbour }: Attempt): void {
    if (!this.home?.startOver()) return
    this.#asked.delete(neighbour.peer)
  }

  /** Who has no room, or none for us, is asked again after a while; any other refusal stands. */
  #refused(
    { neighbour }: Attempt,
    { code, better }: Extract<AttemptResult, { kind: 'refused' }>,
    recovers: boolean,
  ): void {
    this.attempts--
    if (recovers) this.recovered--
    this.#better = better
    if (code !== 'E_BUSY' && code !== 'E_QUOTA') return
    this.#busy++
    if (this.#options.only === undefined || this.#busy < BUSY_MAX) this.#asked.delete(neighbour.peer)
  }

  #answered(attempt: Attempt, result: Extract<AttemptResult, { kind: 'answered' }>): void {
    this.#end('E_CANCELLED', 'another executor was first')
    this.#settle.resolve({
      item: this.item,
      executor: attempt.neighbour.peer,
      attempt: attempt.attempt,
      epoch: attempt.epoch,
      outcomeBytes: result.outcomeBytes,
      outcome: result.outcome,
      outcomeCid: result.outcomeCid,
      invocation: async () => result.invocation,
      receipt: () => result.receipt.envelope(),
      head: () => result.receipt.withHead(),
    })
  }

  #end(code: ErrorCode, message: string): void {
    this.#ended = true
    for (const attempt of [...this.#open.keys()]) {
      if (hasNotStarted(attempt)) this.attempts--
      this.#events.cancel(attempt, code, message)
    }
    this.#events.ended(this)
  }
}

/** As far as it has been heard of: of those that are not tied, nothing is said. */
const hasNotStarted = ({ holdMs, startedMs }: Attempt): boolean => holdMs !== undefined && startedMs === undefined

/** Has nothing been heard of its executor either, since the last that was heard of the attempt? */
export const isSilent = ({ neighbour, heardMs }: Attempt): boolean => neighbour.heardMs < heardMs + PROGRESS_EVERY_MS

/** A pure item may run in two places at once; one with effects has one execution at a time, under its epoch. */
export const mayHedge = (pursuit: Pursuit): boolean => isPure(pursuit.item.manifest)

/**
 * Codes with which a peer says that it takes nothing from us for a while. One that was lost is left alone for as long as it has
 * been silent: until the link is given up it is asked a few times, not each second.
 */
export const shunMs = ({ inFlight }: Pick<Neighbour, 'inFlight'>, code: ErrorCode, silentMs: number): number => {
  if (code === 'E_BUSY') return 20 + Math.min(200, inFlight)
  if (ERRORS[code].retry !== 'elsewhere') return 0
  return code === 'E_EXECUTOR_LOST' ? Math.max(SHUN_MS, silentMs) : SHUN_MS
}
