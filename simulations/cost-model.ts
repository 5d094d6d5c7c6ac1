/** A sandbox that computes nothing: its runs take time of the world's clock, as their input says, and all else is as real. */
import { FUEL_DEFAULT, MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Clock, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import type { FunctionBundle } from '../registry/functions.ts'
import { type Command, decodeCommands, encodeFrame, type Report } from '../sandbox/frames.ts'

/** One task of the model. */
export interface ModelTask {
  id: number
  /** How long it takes at speed 1, in ms of the world. */
  ms: number
}

/** What the model runs, whatever function it is told to; the result is another for each 32-bit `id`. */
export const MODEL_FUNCTION: FunctionBundle = {
  name: 'cost-model',
  code: new TextEncoder().encode('export default ({ id }) => Math.imul(id, 0x9e3779b1) >>> 0'),
  exports: ['default'],
  effects: [],
  limits: { fuel: FUEL_DEFAULT, memory_bytes: 64 * MIB, output_bytes: MIB },
}

/** The right result of the task `id`. */
export const modelResult = (id: number): number => Math.imul(id, 0x9e3779b1) >>> 0

export const modelInput = ({ id, ms }: ModelTask): Uint8Array => encodeValue({ id, ms })

/** Of a machine of speed 1. */
export const FUEL_PER_MS = 20_000
/** As the real worker: how often it says how far a run has come, and how long results wait for each other. */
const FUEL_REPORT_MS = 250
const COALESCE_MS = 2

const outcomeOf = ({ id, ms }: ModelTask): Uint8Array =>
  Outcome.encode({
    v: 1,
    result: { ok: true, value: encodeValue(modelResult(id)) },
    requests: [],
    console: [],
    fuel: Math.round(ms * FUEL_PER_MS),
    memory_bytes: MIB,
  })

interface ModelRun {
  id: number
  task: ModelTask
}

type Handlers = Parameters<SandboxProcess['receive']>[0]
type ModelClock = Pick<Clock, 'monotonic' | 'after'>
/** Told what has been computed on a task, be it done or killed, ms. */
type Spent = (task: ModelTask, ms: number) => void

/** One process: runs one after another, and can be killed at any moment. */
class ModelProcess implements SandboxProcess {
  readonly #clock: ModelClock
  readonly #speed: () => number
  readonly #spent: Spent
  readonly #runs: ModelRun[] = []
  /** What it computes now, and since when. */
  #current: { task: ModelTask; ms: number }[] = []
  #sinceMs = 0
  #handlers: Handlers | undefined
  #cancel: (() => void) | undefined
  #ended = false

  constructor(clock: ModelClock, speed: () => number, spent: Spent) {
    this.#clock = clock
    this.#speed = speed
    this.#spent = spent
  }

  send(frame: Uint8Array): void {
    if (this.#ended) return
    for (const command of decodeCommands(frame)) this.#obey(command)
    if (!this.#cancel) this.#next()
  }

  receive(handlers: Handlers): void {
    this.#handlers = handlers
  }

  kill(): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancel?.()
    const [first] = this.#current
    if (first) this.#spent(first.task, this.#clock.monotonic() - this.#sinceMs)
    queueMicrotask(() => this.#handlers?.exited('killed'))
  }

  /** Runs without effects neither wait nor are answered; the code is not looked at. */
  #obey(command: Command): void {
    if (command[0] !== 'runs') return
    for (const [id, input] of command[7]) this.#runs.push({ id, task: decodeValue(input) as unknown as ModelTask })
  }

  /** Begins the first run, with those after it that end before results would be sent: one timer for all. */
  #next(): void {
    const reports: Report[] = []
    const speed = this.#speed()
    let takesMs = 0
    this.#current = []
    this.#sinceMs = this.#clock.monotonic()
    for (let run = this.#runs[0]; run; run = this.#runs[0]) {
      const ms = run.task.ms / speed
      if (reports.length > 0 && takesMs + ms > COALESCE_MS) break
      takesMs += ms
      reports.push(['done', run.id, outcomeOf(run.task), Math.round(ms * 1000)])
      this.#current.push({ task: run.task, ms })
      this.#runs.shift()
    }
    if (reports.length > 0) this.#compute(reports, takesMs, 0, FUEL_PER_MS * speed)
  }

  #compute(reports: Report[], leftMs: number, fuel: number, fuelPerMs: number): void {
    const ms = Math.min(leftMs, FUEL_REPORT_MS)
    this.#cancel = this.#clock.after(ms, () => {
      const used = fuel + ms * fuelPerMs
      if (ms < leftMs) {
        const [[, id]] = reports as [Report]
        this.#handlers?.frame(encodeFrame([['fuel', id, Math.round(used)]]))
        return this.#compute(reports, leftMs - ms, used, fuelPerMs)
      }
      this.#cancel = undefined
      for (const { task, ms } of this.#current) this.#spent(task, ms)
      this.#current = []
      this.#handlers?.frame(encodeFrame(reports))
      if (!this.#ended) this.#next()
    })
  }
}

/**
 * The host of a machine that is `speed` times as fast as the model's: it may change, and counts for runs that begin.
 * Its processes speak the frames of `sandbox/frames.ts`, as the real worker does.
 */
export const createCostModelHost = (
  clock: ModelClock,
  speed: () => number = () => 1,
  spent: Spent = () => {},
): SandboxHost => ({
  spawn: () => new ModelProcess(clock, speed, spent),
})
