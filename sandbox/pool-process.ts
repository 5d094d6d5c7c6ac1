/** The pool's side of one process: the steps it has been given, in order, and the runs that wait in it. */
import type { Answer } from '../protocol/journal.ts'
import type { SandboxProcess } from '../protocol/ports.ts'
import { type Command, encodeFrame, type RunRecord } from './frames.ts'
import { PLAIN_MODULE } from './job.ts'
import type { PooledRun } from './pool-run.ts'
import { decodeReports, type Received, received } from './reports.ts'

/** What happens in a process, told to its pool. */
export interface ProcessEvents {
  /** Its head has changed, or it has come up with one. */
  began(process: PoolProcess): void
  /** The first step ended with `report`; `run` is still this process's and not done if `current`. */
  ended(process: PoolProcess, run: PooledRun, report: Received, current: boolean): void
  /** A frame has been gone through, or it has come up with nothing to do. */
  idle(process: PoolProcess): void
  gone(process: PoolProcess, reason: string): void
  /** It has made an image that may be used in other processes. */
  imaged(functionId: string, memoryBytes: number, file: Uint8Array, engine?: string): void
}

/** A step that has been sent, and how long it is thought to take. */
interface Step {
  run: PooledRun
  predictedMs: number
}

/**
 * A step that takes longer is a surprise: the runs behind it move to other processes, where there is room. One that has
 * computed before, which it does again there, moves once the step has taken as long as that: what has taken long may take as long again.
 */
export const STALL_MS = 40
/** Functions whose code a process is remembered to have; it says so if it has dropped one. */
const KNOWN_MAX = 1024

export class PoolProcess {
  readonly #process: SandboxProcess
  readonly #events: ProcessEvents
  readonly #now: () => number
  /** With the engine that each runs on. */
  readonly #known = new Map<string, string | undefined>()
  /** Functions that it was ever given. */
  #functions = 0
  readonly #steps: Step[] = []
  #commands: Command[] = []
  /** That `#commands` speak of, in order. */
  #images: Uint8Array[] = []
  /** Runs that wait here for an answer; the one that waits longest comes first. */
  readonly parked = new Set<PooledRun>()
  /** It has not come up yet. */
  starting: boolean
  /** On the monotonic clock. */
  readonly startedMs: number
  /** It took so long to come up; 0 where it was there at once. */
  startingMs = 0
  /** What its steps are thought to take, ms. */
  backlogMs = 0
  /** Since when it has had nothing to do, or computes what it computes now. */
  since: number
  /** Why it is being ended, if by us. */
  ending: string | undefined

  constructor(process: SandboxProcess, events: ProcessEvents, now: () => number) {
    this.#process = process
    this.#events = events
    this.#now = now
    this.startedMs = now()
    this.since = this.startedMs
    this.starting = process.starting === true
    process.receive({
      up: () => this.#cameUp(),
      frame: (frame) => this.#receive(frame),
      exited: (reason) => events.gone(this, this.ending ?? reason),
    })
  }

  /** Does it compute for so long that none waits behind that which another could take? */
  isStalled(nowMs: number): boolean {
    return this.busy && !this.starting && nowMs - this.since >= STALL_MS
  }

  get busy(): boolean {
    return this.#steps.length > 0
  }

  get head(): PooledRun | undefined {
    return this.#steps[0]?.run
  }

  /** Steps sent and not yet done. */
  get length(): number {
    return this.#steps.length
  }

  /** Is it the one whose word on `run` counts? */
  owns(run: PooledRun): boolean {
    return run.process === this && !run.done
  }

  /** Has it steps of `run` to do, be it that they are wanted no more? */
  holds(run: PooledRun): boolean {
    return this.#steps.some((step) => step.run === run)
  }

  /** Does it run this engine? */
  fits(engine: string | undefined): boolean {
    const { engines } = this.#process
    return !engine || !engines || engines.includes(engine)
  }

  knows(functionId: string): boolean {
    return this.#known.has(functionId)
  }

  /**
   * Begins `run`, with the journal it has by now, or once it has come up, with what it has then. `lacks`: the worker has nothing to
   * begin it with.
   */
  start(run: PooledRun, predictedMs: number, lacks = false): void {
    run.process = this
    run.spentMs = 0
    this.#push(run, predictedMs)
    if (!this.starting) this.#begin(run, lacks)
  }

