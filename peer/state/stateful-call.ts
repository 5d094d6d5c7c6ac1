/** A call of a function with state: one step, run at its level at one revision, and committed; run again if that conflicts. */
import { type EffectKind, isDeferred } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { CallRequest, CallResult } from '../calls.ts'
import { deferredIn } from '../grants.ts'
import type { Committed, StateEngine, Transaction } from './engine.ts'
import type { Gates } from './gate.ts'
import { Step } from './step.ts'

/** After so many conflicts a call takes its turn: on hot keys most runs would be in vain. */
const CONFLICTS_MAX = 3
/** Whether a commit came to be, if the engine did not say so, is asked again and again for so long. */
const UNKNOWN_MS_MAX = 10_000
const ASK_AGAIN_MS = 100

/** What is kept at a home, and who may commit to it. */
export interface State {
  engine: StateEngine
  gates: Gates
}

/** One run at the level of the call. */
export type Perform = (request: CallRequest) => Promise<CallResult>

const READS: readonly EffectKind[] = ['get', 'list']

/** Whether calls of the function are steps: they read state, or do something once they have been verified. */
export const isStateful = ({ effects }: Pick<Manifest, 'effects'>): boolean =>
  effects.some((kind) => isDeferred(kind) || READS.includes(kind))

type StatePorts = Pick<Ports, 'clock' | 'log'>

export class StatefulCall {
  readonly #ports: StatePorts
  readonly #state: State
  readonly #perform: Perform
  readonly #request: CallRequest
  readonly #manifest: Manifest
  /** Monotonic. */
  readonly #deadlineMs: number
  readonly #namespaces: readonly string[]
  readonly #late = Promise.withResolvers<never>()

  constructor(
    ports: StatePorts,
    { state, perform }: { state: State; perform: Perform },
    request: CallRequest,
    manifest: Manifest,
    deadlineMs: number,
  ) {
    this.#ports = ports
    this.#state = state
    this.#perform = perform
    this.#request = request
    this.#manifest = manifest
    this.#deadlineMs = deadlineMs
    this.#namespaces = Object.values(request.grants ?? {}).flatMap((grant) => ('state' in grant ? [grant.state] : []))
    this.#late.promise.catch(() => {})
  }

  async run(): Promise<CallResult> {
    const { clock } = this.#ports
    const cancel = clock.after(this.#deadlineMs - clock.monotonic(), () => this.#late.reject(this.#timedOut()))
    const inVain: CallResult[] = []
    try {
      for (;;) {
        const { result, committed } = await this.#step(inVain.length >= CONFLICTS_MAX)
        if (committed) return withInVain(result, inVain)
        inVain.push(result)
      }
    } finally {
      cancel()
    }
  }

  /** One run and its commit. Not committed: something that it read has changed meanwhile, which no turn of its own lets happen. */
  async #step(inTurn: boolean): Promise<{ result: CallResult; committed: boolean }> {
    const { engine } = this.#state
    const leave = inTurn ? await this.#enter(true) : undefined
    try {
      const reads = new Step(engine, await engine.revision())
      const result = await this.#perform({ ...this.#request, reads })
      return { result, committed: await this.#settle(result, reads, inTurn) }
    } finally {
      leave?.()
    }
  }

  async #settle(result: CallResult, step: Step, inTurn: boolean): Promise<boolean> {
    if (step.isStale) return false
    const { outcome, performed } = result
    // A function that failed has changed nothing.
    if (!outcome.result.ok) return true
    const deferred = deferredIn(this.#manifest, this.#request.grants, outcome.requests)
    if (deferred.length === 0) return true
    const { item } = performed[0] as CallResult['performed'][number]
    const leave = inTurn ? undefined : await this.#enter(false)
    try {
      const committed = await this.#commit(step.transaction(item.invocation.toString(), deferred))
      if (committed.kind === 'committed') return true
      const reason = `${committed.namespace} ${committed.key} has changed since it was read`
      this.#ports.log.event('call.conflict', { task: item.task, reason })
      return false
    } finally {
      leave?.()
    }
  }

  /** Asks again with the same transaction, which is looked up by its id: nothing is tried again blindly. */
  async #commit(transaction: Transaction): Promise<Committed> {
    const { clock } = this.#ports
    const untilMs = Math.min(this.#deadlineMs, clock.monotonic() + UNKNOWN_MS_MAX)
    for (;;) {
      try {
        return await this.#state.engine.commit(transaction)
      } catch (cause) {
        if (!isUnknown(cause)) throw cause
        if (clock.monotonic() + ASK_AGAIN_MS > untilMs) throw outcomeUnknown(cause)
      }
      await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve))
    }
  }

  #enter(alone: boolean): Promise<() => void> {
    return this.#state.gates.enter(this.#namespaces, alone, this.#late.promise)
  }

  #timedOut(): MeshError {
    const message = `not committed within ${this.#request.timeoutMs} ms, since others write what it reads; allow more with --timeout`
    return new MeshError('E_TIMEOUT', message)
  }
}

const isUnknown = (cause: unknown): cause is MeshError =>
  cause instanceof MeshError && (cause.code === 'E_STATE_UNAVAILABLE' || cause.code === 'E_STORAGE')

const outcomeUnknown = (cause: MeshError): MeshError => {
  const message = `the function has run, but whether its writes are kept is not known: ${cause.message}`
  return new MeshError('E_EFFECT_OUTCOME_UNKNOWN', message, { cause })
}

/** Runs whose commit conflicted were executions all the same. */
const withInVain = (result: CallResult, inVain: readonly CallResult[]): CallResult => ({
  ...result,
  executions: inVain.reduce((sum, one) => sum + one.executions, result.executions),
  recovered: inVain.reduce((sum, one) => sum + one.recovered, result.recovered),
  disputes: [...inVain.flatMap(({ disputes }) => disputes), ...result.disputes],
})
