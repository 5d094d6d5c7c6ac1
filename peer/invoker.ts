/** The invoker: gets one outcome for one item, whatever executors do; a lost one is replaced, a slow one hedged. */
import type { ErrorCode } from '../protocol/errors.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import { type Item, isPure, type Performed, timedOut } from './calls.ts'
import { Candidates } from './candidates.ts'
import type { Attempt, Dispatcher } from './dispatcher.ts'
import { type Experience, servedMs, slownessAfter } from './experience.ts'
import { HedgeBudget, isLost, isSlow, SILENCE_MS_MAX, shouldHedge, WATCH_EVERY_MS, WATCH_MS_MIN } from './hedging.ts'
import type { AnswerSink, Home } from './home.ts'
import { type NeighbourTable, working } from './neighbours.ts'
import { isSilent, mayHedge, Pursuit, type PursuitOptions, shunMs } from './pursuit.ts'
import { choose, predictedMs } from './selection.ts'
import type { Tally } from './tally.ts'
import { copiesOf, holdMs, keepWorthwhile, TIED_FROM_MS } from './tying.ts'
import { windowOf } from './window.ts'

/** After a longer pause it was we who were silent: what has come meanwhile is read before anybody counts as lost. */
const WATCH_LATE_MS = 500
/** How long a call waits for a first peer. */
export const PEER_WAIT_MS = 2000

const cancelled = () => new MeshError('E_CANCELLED', 'the caller cancelled')
const stopping = () => new MeshError('E_STOPPING', 'this peer is shutting down; the call was given up')

type InvokerPorts = Pick<Ports, 'clock' | 'random' | 'log'>

export class Invoker {
  readonly #ports: InvokerPorts
  readonly #neighbours: NeighbourTable
  readonly #dispatcher: Dispatcher
  readonly #experience: Experience
  readonly #homeOf: (item: Item) => Home
  readonly #expecting: (engine: string) => boolean
  readonly #tally: Tally
  readonly #candidates: Candidates
  /** Whom an item goes to; reused. */
  readonly #chosen: number[] = []
  readonly #hedges = new HedgeBudget()
  readonly #pursuits = new Map<Item, Pursuit>()
  /** Each waits for an executor with room, in order of arrival. */
  readonly #waiting = new Set<Pursuit>()
  /** Those that go before them: the verifications and second attempts of what was begun earlier. */
  readonly #urgent = new Set<Pursuit>()
  /** Those that need no place; before them nobody is served. */
  readonly #placeless = new Set<Pursuit>()
  readonly #heeded = new WeakSet<AbortSignal>()
  #watching = false
  #watchedMs = 0
  #serving = false
  #stopped = false

  /** `expecting`: peers are being dialled, or looked for that have this engine, so it is worth waiting for one. */
  constructor(
    ports: InvokerPorts,
    parts: { neighbours: NeighbourTable; dispatcher: Dispatcher; experience: Experience; tally: Tally },
    homeOf: (item: Item) => Home,
    expecting: (engine: string) => boolean,
  ) {
    this.#ports = ports
    this.#neighbours = parts.neighbours
    this.#dispatcher = parts.dispatcher
    this.#experience = parts.experience
    this.#tally = parts.tally
    this.#homeOf = homeOf
    this.#expecting = expecting
    this.#candidates = new Candidates(parts.neighbours, parts.experience)
  }

