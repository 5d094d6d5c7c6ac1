/** A sandbox whose functions are generators of the simulator, requests and all: a fiftieth of what the real one costs. */
import { isDeferred } from '../protocol/effects.ts'
import { type Answer, type EffectRequest, type JournalEntry, orderJournal } from '../protocol/journal.ts'
import { MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { type Command, decodeCommands, encodeFrame, type Report, type RunRecord } from '../sandbox/frames.ts'
import { type Divergence, Replay } from '../sandbox/replay.ts'
import { FUEL_PER_MS } from './cost-model.ts'

export interface Requested {
  kind: EffectRequest['kind']
  arguments: { [name: string]: Value }
}

/** Yields what it requests, and is given the answer; null to what is deferred. */
export type Program = (input: Value) => Generator<Requested, Value, Value>

/** By the name of the export. */
export type Programs = Readonly<Record<string, Program>>

/** Of any run: a second's, so that how long it takes is left to its machine. */
const FUEL = 1000 * FUEL_PER_MS

/** Behind so many answers, and so many more, a run at rest is due for a checkpoint. */
const REST_ANSWERS = 2

const isDue = (answers: number): boolean => answers > 0 && answers % REST_ANSWERS === 0

/** What is seen of runs. */
export interface ProgramEvents {
  /** It has begun behind so many answers, at a checkpoint, or at its start. */
  began(name: string, input: Value, answers: number): void
  /** It is at one behind so many. */
  rested(name: string, input: Value, answers: number): void
}

/** What a run at rest has requested, and was told, by then. */
interface Checkpoint {
  [field: string]: Value
  requests: number
  told: Value[]
}

/** Undefined: it is none that this journal leads to, and the run begins at its start. */
const fitting = (bytes: Uint8Array | undefined, journal: readonly JournalEntry[]): Checkpoint | undefined => {
  const from = bytes && (decodeValue(bytes) as Checkpoint)
  if (!from) return undefined
  const requests = journal.filter((one) => one.entry === 'request' && one.after <= from.told.length)
  const answers = journal.filter(({ entry }) => entry === 'answer')
  return requests.length === from.requests && answers.length >= from.told.length ? from : undefined
}

/** One run, which goes on with each answer as the real one does. Its checkpoints are what it was told by then. */
class ProgramRun {
  readonly #id: number
  readonly #body: Generator<Requested, Value, Value>
  readonly #replay: Replay
  readonly #requests: Outcome['requests'] = []
  readonly #told: Value[] = []
  readonly #rested: ((answers: number) => void) | undefined
  #isAtRest = false

  /** `rested`: it is to tell of its checkpoints. */
  constructor(
    [id, input, , journal]: RunRecord,
    program: Program,
    from: Checkpoint | undefined,
    rested: ((answers: number) => void) | undefined,
  ) {
    this.#id = id
    this.#body = program(decodeValue(input))
    this.#rested = rested
    const before = from ? this.#restore(from.told) : 0
    this.#replay = new Replay(orderJournal(journal), before)
  }

  /** Goes back to where it was at rest behind these answers; so many entries of its journal lie before that. */
  #restore(told: readonly Value[]): number {
    for (let next: Value = null; ; ) {
      const { kind } = this.#request(this.#body.next(next).value as Requested)
      next = null
      if (isDeferred(kind)) continue
      this.#isAtRest = this.#told.length === told.length
      if (this.#isAtRest) break
      next = told[this.#told.length] as Value
      this.#told.push(next)
    }
    return this.#requests.length + this.#told.length
  }

  /** Up to its end, or to a request that has no answer yet. `given`: what it is told first. */
  step(given?: Answer): Report[] {
    const reports: Report[] = []
    let told: Value = given ? this.#tell(given) : null
    for (;;) {
      if (!this.#isAtRest) {
        const went = this.#goOn(told)
        if ('ok' in went) return [...reports, this.#end(went)]
        const { done, value } = went
        if (done) return [...reports, this.#end({ ok: true, value: encodeValue(value) })]
        told = null
        const request = this.#request(value)
        if (this.#replay.isLive)
          reports.push(['request', this.#id, request.n, request.after, request.kind, request.arguments])
        else {
          const divergence = this.#replay.meet(request)
          if (divergence) return [this.#diverged(divergence)]
        }
        if (isDeferred(request.kind)) continue
        reports.push(...this.#rest())
      }
      this.#isAtRest = false
      if (this.#replay.over) return [...reports, ['waiting', this.#id]]
      const next = this.#replay.next()
      if ('divergence' in next) return [this.#diverged(next.divergence)]
      told = this.#tell(next.answer)
    }
  }

  #rest(): Report[] {
    const answers = this.#told.length
    if (!this.#rested || !isDue(answers)) return []
    this.#rested(answers)
    const checkpoint: Checkpoint = { requests: this.#requests.length, told: this.#told }
    return [['rested', this.#id, answers, encodeValue(checkpoint)]]
  }

  #goOn(told: Value): IteratorResult<Requested, Value> | Extract<Outcome['result'], { ok: false }> {
    try {
      return this.#body.next(told)
    } catch (cause) {
      return { ok: false, code: 'E_FUNCTION_THREW', message: (cause as Error).message, stack: '' }
    }
  }

  #request({ kind, arguments: args }: Requested): EffectRequest {
    const encoded = encodeValue(args)
    this.#requests.push({ kind, arguments: encoded })
    return { n: this.#requests.length - 1, after: this.#told.length, kind, arguments: encoded }
  }

  #tell(answer: Answer): Value {
    const told = answer.ok ? decodeValue(answer.value) : null
    this.#told.push(told)
    return told
  }

  #end(result: Outcome['result']): Report {
    const missing = this.#replay.missing()
    if (missing) return this.#diverged(missing)
    const outcome = Outcome.encode({
      ...{ v: 1, result, requests: this.#requests, console: [] },
      ...{ fuel: FUEL, memory_bytes: MIB },
    })
    return ['done', this.#id, outcome, 0]
  }

  #diverged({ n, expected, found }: Divergence): Report {
    return ['diverged', this.#id, n, expected, found]
  }
}

class ProgramProcess implements SandboxProcess {
  readonly #programs: Programs
  readonly #events: ProgramEvents | undefined
  readonly #waiting = new Map<number, ProgramRun>()
  /** Runs to come that are to tell of their checkpoints, and those that begin at one. */
  readonly #resting = new Set<number>()
  readonly #from = new Map<number, Uint8Array>()
  #handlers: Parameters<SandboxProcess['receive']>[0] | undefined
  #hasEnded = false

  constructor(programs: Programs, events: ProgramEvents | undefined) {
    this.#programs = programs
    this.#events = events
  }

  send(frame: Uint8Array): void {
    queueMicrotask(() => {
      const reports = this.#hasEnded ? [] : decodeCommands(frame).flatMap((command) => this.#obey(command))
      if (reports.length > 0) this.#handlers?.frame(encodeFrame(reports))
    })
  }

  receive(handlers: Parameters<SandboxProcess['receive']>[0]): void {
    this.#handlers = handlers
  }

  kill(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    queueMicrotask(() => this.#handlers?.exited('killed'))
  }

  #obey(command: Command): Report[] {
    switch (command[0]) {
      case 'rests':
        this.#resting.add(command[1])
        return []
      case 'from':
        this.#from.set(command[1], command[2])
        return []
      case 'runs':
        return command[7].flatMap((record) => this.#step(record[0], this.#begin(command[2], record)))
      case 'answer': {
        const run = this.#waiting.get(command[1])
        return run ? this.#step(command[1], run, command[3]) : []
      }
      case 'drop':
        this.#waiting.delete(command[1])
        return []
      default:
        return []
    }
  }

  #begin(name: string, record: RunRecord): ProgramRun {
    const [id, encoded, , journal] = record
    const from = fitting(this.#from.get(id), journal)
    const input = decodeValue(encoded)
    const rested = this.#resting.delete(id)
      ? (answers: number) => this.#events?.rested(name, input, answers)
      : undefined
    this.#from.delete(id)
    this.#events?.began(name, input, from?.told.length ?? 0)
    return new ProgramRun(record, this.#programs[name] as Program, from, rested)
  }

  #step(id: number, run: ProgramRun, answer?: Answer): Report[] {
    const reports = run.step(answer)
    if (reports.at(-1)?.[0] === 'waiting') this.#waiting.set(id, run)
    else this.#waiting.delete(id)
    return reports
  }
}

/** Runs take no time: `slowHost` gives them some. The code of a function is not looked at. */
export const createProgramsHost = (programs: Programs, events?: ProgramEvents): SandboxHost => ({
  spawn: () => new ProgramProcess(programs, events),
})
