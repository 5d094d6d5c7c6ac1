/**
 * The agent's side of its sandbox processes. A process computes one run at a time; short ones are sent ahead, so that
 * it never waits for the next. A run that waits for an answer keeps its instance there but not its slot. When a
 * process is ended, its other runs begin again elsewhere with their journals, and nobody notices.
 */
import type { Answer } from '../protocol/journal.ts'
import type { Ports, SandboxProcess } from '../protocol/ports.ts'
import { Alarm } from './alarm.ts'
import { Durations } from './durations.ts'
import { AHEAD_MS, processFor } from './placing.ts'
import { PoolProcess, type ProcessEvents, STALL_MS } from './pool-process.ts'
import { PooledRun, type RunOwner, type SandboxJob, type SandboxRun } from './pool-run.ts'
import type { Received } from './reports.ts'
import { Turns } from './turns.ts'

export type { SandboxResult, Stop } from './job.ts'
export type { SandboxJob, SandboxRun } from './pool-run.ts'

export interface SandboxPool {
  run(job: SandboxJob): SandboxRun
  /** Processes that may compute at once. */
  readonly slots: number
  /** Of these, how many compute nothing now. */
  readonly free: number
  /** Runs that have not begun. */
  readonly queued: number
  /** Its first process is the one that the host has started already, if there is one. */
  takeSpare(): void
  /** Processes over the new number end when they have finished what they compute. */
  resize(slots: number): void
  /** Ends every process; runs in progress become inconclusive. */
  stop(): Promise<void>
}

export interface PoolOptions {
  slots: number
  /** A process that has had nothing to do for so long ends. */
  idleMs: number
  /** Told of an image worth keeping, made by this build of a function that no other ran before. */
  imaged?: (functionId: string, memoryBytes: number, file: Uint8Array, engine?: string) => void
}

/** To come up, for a process that nobody waits for any more: on a busy machine it takes seconds, and another would take longer. */
const STARTING_MS = 10_000
/** Of what a process took to come up, so much counts where its end is weighed: it keeps a slot from others meanwhile. */
const START_COUNTS_MS_MAX = 1000
/** Waiting runs that keep their instance in one process, some 0.4 MB each; others begin again when they are answered. */
const PARKED_MAX = 16

type PoolPorts = Pick<Ports, 'sandboxHost' | 'clock' | 'log'>

export const createSandboxPool = (ports: PoolPorts, options: PoolOptions): SandboxPool => new Pool(ports, options)

class Pool implements SandboxPool, RunOwner, ProcessEvents {
  slots: number
  readonly #ports: PoolPorts
  readonly #idleMs: number
  readonly imaged: NonNullable<PoolOptions['imaged']>
  readonly #durations = new Durations()
  readonly #processes: PoolProcess[] = []
  /** Runs that have lost their process, or their instance in it; they go first. */
  readonly #again = new Set<PooledRun>()
  /** Runs that have not had a process. */
  readonly #pending = new Turns()
  /** Waiting runs without an instance anywhere. */
  readonly #evicted = new Set<PooledRun>()
  #nextId = 1
  readonly #alarm: Alarm
  #stopped = false
  #onceGone = () => {}

  constructor(ports: PoolPorts, { slots, idleMs, imaged = () => {} }: PoolOptions) {
    this.#ports = ports
    this.slots = slots
    this.#idleMs = idleMs
    this.imaged = imaged
    this.#alarm = new Alarm(ports.clock, STALL_MS, () => this.#wake(ports.clock.monotonic()))
  }

  get free(): number {
    return Math.max(0, this.slots - this.#processes.filter(({ busy }) => busy).length)
  }

  get queued(): number {
    return this.#processes.reduce(
      (sum, { length }) => sum + Math.max(0, length - 1),
      this.#pending.size + this.#again.size,
    )
  }

