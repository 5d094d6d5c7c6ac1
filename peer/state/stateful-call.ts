/** A call of a function with state: one step, run at its level at one revision, and committed; run again if that conflicts. */
import { type EffectKind, isDeferred } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { CallRequest, CallResult } from '../calls.ts'
import { deferredIn } from '../grants.ts'
import { pause } from '../pause.ts'
import type { Sends } from '../sends/sends.ts'
import { commitKnown } from './commit.ts'
import type { StateEngine } from './engine.ts'
import type { Foresight } from './foresight.ts'
import type { Gates } from './gate.ts'
import { Step } from './step.ts'

/** After so many conflicts a call takes its turn: on hot keys most runs would be in vain. */
const CONFLICTS_MAX = 3
/** Before a state that was out of reach is asked again. */
const ASK_AGAIN_MS = 100

/** What is kept at a home, and who may commit to it. */
export interface State {
  engine: StateEngine
  gates: Gates
  sends: Sends
  foresight: Foresight
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
  readonly #over = new AbortController()
  /** Why the state could not be reached, as long as it cannot. */
  #unavailable: MeshError | undefined
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
        const done = await this.#step(inVain.length >= CONFLICTS_MAX).catch((cause: Error) => this.#waitFor(cause))
        if (done?.committed) return withInVain(done.result, inVain)
        if (done) inVain.push(done.result)
      }
    } finally {
      cancel()
      this.#over.abort()
    }
  }

  /** A state that is out of reach may be back before the deadline. Rejects with whatever else it was, or then with why. */
  async #waitFor(cause: Error): Promise<undefined> {
    if (!(cause instanceof MeshError) || cause.code !== 'E_STATE_UNAVAILABLE') throw cause
    this.#unavailable = cause
    await Promise.race([pause(this.#ports.clock, ASK_AGAIN_MS, this.#over.signal), this.#late.promise])
    return undefined
  }

  /** One run and its commit. Not committed: something that it read has changed meanwhile, which no turn of its own lets happen. */
  async #step(inTurn: boolean): Promise<{ result: CallResult; committed: boolean }> {
    const { engine } = this.#state
    const leave = inTurn ? await this.#enter(true) : undefined
    try {
      const silent = 'the state has not answered before the deadline'
      this.#unavailable ??= new MeshError('E_STATE_UNAVAILABLE', silent)
      const reads = new Step(engine, await Promise.race([engine.revision(), this.#late.promise]))
      this.#unavailable = undefined
      await this.#request.durable?.begin(reads, this.#manifest)
      const { foresight } = this.#state
      const result = await this.#perform({ ...this.#request, reads, foresight })
      foresight.learn(this.#request, result.outcome.requests)
      return { result, committed: await this.#settle(result, reads, inTurn) }
    } finally {
      leave?.()
    }
  }

  async #settle(result: CallResult, step: Step, inTurn: boolean): Promise<boolean> {
    if (step.unavailable) throw step.unavailable
    if (step.isStale) return false
    const { outcome, performed } = result
    const { item, outcomeBytes } = performed[0] as CallResult['performed'][number]
    // A function that failed has changed nothing.
    const deferred = outcome.result.ok ? deferredIn(this.#manifest, this.#request.grants, outcome.requests) : []
    await step.ensureMayWrite(deferred)
    const ending = await this.#request.durable?.ending(outcomeBytes)
    if (deferred.length === 0 && !ending) return true
    const sent = this.#state.sends.writesOf(item, deferred)
    const leave = inTurn ? undefined : await this.#enter(false)
    try {
      const more = { reads: ending?.reads ?? [], writes: [...sent, ...(ending?.writes ?? [])] }
      const transaction = step.transaction(ending?.id ?? item.invocation.toString(), deferred, more)
      const committed = await commitKnown(this.#ports.clock, this.#state.engine, transaction, this.#deadlineMs)
      if (committed.kind === 'committed') {
        this.#state.sends.committed(sent)
        return true
      }
      const reason = `${committed.namespace} ${committed.key} has changed since it was read`
      this.#ports.log.event('call.conflict', { task: item.task, reason })
      return false
    } finally {
      leave?.()
    }
  }

  #enter(alone: boolean): Promise<() => void> {
    return this.#state.gates.enter(this.#namespaces, alone, this.#late.promise)
  }

  #timedOut(): MeshError {
    if (this.#unavailable) return this.#unavailable
    const message = `not committed within ${this.#request.timeoutMs} ms, since others write what it reads; allow more with --timeout`
    return new MeshError('E_TIMEOUT', message)
  }
}

/** Runs whose commit conflicted were executions all the same. */
const withInVain = (result: CallResult, inVain: readonly CallResult[]): CallResult => ({
  ...result,
  executions: inVain.reduce((sum, one) => sum + one.executions, result.executions),
  recovered: inVain.reduce((sum, one) => sum + one.recovered, result.recovered),
  disputes: [...inVain.flatMap(({ disputes }) => disputes), ...result.disputes],
})
