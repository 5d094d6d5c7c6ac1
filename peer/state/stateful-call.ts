/** A call of a function with state, at its level: run again, from the last step that is committed, if one of them conflicts. */
import { isDeferred, isRead } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { CallRequest, CallResult } from '../calls.ts'
import { pause } from '../pause.ts'
import { type State, Steps } from './steps.ts'

/** Before a state that was out of reach is asked again. */
const ASK_AGAIN_MS = 100

/** One run at the level of the call. */
export type Perform = (request: CallRequest) => Promise<CallResult>

/** Whether calls of the function are steps: they read state, or do something once they have been verified. */
export const isStateful = ({ effects }: Pick<Manifest, 'effects'>): boolean =>
  effects.some((kind) => isDeferred(kind) || isRead(kind))

type StatePorts = Pick<Ports, 'clock' | 'crypto' | 'log'>

export class StatefulCall {
  readonly #ports: StatePorts
  readonly #perform: Perform
  readonly #request: CallRequest
  /** Monotonic. */
  readonly #deadlineMs: number
  readonly #over = new AbortController()
  /** Why the state could not be reached, as long as it cannot. */
  #unavailable: MeshError | undefined
  readonly #late = Promise.withResolvers<never>()
  readonly #steps: Steps
  readonly #foresight: State['foresight']

  constructor(
    ports: StatePorts,
    { state, perform }: { state: State; perform: Perform },
    request: CallRequest,
    manifest: Manifest,
    deadlineMs: number,
  ) {
    this.#ports = ports
    this.#perform = perform
    this.#request = request
    this.#deadlineMs = deadlineMs
    this.#late.promise.catch(() => {})
    this.#foresight = state.foresight
    this.#steps = new Steps(ports, { state, request, manifest, deadlineMs, late: this.#late.promise })
  }

  async run(): Promise<CallResult> {
    const { clock } = this.#ports
    const cancel = clock.after(this.#deadlineMs - clock.monotonic(), () => this.#late.reject(this.#timedOut()))
    const inVain: CallResult[] = []
    try {
      for (;;) {
        const done = await this.#attempt().catch((cause: Error) => this.#waitFor(cause))
        if (done?.committed) return withInVain(done.result, inVain)
        if (done) inVain.push(done.result)
      }
    } finally {
      cancel()
      this.#over.abort()
      this.#steps.close()
    }
  }

  /** A state that is out of reach may be back before the deadline. Rejects with whatever else it was, or then with why. */
  async #waitFor(cause: Error): Promise<undefined> {
    if (!(cause instanceof MeshError) || cause.code !== 'E_STATE_UNAVAILABLE') throw cause
    this.#unavailable = cause
    await Promise.race([pause(this.#ports.clock, ASK_AGAIN_MS, this.#over.signal), this.#late.promise])
    return undefined
  }

  /** One run from the last step that is committed, to its end or to one that conflicts. */
  async #attempt(): Promise<{ result: CallResult; committed: boolean } | undefined> {
    try {
      await this.#steps.enter()
      const silent = 'the state has not answered before the deadline'
      this.#unavailable ??= new MeshError('E_STATE_UNAVAILABLE', silent)
      const vain = await Promise.race([this.#steps.begin(), this.#late.promise])
      this.#unavailable = undefined
      const result = await this.#runOnce(vain)
      if (!result) return undefined
      this.#foresight.learn(this.#request, result.outcome.requests)
      return { result, committed: await this.#steps.settle(result) }
    } finally {
      this.#steps.leave()
    }
  }

  /** Undefined: one of its steps could not be committed before it came to its end. */
  async #runOnce(vain: AbortSignal): Promise<CallResult | undefined> {
    const { signal, level: wanted } = this.#request
    const level = this.#steps.runsHere ? ({ level: 'self' } as const) : wanted
    const either = signal ? AbortSignal.any([signal, vain]) : vain
    try {
      const own = { level, signal: either, steps: this.#steps, foresight: this.#foresight }
      return await this.#perform({ ...this.#request, ...own })
    } catch (cause) {
      if (!vain.aborted || signal?.aborted) throw cause
      if (vain.reason instanceof MeshError) throw vain.reason
      return undefined
    }
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
