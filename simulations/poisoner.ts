/** An executor that poisons the journal: at a random request it tells of another one, of one more, of none, of it twice, or later. */
import { type EffectKind, isDeferred } from '../protocol/effects.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Random, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { type Command, decodeCommands, encodeFrame, type Report } from '../sandbox/frames.ts'
import { decodeReports } from '../sandbox/reports.ts'

export const LIES = ['substitute', 'add', 'drop', 'repeat', 'reorder'] as const
export type Lie = (typeof LIES)[number]

interface Told {
  kind: EffectKind
  arguments: Uint8Array
}

/** Another one of its kind, such as might have been made. */
const otherThan = (value: Value): Value => {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string') return `${value}x`
  if (value instanceof Uint8Array) return new Uint8Array([...value, 1])
  return value
}

/** What they do is in their last fields; the first one names a binding. */
const substitute = ({ kind, arguments: encoded }: Told): Told => {
  const args = decodeValue(encoded) as Record<string, Value>
  const name = ['body', 'value', 'key', 'input', 'ms', 'bytes'].find((field) => args[field] != null)
  if (name === undefined) return { kind, arguments: encodeValue({ ms: 1 }) }
  return { kind, arguments: encodeValue({ ...args, [name]: otherThan(args[name] as Value) }) }
}

/** One run of a function whose executor lies about it once. */
class PoisonedRun {
  readonly told: Told[]
  /** By the number of a request, that under which it was told. */
  readonly #numbers: number[]
  readonly #lie: Lie
  #honest: number
  /** Answers to what was made up, by now. */
  #extra = 0
  #held: Extract<Report, { 0: 'request' }> | undefined
  #lied: (lie: Lie) => void

  constructor(journal: readonly Told[], lie: Lie, honest: number, lied: (lie: Lie) => void) {
    this.told = journal.map(({ kind, arguments: encoded }) => ({ kind, arguments: encoded }))
    this.#numbers = journal.map((_, n) => n)
    this.#lie = lie
    this.#honest = honest
    this.#lied = lied
  }

  /** What is told in place of a request; `answer` is what the function is told in place of its home's answer. */
  request(report: Extract<Report, { 0: 'request' }>, answer: (n: number) => void): Report[] {
    const held = this.#held
    this.#held = undefined
    if (held) {
      this.#lied('reorder')
      return [this.#tell(report), this.#tell(held)]
    }
    this.#honest -= 1
    if (this.#honest !== -1) return [this.#tell(report)]
    if (this.#lie === 'reorder') {
      this.#held = report
      return []
    }
    this.#lied(this.#lie)
    const [, , n, , kind, bytes] = report
    const one = { kind, arguments: bytes }
    switch (this.#lie) {
      case 'substitute':
        return [this.#tell(report, substitute(one))]
      case 'add':
        return [this.#make(report, substitute(one)), this.#tell(report)]
      case 'repeat':
        return [this.#tell(report), this.#make(report, one)]
      case 'drop':
        if (!isDeferred(kind)) answer(n)
        this.#numbers[n] = -1
        return []
    }
  }

  /** The step ends: what was held back is told after all. */
  release(): Report[] {
    const held = this.#held
    this.#held = undefined
    return held ? [this.#tell(held)] : []
  }

  /** The number by which the function knows what was told as `n`; undefined: it has not asked for it. */
  answered(n: number): number | undefined {
    const real = this.#numbers.indexOf(n)
    if (real === -1) this.#extra += 1
    return real === -1 ? undefined : real
  }

  outcome(encoded: Uint8Array): Uint8Array {
    return Outcome.encode({ ...Outcome.decode(encoded), requests: this.told })
  }

  #tell(
    [, id, n, after, kind, bytes]: Extract<Report, { 0: 'request' }>,
    as: Told = { kind, arguments: bytes },
  ): Report {
    this.#numbers[n] = this.told.length
    return ['request', id, this.told.push(as) - 1, after + this.#extra, as.kind, as.arguments]
  }

  /** One that the function does not make. */
  #make([, id, , after]: Extract<Report, { 0: 'request' }>, as: Told): Report {
    return ['request', id, this.told.push(as) - 1, after + this.#extra, as.kind, as.arguments]
  }
}

class Poisoner implements SandboxProcess {
  readonly engines: readonly string[] | undefined
  readonly #process: SandboxProcess
  readonly #begin: (journal: readonly Told[]) => PoisonedRun
  readonly #runs = new Map<number, PoisonedRun>()
  #tell: (reports: Report[]) => void = () => {}

  constructor(process: SandboxProcess, begin: (journal: readonly Told[]) => PoisonedRun) {
    this.engines = process.engines
    this.#process = process
    this.#begin = begin
  }

  kill(): void {
    this.#process.kill()
  }

  send(frame: Uint8Array): void {
    const commands = decodeCommands(frame).flatMap((command) => this.#command(command))
    if (commands.length > 0) this.#process.send(encodeFrame(commands))
  }

  receive({ frame: receive, exited }: Parameters<SandboxProcess['receive']>[0]): void {
    this.#tell = (reports) => {
      if (reports.length > 0) receive(encodeFrame(reports))
    }
    this.#process.receive({ frame: (frame) => this.#reports(decodeReports(frame)), exited })
  }

  #command(command: Command): Command[] {
    if (command[0] === 'runs') {
      for (const [id, , , journal] of command[7])
        this.#runs.set(id, this.#begin(journal.flatMap((one) => (one.entry === 'request' ? [one] : []))))
    }
    if (command[0] !== 'answer') return [command]
    const [, id, n, answer] = command
    const real = this.#runs.get(id)?.answered(n)
    if (real !== undefined) return [['answer', id, real, answer]]
    queueMicrotask(() => this.#tell([['waiting', id]]))
    return []
  }

  #reports(reports: readonly Report[]): void {
    const made: [id: number, n: number][] = []
    const told = reports.flatMap((report): Report[] => {
      const run = this.#runs.get(report[1] as number)
      if (!run) return [report]
      if (report[0] === 'request') return run.request(report, (n) => made.push([report[1], n]))
      if (report[0] === 'done') return [...run.release(), ['done', report[1], run.outcome(report[2]), report[3]]]
      if (report[0] !== 'waiting') return [report]
      // What it waits for is made up at once: its step goes on.
      return [...run.release(), ...(made.some(([id]) => id === report[1]) ? [] : [report])]
    })
    this.#tell(told)
    const answers = made.map(([id, n]): Command => ['answer', id, n, { ok: true, value: encodeValue(null) }])
    if (answers.length > 0) this.#process.send(encodeFrame(answers))
  }
}

/** Lies once in each run that begins with no more than it may: at one of its first requests, in a way that `random` draws. */
export const poisoningHost = (host: SandboxHost, random: Random, lied: (lie: Lie) => void): SandboxHost => ({
  spawn: (engine) =>
    new Poisoner(host.spawn(engine), (journal) => {
      const lie = LIES[random.below(LIES.length)] as Lie
      return new PoisonedRun(journal, lie, random.below(8), lied)
    }),
})
