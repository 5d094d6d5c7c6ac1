/** One run in a pool: what its caller sees of it, and what is needed to begin it again in another process. */

import { type EffectKind, isDeferred } from '../protocol/effects.ts'
import { type Answer, awaitedIn, type EffectRequest, type JournalEntry } from '../protocol/journal.ts'
import { PUT_BLOCKS_MAX } from '../protocol/limits.ts'
import type { Limits } from '../protocol/outcome.ts'
import type { Trace } from '../protocol/records.ts'
import type { CodeForm, SandboxResult, Stop } from './job.ts'
import type { PoolProcess } from './pool-process.ts'

export interface SandboxJob {
  /** On whose behalf. Where runs wait, parties take turns. */
  party: string
  /** Runs of the party in a turn; 1 unless given. */
  weight?: number
  /** CID of the function, as text: what its image is kept by. */
  functionId: string
  /** Called when a process has not got it. */
  code: () => Uint8Array
  /** What the code is: a plain ES module, unless given. */
  form?: CodeForm
  /** Which engine it runs on: the newest of its tier, unless given. */
  engine?: string
  /** Its image for this memory, if there is one: as `imaged` was given it. Called when a process has not got it. */
  image?: () => Uint8Array | undefined
  exportName: string
  effects: readonly EffectKind[]
  /** An encoded Value. */
  input: Uint8Array
  /** 32 bytes, from the task's ID. */
  seed: Uint8Array
  limits: Limits
  journal: readonly JournalEntry[]
  /** Its memory is to be hashed every so many ticks. */
  traceTicks?: number | undefined
  /** A checkpoint of a run with the journal so far, that it goes on from whenever it begins; one that does not fit is none. */
  from?: ((journal: readonly JournalEntry[]) => Uint8Array | undefined) | undefined
  /** It is to end, inconclusive, before it makes this request; on an engine of a release that cannot, it makes it. */
  until?: number | undefined
  /** Wall clock, from the start of the run, with the time that it waits. */
  timeoutMs: number
  /** Called once, when it first computes. */
  onStart?(): void
  /** Called for each request that `journal` does not hold. */
  onRequest?(request: EffectRequest): void
  /** Called for each block of what it puts, before the request that names it, also one of `journal`; again where it begins again. */
  onBlock?: ((bytes: Uint8Array) => void) | undefined
  /** Called each time that it waits for an answer, and all of `journal` lies behind it. */
  onWait?(): void
  /** Called at each rest that is due for a checkpoint, after so many answers. */
  onRest?: ((answers: number, checkpoint: Uint8Array) => void) | undefined
  /** Called if it ends before the request `until`. */
  onStop?(stop: Stop): void
}

export interface SandboxRun {
  /** Never rejects. */
  readonly result: Promise<SandboxResult>
  state(): 'queued' | 'running' | 'waiting' | 'done'
  /** As last reported, some 250 ms ago at most while it computes. */
  fuel(): number
  /** Ms that its last step computed, as its process measured it; 0 until it is done. */
  ranMs(): number
  /** False once the process that has it is being ended. */
  alive(): boolean
  /** Dropped if request `n` does not wait for one. */
  answer(n: number, answer: Answer): void
  /** Ends it, inconclusive, at once. */
  kill(reason: string): void
}

/** What a run asks of its pool. */
export interface RunOwner {
  answered(run: PooledRun, n: number, answer: Answer): void
  killed(run: PooledRun): void
}

export class PooledRun implements SandboxRun {
  readonly id: number
  readonly job: SandboxJob
  readonly result: Promise<SandboxResult>
  /** Given to the process that begins it: the journal of the job, and what has come since. */
  readonly journal: JournalEntry[]
  /** The process that has it; none while it waits for one, or for an answer without one. */
  process: PoolProcess | undefined
  /** Steps that its process still has to do. */
  steps = 0
  /** What its steps have taken since its process began it, ms: to begin it again takes as long. */
  spentMs = 0
  /** When it first began, on the monotonic clock, ms. */
  startedAt: number | undefined
  done = false
  fuelReported = 0
  computedMs = 0
  /** As a process reported it. */
  trace: Trace = []
  #requests: number
  readonly #unanswered: Set<number>
  readonly #owner: RunOwner
  /** From the process that has it. */
  #blocks = 0
  #resolve!: (result: SandboxResult) => void

  constructor(id: number, job: SandboxJob, owner: RunOwner) {
    this.id = id
    this.job = job
    this.#owner = owner
    this.journal = [...job.journal]
    this.#requests = job.journal.filter(({ entry }) => entry === 'request').length
    this.#unanswered = awaitedIn(job.journal)
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  state(): ReturnType<SandboxRun['state']> {
    if (this.done) return 'done'
    if (this.process?.head === this) return 'running'
    return this.steps === 0 && this.startedAt !== undefined && this.waits ? 'waiting' : 'queued'
  }

  fuel(): number {
    return this.fuelReported
  }

  ranMs(): number {
    return this.computedMs
  }

  alive(): boolean {
    return this.process?.ending === undefined
  }

  answer(n: number, answer: Answer): void {
    if (this.done || !this.#unanswered.delete(n)) return
    this.journal.push({ entry: 'answer', n, answer })
    this.#owner.answered(this, n, answer)
  }

  kill(reason: string): void {
    if (this.done) return
    this.finish({ kind: 'inconclusive', reason })
    this.#owner.killed(this)
  }

  /** Its process says that it made this request. */
  requested(request: EffectRequest): void {
    // Made before, in a process that has died since: the journal holds it.
    if (this.done || request.n !== this.#requests) return
    this.#requests++
    if (!isDeferred(request.kind)) this.#unanswered.add(request.n)
    this.journal.push({ entry: 'request', ...request })
    this.job.onRequest?.(request)
  }

  /** Throws for more than one run can put. */
  block(bytes: Uint8Array): void {
    this.#blocks++
    if (this.#blocks > PUT_BLOCKS_MAX) throw new Error(`${this.#blocks} blocks of one run`)
    this.job.onBlock?.(bytes)
  }

  begun(atMs: number): void {
    if (this.startedAt !== undefined) return
    this.startedAt = atMs
    this.job.onStart?.()
  }

  /** No process has it any more. */
  detach(): void {
    this.process = undefined
    this.steps = 0
    this.#blocks = 0
  }

  /** Some of its requests are unanswered. */
  get waits(): boolean {
    return this.#unanswered.size > 0
  }

  finish(result: SandboxResult): void {
    if (this.done) return
    this.done = true
    this.#resolve(result)
  }
}