  #begin(run: PooledRun, lacks = false): void {
    const { party, functionId, exportName, effects, limits, input, seed } = run.job
    if (lacks) this.#sendCode(run)
    else if (!this.#known.has(functionId)) this.#introduce(run)
    if (run.job.traceTicks) this.#send(['trace', run.id, run.job.traceTicks])
    if (run.job.until !== undefined) this.#send(['until', run.id, run.job.until])
    if (run.job.onRest) this.#send(['rests', run.id])
    const from = run.job.from?.(run.journal)
    if (from) this.#send(['from', run.id, from])
    const record: RunRecord = [run.id, input, seed, run.journal]
    const last = this.#commands.at(-1)
    if (last?.[0] === 'runs' && sameTask(last, run)) last[7].push(record)
    else
      this.#send([
        'runs',
        functionId,
        exportName,
        effects,
        limits.fuel,
        limits.memory_bytes,
        limits.output_bytes,
        [record],
        party,
      ])
  }

  /** With an image, if there is one: the code is needed only if that does not fit. */
  #introduce(run: PooledRun): void {
    const { functionId, engine, limits, image } = run.job
    this.#known.set(functionId, engine)
    this.#functions++
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value as string)
    const file = image?.()
    if (!file) return this.#sendCode(run)
    this.#images.push(file)
    this.#send(['image', functionId, limits.memory_bytes])
  }

  #sendCode({ job: { functionId, code, form = PLAIN_MODULE } }: PooledRun): void {
    this.#send(['code', functionId, form.tier, form.modules, code(), form.env ?? [], form.effects ?? []])
  }

  answer(run: PooledRun, n: number, answer: Answer, predictedMs: number): void {
    // The journal that it will begin with holds it.
    if (this.starting) return
    this.parked.delete(run)
    this.#push(run, predictedMs)
    this.#send(['answer', run.id, n, answer])
  }

  /** Does it let a run go without having computed it? */
  canDrop(run: PooledRun): boolean {
    return this.starting || this.parked.has(run)
  }

  /** Lets the instance of a waiting run go, or what has not begun because it has not come up. */
  drop(run: PooledRun): void {
    if (this.starting) return this.#forget(run)
    this.parked.delete(run)
    this.#send(['drop', run.id])
  }

  #forget(run: PooledRun): void {
    const at = this.#steps.findIndex((step) => step.run === run)
    if (at < 0) return
    for (const { predictedMs } of this.#steps.splice(at, 1)) this.backlogMs -= predictedMs
    if (at === 0 && this.busy) this.#events.began(this)
  }

  /** Every run that is this process's and not done; the first is the one it computes, if it is busy. */
  runs(): PooledRun[] {
    const all = new Set([...this.#steps.map(({ run }) => run), ...this.parked])
    return [...all].filter((run) => this.owns(run))
  }

  kill(reason: string): void {
    if (this.ending !== undefined) return
    this.ending = reason
    this.#process.kill()
  }

  #cameUp(): void {
    this.since = this.#now()
    if (this.starting) this.startingMs = this.since - this.startedMs
    this.starting = false
    for (const { run } of this.#steps) this.#begin(run)
    if (this.busy) this.#events.began(this)
    else this.#events.idle(this)
  }

  #push(run: PooledRun, predictedMs: number): void {
    run.steps++
    this.backlogMs += predictedMs
    this.#steps.push({ run, predictedMs })
    if (this.#steps.length > 1) return
    this.since = this.#now()
    this.#events.began(this)
  }

  /** What is sent in one go of the caller leaves as one frame. */
  #send(command: Command): void {
    if (this.#commands.push(command) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const frames = [...this.#images, encodeFrame(this.#commands)]
    this.#commands = []
    this.#images = []
    if (this.ending !== undefined) return
    for (const frame of frames) this.#process.send(frame)
  }

  #receive(frame: Uint8Array): void {
    if (this.ending !== undefined) return
    try {
      const reports = decodeReports(frame).map(received)
      const now = this.#now()
      for (const report of reports) this.#take(report, now)
    } catch (cause) {
      return this.kill(`it sent garbage: ${(cause as Error).message}`)
    }
    this.#events.idle(this)
  }

  /** Only of the first function here: one that ran before it and broke out could have made this one's image. */
  #keep(functionId: string, memoryBytes: number, file: Uint8Array): void {
    if (!this.#known.has(functionId)) throw new Error('an image of a function that it was not given')
    if (this.#functions === 1) this.#events.imaged(functionId, memoryBytes, file, this.#known.get(functionId))
  }

  #take(report: Received, now: number): void {
    if (report[0] === 'image') return this.#keep(report[2], report[1], report[3])
    const step = this.#steps[0]
    if (step?.run.id !== report[1]) throw new Error('a report on a run that it does not compute')
    const { run } = step
    const current = this.owns(run)
    if (report[0] === 'request') {
      const [, , n, after, kind, bytes] = report
      if (current) run.requested({ n, after, kind, arguments: bytes })
    } else if (report[0] === 'block') {
      if (current) run.block(report[2])
    } else if (report[0] === 'stopped') {
      const [, , n, after, kind, bytes, console, fuel] = report
      if (current) run.job.onStop?.({ request: { n, after, kind, arguments: bytes }, console, fuel })
    } else if (report[0] === 'rested') {
      if (current) run.job.onRest?.(report[2], report[3])
    } else if (report[0] === 'trace') {
      run.trace = report[2]
    } else if (report[0] === 'fuel') {
      if (current) run.fuelReported = report[2]
    } else {
      this.#steps.shift()
      this.backlogMs = this.#steps.length === 0 ? 0 : this.backlogMs - step.predictedMs
      if (current) {
        run.steps--
        run.spentMs += now - this.since
      }
      this.since = now
      this.#events.ended(this, run, report, current)
      if (this.busy) this.#events.began(this)
    }
  }
}

const sameTask = (runs: Extract<Command, { 0: 'runs' }>, { job }: PooledRun): boolean =>
  runs[1] === job.functionId &&
  runs[2] === job.exportName &&
  runs[3] === job.effects &&
  runs[4] === job.limits.fuel &&
  runs[5] === job.limits.memory_bytes &&
  runs[6] === job.limits.output_bytes &&
  runs[8] === job.party