  run(job: SandboxJob): SandboxRun {
    const run = new PooledRun(this.#nextId++, job, this)
    if (this.#stopped) run.kill('the sandbox is stopping')
    else {
      this.#pending.add(run)
      this.#dispatch()
    }
    return run
  }

  takeSpare(): void {
    const spare = this.#ports.sandboxHost.spare?.()
    if (spare) this.#alarm.set(this.#add(spare).since + this.#idleMs)
  }

  resize(slots: number): void {
    this.slots = slots
    this.#trim()
    this.#wake(this.#ports.clock.monotonic())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#alarm.end()
    const held = this.#processes.flatMap((process) => process.runs())
    for (const run of [...this.#again, ...this.#pending.all(), ...this.#evicted, ...held])
      run.finish({ kind: 'inconclusive', reason: 'the sandbox is stopping' })
    for (const queue of [this.#again, this.#pending, this.#evicted]) queue.clear()
    const allGone = new Promise<void>((resolve) => {
      this.#onceGone = resolve
    })
    for (const process of this.#processes) process.kill('stopping')
    if (this.#processes.length > 0) await allGone
  }

  began(process: PoolProcess): void {
    const { head, since } = process
    if (head && process.owns(head)) {
      head.begun(since)
      this.#alarm.set((head.startedAt as number) + head.job.timeoutMs)
      // Nobody could take what waits behind it.
      if (this.slots === 1) return
    }
    this.#alarm.set(since + STALL_MS)
  }

  ended(process: PoolProcess, run: PooledRun, report: Received, current: boolean): void {
    switch (report[0]) {
      case 'done':
        run.computedMs = report[3] / 1000
        if (!run.job.traceTicks) this.#durations.learn(run.job.functionId, run.computedMs)
        // Also where another process has been given the run since: the first result wins.
        run.finish({
          kind: 'outcome',
          outcome: report[2],
          decoded: report[4],
          ...(run.job.traceTicks && { trace: run.trace }),
        })
        return current ? undefined : this.#withdraw(run)
      case 'failed':
        return current ? run.finish({ kind: 'inconclusive', reason: report[2] }) : undefined
      case 'diverged':
        return current
          ? run.finish({ kind: 'diverged', n: report[2], expected: report[3], found: report[4] })
          : undefined
      case 'waiting':
        return current ? this.#park(process, run) : process.drop(run)
      case 'lacks':
        if (current && run.steps === 0) process.start(run, this.#predictBegun(run), true)
    }
  }

  idle(process: PoolProcess): void {
    if (!process.busy) this.#alarm.set(process.since + this.#idleMs)
    this.#trim()
    if (!process.busy && process.ending === undefined) this.#takeOver()
    this.#dispatch()
  }

  gone(process: PoolProcess, reason: string): void {
    this.#processes.splice(this.#processes.indexOf(process), 1)
    this.#ports.log.event('sandbox.exited', { reason })
    const { head } = process
    for (const run of process.runs()) {
      if (run === head) run.finish({ kind: 'inconclusive', reason: `its process ended: ${reason}` })
      else this.#restart(run)
    }
    if (this.#stopped && this.#processes.length === 0) this.#onceGone()
    this.#takeOver()
    this.#dispatch()
  }

  answered(run: PooledRun, n: number, answer: Answer): void {
    const { process } = run
    if (process && process.ending === undefined) {
      process.answer(run, n, answer, this.#durations.predict(run.job.functionId))
      if (process.head === run) return
      // What is before it may have been computed for long.
      this.#look(process, this.#ports.clock.monotonic())
      return this.#dispatch()
    }
    if (process) process.drop(run)
    else if (!this.#evicted.delete(run)) return
    run.detach()
    this.#again.add(run)
    this.#dispatch()
  }

  /**
   * It may be over before its process could be ended, and where this agent itself was stopped, or asleep, its word may be waiting to
   * be read: it is looked at again after `STALL_MS`.
   */
  killed(run: PooledRun): void {
    this.#withdraw(run)
    const { process } = run
    if (process?.starting) return this.#look(process, this.#ports.clock.monotonic())
    if (process?.head !== run) return
    process.since = this.#ports.clock.monotonic()
    this.#look(process, process.since)
  }

  /** Nobody waits for what it computes. */
  #end(process: PoolProcess, head: PooledRun): void {
    if (process.ending !== undefined) return
    this.#ports.log.event('sandbox.killed', { function: head.job.functionId })
    process.kill('killed with the run that it computed')
  }

  #withdraw(run: PooledRun): void {
    this.#again.delete(run)
    this.#pending.delete(run)
    this.#evicted.delete(run)
    if (run.process?.canDrop(run)) run.process.drop(run)
  }

  /** Where it begins, it goes through its journal first. */
  #predictBegun({ job, journal }: PooledRun): number {
    return this.#durations.predict(job.functionId, journal.length)
  }

  #dispatch(): void {
    for (const run of this.#again) if (!this.#begin(run, this.#again)) return
    for (let run = this.#pending.next(); run; run = this.#pending.next()) {
      if (!this.#begin(run, this.#pending)) return
      this.#pending.served(run)
    }
  }

  /** False if no process can take it now. */
  #begin(run: PooledRun, queue: Pick<Set<PooledRun>, 'delete'>): boolean {
    const predictedMs = this.#predictBegun(run)
    const process = this.#place(run, predictedMs)
    if (!process) return false
    queue.delete(run)
    process.start(run, predictedMs)
    return true
  }

  /** The process that takes `run` now: one that there is, or a new one. */
  #place(run: PooledRun, predictedMs: number): PoolProcess | undefined {
    const found = this.#found(run, predictedMs, this.#again.has(run))
    if (found || this.#processes.length < this.slots) return found ?? this.#spawn(run)
    // When it has gone, one that runs the engine takes its place.
    const foreign = this.#foreign(run)
    if (foreign) this.#release(foreign, 'another engine is wanted')
    return undefined
  }

  #found(run: PooledRun, predictedMs: number, again: boolean): PoolProcess | undefined {
    return processFor(run, predictedMs, again, this.#processes.slice(0, this.slots), this.#ports.clock.monotonic())
  }

  #spawn(run: PooledRun): PoolProcess | undefined {
    try {
      return this.#add(this.#ports.sandboxHost.spawn(run.job.engine))
    } catch (cause) {
      run.kill(`no sandbox process could be started: ${(cause as Error).message}`)
      return undefined
    }
  }

  #add(started: SandboxProcess): PoolProcess {
    const process = new PoolProcess(started, this, () => this.#ports.clock.monotonic())
    this.#processes.push(process)
    this.#ports.log.event('sandbox.spawned', { count: this.#processes.length })
    return process
  }

  #park(process: PoolProcess, run: PooledRun): void {
    if (run.steps > 0) return
    if (!run.waits) return run.finish({ kind: 'inconclusive', reason: 'it waits for nothing' })
    process.parked.add(run)
    if (process.parked.size > PARKED_MAX) this.#evict(process, process.parked.values().next().value as PooledRun)
    run.job.onWait?.()
  }

  #evict(process: PoolProcess, run: PooledRun): void {
    process.drop(run)
    run.detach()
    this.#evicted.add(run)
  }

  /** `run` has no process any more. */
  #restart(run: PooledRun): void {
    const waits = run.steps === 0
    run.detach()
    const queue = waits ? this.#evicted : this.#again
    queue.add(run)
  }

  /** Ends processes over the number of slots, once they compute nothing. */
  #trim(): void {
    const count = this.#processes.length - this.slots
    if (count <= 0) return
    const over = this.#processes.filter(({ busy, starting }) => !busy && !starting).slice(0, count)
    for (const process of over) this.#release(process, 'one process less')
  }

  /** Ends a process that computes nothing. */
  #release(process: PoolProcess, reason: string): void {
    for (const run of process.parked) this.#evict(process, run)
    process.kill(reason)
  }

  #wake(now: number): void {
    // What they have said while this agent was stopped waits to be read: they have their time again.
    if (this.#alarm.rang(now)) for (const process of this.#processes) process.since = now
    for (const process of [...this.#processes]) this.#look(process, now)
    for (const run of [...this.#evicted, ...this.#again]) this.#checkTimeout(run, now)
    this.#dispatch()
  }

  #look(process: PoolProcess, now: number): void {
    if (process.ending !== undefined || this.#alarm.isOverdue(now)) return
    for (const run of process.runs()) this.#checkTimeout(run, now)
    const { head, since, starting, startedMs } = process
    const owned = head && process.owns(head)
    if (starting && !owned) {
      if (now - startedMs < STARTING_MS) this.#alarm.set(startedMs + STARTING_MS)
      else process.kill('it did not come up')
    } else if (!head) {
      if (process.parked.size > 0) return
      if (now - since >= this.#idleMs) process.kill('idle')
      else this.#alarm.set(since + this.#idleMs)
    } else if (owned && this.slots === 1) return
    else if (now - since < STALL_MS) this.#alarm.set(since + STALL_MS)
    else {
      this.#relieve(process, head)
      if (!owned) this.#endInTime(process, head, now)
    }
  }

  /** It ends once what nobody wants has taken as long as another would to come up, and to do again what else is there. */
  #endInTime(process: PoolProcess, head: PooledRun, now: number): void {
    const startMs = Math.min(process.startingMs, START_COUNTS_MS_MAX)
    const untilMs = process.since + process.runs().reduce((sum, { spentMs }) => sum + spentMs, startMs)
    if (now < untilMs) this.#alarm.set(untilMs)
    else this.#end(process, head)
  }

  /** A process is at rest: what waits behind long steps of others comes before what has not begun, as does what others got that come up. */
  #takeOver(): void {
    const now = this.#ports.clock.monotonic()
    if (this.#alarm.isOverdue(now)) return
    for (const process of this.#processes) {
      if (process.ending !== undefined) continue
      if (process.starting) this.#relieve(process)
      else if (process.isStalled(now)) this.#relieve(process, process.head)
    }
  }

  /** The runs behind a long one that a process computes move to others that have room, or all that it was given. */
  #relieve(process: PoolProcess, head?: PooledRun): void {
    const now = this.#ports.clock.monotonic()
    for (const run of process.runs()) {
      if (run === head || run.steps === 0) continue
      const dueMs = process.since + run.spentMs
      if (head && now < dueMs) {
        this.#alarm.set(dueMs)
        continue
      }
      if (!this.#hasRoom(run)) continue
      if (process.canDrop(run)) process.drop(run)
      this.#restart(run)
      this.#dispatch()
    }
  }

  /** Could another process begin it at once, or once one of another engine has made room? */
  #hasRoom(run: PooledRun): boolean {
    if (this.#processes.length < this.slots) return true
    if (this.#processes.every(({ busy, backlogMs }) => busy && backlogMs > AHEAD_MS)) return false
    return (this.#found(run, this.#predictBegun(run), true) ?? this.#foreign(run)) !== undefined
  }

  /** One at rest that does not run its engine. */
  #foreign({ job }: PooledRun): PoolProcess | undefined {
    return this.#processes.find((one) => one.ending === undefined && !one.busy && !one.fits(job.engine))
  }

  #checkTimeout(run: PooledRun, now: number): void {
    if (run.startedAt === undefined) return
    const dueMs = run.startedAt + run.job.timeoutMs
    if (now >= dueMs) run.kill(`no result within ${run.job.timeoutMs} ms`)
    else this.#alarm.set(dueMs)
  }
}