  /**
   * One outcome for `item`. Throws MeshError E_NO_PEER (or why the last peer would not) if nobody can be asked,
   * E_TIMEOUT, E_CANCELLED, E_STOPPING, or the code that made the item fail everywhere.
   */
  async perform(item: Item, options: PursuitOptions, spent: (pursuit: Pursuit) => void): Promise<Performed> {
    const { signal } = item.request
    const home = isPure(item.manifest) ? undefined : this.#homeOf(item)
    if (item.kept) home?.goOn()
    if (home) await home.foresee()
    const events = {
      wait: (pursuit: Pursuit) => this.#wait(pursuit),
      cancel: (attempt: Attempt, code: ErrorCode, message: string) => this.#dispatcher.cancel(attempt, code, message),
      ended: (pursuit: Pursuit) => {
        this.#waiting.delete(pursuit)
        this.#urgent.delete(pursuit)
        this.#placeless.delete(pursuit)
        this.#pursuits.delete(pursuit.item)
      },
    }
    const pursuit = new Pursuit(item, home, options, events, this.#ports.clock.monotonic())
    this.#pursuits.set(item, pursuit)
    this.#hedges.begun()
    if (this.#stopped) pursuit.fail(stopping())
    else if (signal?.aborted) pursuit.fail(cancelled())
    else {
      if (signal) this.#heed(signal)
      this.#wait(pursuit)
      this.#watch()
    }
    try {
      return await pursuit.result
    } finally {
      home?.close()
      spent(pursuit)
    }
  }

  /** One listener for the many items of a map. */
  #heed(signal: AbortSignal): void {
    if (this.#heeded.has(signal)) return
    this.#heeded.add(signal)
    signal.addEventListener('abort', () => {
      for (const pursuit of [...this.#pursuits.values()]) {
        if (pursuit.item.request.signal === signal) pursuit.fail(cancelled())
      }
    })
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  /** Something changed: an answer, an advertisement, a new neighbour. Serves those who wait. */
  serveWaiting(): void {
    if (this.#serving) return
    this.#serving = true
    this.#serve(this.#placeless)
    if (this.#serve(this.#urgent)) this.#serve(this.#waiting)
    this.#serving = false
  }

  /** False: nobody has room. */
  #serve(waiting: Set<Pursuit>): boolean {
    for (const pursuit of waiting) {
      if (this.#launch(pursuit, false)) waiting.delete(pursuit)
      else if (!this.#hasPatience(pursuit)) pursuit.fail(pursuit.exhausted(this.#neighbours.lenders()))
      else if (this.#allFull(pursuit)) return false
    }
    return true
  }

  /** Ends every call under way, and every later one, with E_STOPPING. */
  stop(): void {
    this.#stopped = true
    for (const pursuit of [...this.#pursuits.values()]) pursuit.fail(stopping())
  }

  /** Items of this function that the neighbours take at once, beside those that wait there; what a map keeps under way. */
  capacity(functionId: string): number {
    const serviceMs = this.#experience.serviceMs(functionId)
    let sum = 0
    for (const { advertisement, slowness, roundTripMs, waiting } of this.#neighbours.lenders()) {
      sum += waiting + windowOf(advertisement?.slots ?? 0, serviceMs * slowness, roundTripMs)
    }
    return sum
  }

  #wait(pursuit: Pursuit): void {
    pursuit.waitingSinceMs = this.#ports.clock.monotonic()
    // An executor that was given no more time may say so before we look at the clock.
    if (pursuit.item.deadlineMs <= pursuit.waitingSinceMs) return pursuit.fail(timedOut(pursuit.item))
    this.#queueOf(pursuit).add(pursuit)
    this.serveWaiting()
  }

  #queueOf(pursuit: Pursuit): Set<Pursuit> {
    if (pursuit.needsNoPlace) return this.#placeless
    return pursuit.isContinuation ? this.#urgent : this.#waiting
  }

  #view(pursuit: Pursuit): Candidates {
    this.#candidates.pursuit = pursuit
    this.#candidates.nowMs = this.#ports.clock.monotonic()
    return this.#candidates
  }

  /** Nobody has room: whoever waits behind need not be looked at. */
  #allFull(pursuit: Pursuit): boolean {
    const view = this.#view(pursuit)
    for (let i = 0; i < view.count; i++) if (view.hasRoom(i)) return false
    return true
  }

  /** Somebody suits but has no room, or somebody may yet come. */
  #hasPatience(pursuit: Pursuit): boolean {
    const view = this.#view(pursuit)
    for (let i = 0; i < view.count; i++) if (view.suits(i)) return true
    const coming = this.#expecting(pursuit.item.template.environment.engine) || this.#neighbours.hasSilent
    return coming && view.nowMs - pursuit.waitingSinceMs < PEER_WAIT_MS
  }

  /** False: nobody has room. */
  #launch(pursuit: Pursuit, hedge: boolean): boolean {
    const view = this.#view(pursuit)
    const chosen = this.#chosen
    choose(view, this.#copies(pursuit, hedge), (limit) => this.#ports.random.below(limit), chosen)
    if (chosen.length === 0) return false
    if (chosen.length > 1) keepWorthwhile(view, chosen)
    // A verification comes as any other item of its function: it must not show.
    const isTied = isPure(pursuit.item.manifest) && view.usualRunMs >= TIED_FROM_MS
    const recovers = hedge || pursuit.attempts > 0
    for (let k = 0; k < chosen.length; k++) {
      this.#send(pursuit, chosen[k] as number, isTied ? holdMs(view, chosen, k) : undefined, recovers && k === 0)
    }
    if (hedge) pursuit.hedges++
    return true
  }

  /** Where others wait already, copies would only take their places. */
  #copies(pursuit: Pursuit, hedge: boolean): number {
    const { usualRunMs } = this.#candidates
    const isAlone = this.#waiting.size + this.#urgent.size + this.#placeless.size <= 1
    return isAlone && !hedge && isPure(pursuit.item.manifest) && !pursuit.isDrawn ? copiesOf(usualRunMs) : 1
  }

  #send(pursuit: Pursuit, chosen: number, held: number | undefined, recovers: boolean): void {
    const view = this.#candidates
    const neighbour = view.at(chosen)
    const slots = view.slots(chosen)
    const load = working(neighbour) + 1
    const { item, home } = pursuit
    const sink: AnswerSink = {
      answer: (n, answer) => this.#dispatcher.answer(attempt, n, answer),
      refuse: (reason) => this.#refuse(attempt, reason),
    }
    const attempt: Attempt = this.#dispatcher.send(neighbour, item, {
      attempt: pursuit.attempts + 1,
      epoch: pursuit.attempts,
      predictedMs: view.usualServiceMs === 0 ? 0 : predictedMs(view, chosen) + (held ?? 0),
      // The copies of one item leave together.
      queueMs: held === undefined ? (view.serviceMs(chosen) * Math.max(0, load - 2 * slots)) / Math.max(1, slots) : 0,
      holdMs: held,
      onStarted: held === undefined ? undefined : () => pursuit.started(),
      onRequest: home && ((effect: Parameters<Home['onRequest']>[1]) => home.onRequest(sink, effect)),
      onGuessed: home && ((...guessed) => home.onGuessed(sink, ...guessed)),
      guesses: home?.guesses ?? [],
      owesNothing: home && (() => home.owesNothing),
    })
    home?.attach(sink)
    // Before the pursuit hears of it: one that was refused must not go to the same peer again.
    attempt.result.then((result) => {
      if (result.kind === 'answered') this.#answered(attempt, slots, load, result.outcome.fuel)
      else this.#ended(attempt, result.code)
      this.serveWaiting()
    })
    pursuit.launched(attempt, recovers)
  }

  #refuse(attempt: Attempt, reason: string): void {
    const code = 'E_VERIFICATION_FAILED'
    this.#ports.log.event('peer.misbehaved', { peer: attempt.neighbour.peer, task: attempt.item.task, code, reason })
    this.#dispatcher.cancel(attempt, code, reason)
  }

