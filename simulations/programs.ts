/** A sandbox whose functions are generators of the simulator, requests and all: a fiftieth of what the real one costs. */
import { CALIBRATION_EXPORT } from '../protocol/calibration.ts'
import { isDeferred } from '../protocol/effects.ts'
import { type Answer, type EffectRequest, orderJournal } from '../protocol/journal.ts'
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

/** One run, which goes on with each answer as the real one does. */
class ProgramRun {
  readonly #id: number
  readonly #body: Generator<Requested, Value, Value>
  readonly #replay: Replay
  readonly #requests: Outcome['requests'] = []
  #answers = 0

  constructor([id, input, , journal]: RunRecord, program: Program) {
    this.#id = id
    this.#body = program(decodeValue(input))
    this.#replay = new Replay(orderJournal(journal))
  }

  /** Up to its end, or to a request that has no answer yet. `given`: what it is told first. */
  step(given?: Answer): Report[] {
    const reports: Report[] = []
    let told: Value = given ? this.#told(given) : null
    for (;;) {
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
      if (this.#replay.over) return [...reports, ['waiting', this.#id]]
      const next = this.#replay.next()
      if ('divergence' in next) return [this.#diverged(next.divergence)]
      told = this.#told(next.answer)
    }
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
    return { n: this.#requests.length - 1, after: this.#answers, kind, arguments: encoded }
  }

  #told(answer: Answer): Value {
    this.#answers += 1
    return answer.ok ? decodeValue(answer.value) : null
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

/** All machines measure themselves by it. */
const CALIBRATION: Programs = {
  // biome-ignore lint/correctness/useYield: it requests nothing.
  [CALIBRATION_EXPORT]: function* () {
    return 0
  },
}

class ProgramProcess implements SandboxProcess {
  readonly #programs: Programs
  readonly #waiting = new Map<number, ProgramRun>()
  #handlers: Parameters<SandboxProcess['receive']>[0] | undefined
  #hasEnded = false

  constructor(programs: Programs) {
    this.#programs = { ...programs, ...CALIBRATION }
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
      case 'runs': {
        const program = this.#programs[command[2]] as Program
        return command[7].flatMap((record) => this.#step(record[0], new ProgramRun(record, program)))
      }
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

  #step(id: number, run: ProgramRun, answer?: Answer): Report[] {
    const reports = run.step(answer)
    if (reports.at(-1)?.[0] === 'waiting') this.#waiting.set(id, run)
    else this.#waiting.delete(id)
    return reports
  }
}

/** Runs take no time: `slowHost` gives them some. The code of a function is not looked at. */
export const createProgramsHost = (programs: Programs): SandboxHost => ({ spawn: () => new ProgramProcess(programs) })