  #answered(attempt: Attempt, slots: number, load: number, fuel: number): void {
    this.#learn(attempt, slots, load, fuel)
    this.#tally.got(fuel)
  }

  #ended(attempt: Attempt, code: ErrorCode): void {
    const { neighbour, item, startedMs, fuel } = attempt
    // It is the caller who is not wanted there, and not this peer.
    if (code === 'E_NOT_ACCEPTED' && item.request.durable?.delegation) return
    const nowMs = this.#ports.clock.monotonic()
    const untilMs = nowMs + shunMs(neighbour, code, nowMs - neighbour.heardMs)
    if (code === 'E_EXECUTOR_LOST' && isSilent(attempt)) neighbour.silentUntilMs = untilMs
    else neighbour.shunnedUntilMs = Math.max(neighbour.shunnedUntilMs, untilMs)
    if (startedMs !== undefined && code === 'E_CANCELLED') this.#tally.gaveUp(fuel)
  }

  /** How long it ran, if it said when it started; else what that will have been. */
  #learn(attempt: Attempt, slots: number, load: number, fuel: number): void {
    const { neighbour, item, sentMs, startedMs, predictedMs } = attempt
    const nowMs = this.#ports.clock.monotonic()
    const completionMs = nowMs - sentMs
    const { roundTripMs } = neighbour
    const ranMs = startedMs === undefined ? servedMs({ completionMs, roundTripMs, slots, load }) : nowMs - startedMs
    const serviceMs = Math.max(0.001, ranMs)
    neighbour.slowness = slownessAfter(neighbour.slowness, serviceMs, this.#experience.serviceMs(item.functionId))
    this.#experience.record(item.functionId, { serviceMs, fuel, completionMs, predictedMs })
  }

  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#watchedMs = this.#ports.clock.monotonic()
    const tick = () => {
      if (this.#pursuits.size === 0) {
        this.#watching = false
        return
      }
      const isLate = this.#inspect()
      this.#ports.clock.after(isLate ? WATCH_EVERY_MS : this.#untilLossMs(), tick)
    }
    this.#ports.clock.after(WATCH_EVERY_MS, tick)
  }

  /** Until whoever has been silent longest counts as lost; `WATCH_EVERY_MS` at most. */
  #untilLossMs(): number {
    const nowMs = this.#ports.clock.monotonic()
    let dueMs = nowMs + WATCH_EVERY_MS
    for (const { heardMs } of this.#dispatcher.attempts()) dueMs = Math.min(dueMs, heardMs + SILENCE_MS_MAX)
    return Math.max(WATCH_MS_MIN, dueMs - nowMs)
  }

  /** True if it comes late: this peer itself has been stopped, and what was said meanwhile waits to be read. */
  #inspect(): boolean {
    const nowMs = this.#ports.clock.monotonic()
    const isLate = nowMs - this.#watchedMs > WATCH_LATE_MS
    this.#watchedMs = nowMs
    for (const attempt of isLate ? [] : [...this.#dispatcher.attempts()]) {
      const pursuit = this.#pursuits.get(attempt.item)
      if (pursuit) this.#inspectAttempt(attempt, pursuit, nowMs)
    }
    for (const pursuit of [...this.#pursuits.values()]) this.#inspectPursuit(pursuit, nowMs)
    this.serveWaiting()
    return isLate
  }

  #inspectPursuit(pursuit: Pursuit, nowMs: number): void {
    const { deadlineMs, functionId } = pursuit.item
    if (deadlineMs <= nowMs) return pursuit.fail(timedOut(pursuit.item))
    // A drawn verifier cannot be hedged: no other may take its place but the one drawn next.
    if (isSlow((nowMs - pursuit.startedMs) / pursuit.patience, this.#experience.usualMs(functionId))) {
      pursuit.fail(new MeshError('E_BUSY', 'the drawn verifier is slow; the next one is drawn'))
    }
  }

  #inspectAttempt(attempt: Attempt, pursuit: Pursuit, nowMs: number): void {
    const view = {
      silentMs: nowMs - attempt.heardMs,
      ageMs: nowMs - attempt.sentMs,
      predictedMs: attempt.predictedMs,
      lateness: this.#experience.lateness(attempt.item.functionId),
      pure: mayHedge(pursuit),
      hedges: pursuit.hedges,
    }
    const { peer } = attempt.neighbour
    if (isLost(view)) {
      this.#ports.log.event('call.lost', { peer, task: attempt.item.task.toString(), attempt: attempt.attempt })
      this.#dispatcher.cancel(attempt, ...lossOf(attempt, view.silentMs))
    } else if (shouldHedge(view) && this.#hedges.allows && this.#launch(pursuit, true)) {
      this.#hedges.hedged()
      this.#ports.log.event('call.hedged', {
        peer,
        task: attempt.item.task.toString(),
        duration_ms: Math.round(view.ageMs),
      })
    }
  }
}

/**
 * Who waits for an answer that the journal has not, and nobody is to give, is at another place than the journal. It says so
 * again and again: the answer may have crossed a single word.
 */
const lossOf = ({ neighbour: { peer }, inVain }: Attempt, silentMs: number): [ErrorCode, string] =>
  inVain > 1
    ? ['E_REPLAY_DIVERGED', `${peer} waits for an answer to what was not requested`]
    : ['E_EXECUTOR_LOST', `${peer} has been silent for ${Math.round(silentMs)} ms`]
