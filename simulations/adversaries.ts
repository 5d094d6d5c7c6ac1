/** Executors that are not as they should be: each is a SandboxHost around the honest one. */
import { Outcome } from '../protocol/outcome.ts'
import type { Clock, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { encodeFrame, type Report } from '../sandbox/frames.ts'
import { decodeReports } from '../sandbox/reports.ts'

type Handlers = Parameters<SandboxProcess['receive']>[0]

type Tell = (reports: Report[]) => void

/** `host`, whose processes' reports reach the pool through what `between` makes for each process. */
const around = (host: SandboxHost, between: (tell: Tell) => Tell): SandboxHost => ({
  spawn: (engine): SandboxProcess => {
    const process = host.spawn(engine)
    return {
      ...(process.engines && { engines: process.engines }),
      send: (frame) => process.send(frame),
      kill: () => process.kill(),
      receive: ({ frame: receive, exited }: Handlers) => {
        const pass = between((reports) => receive(encodeFrame(reports)))
        process.receive({ frame: (frame) => pass(decodeReports(frame)), exited })
      },
    }
  },
})

/** Another value of the same kind, such as might have come out. */
const otherThan = (value: Value): Value => {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string') return `${value}.`
  if (Array.isArray(value)) return value.map(otherThan)
  if (typeof value === 'boolean') return !value
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return null
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, otherThan(one)]))
}

const lieOf = (report: Report): Report => {
  if (report[0] !== 'done') return report
  const outcome = Outcome.decode(report[2])
  if (!outcome.result.ok) return report
  const value = encodeValue(otherThan(decodeValue(outcome.result.value)))
  return ['done', report[1], Outcome.encode({ ...outcome, result: { ok: true, value } }), report[3]]
}

/** Would it lie about this outcome? */
type Lies = (outcome: Uint8Array) => boolean

/** Gives wrong results that look right, each time that `lies` says so. Two that lie about one task tell the same lie. */
export const lyingWhen = (host: SandboxHost, lies: Lies): SandboxHost =>
  around(
    host,
    (tell) => (reports) => tell(reports.map((one) => (one[0] === 'done' && lies(one[2]) ? lieOf(one) : one))),
  )

export const lyingHost = (host: SandboxHost): SandboxHost => lyingWhen(host, () => true)

/** Is honest for its first `honest` results; then lies whenever `lies` says so. */
export const sleeperHost = (host: SandboxHost, honest: number, lies: Lies): SandboxHost => {
  let results = 0
  return lyingWhen(host, (outcome) => results++ >= honest && lies(outcome))
}

/** Reports that end a step. */
const ENDS: ReadonlySet<Report[0]> = new Set(['done', 'failed', 'diverged', 'waiting', 'lacks'])

/** Takes `stepMs` over each step, one after another. */
export const slowHost = (host: SandboxHost, clock: Clock, stepMs: () => number): SandboxHost =>
  around(host, (tell) => {
    let doneMs = 0
    let step: Report[] = []
    return (reports) => {
      for (const report of reports) {
        const ms = stepMs()
        step.push(report[0] === 'done' ? ['done', report[1], report[2], Math.round(ms * 1000)] : report)
        if (!ENDS.has(report[0])) continue
        const told = step
        step = []
        doneMs = Math.max(doneMs, clock.monotonic()) + ms
        clock.after(doneMs - clock.monotonic(), () => tell(told))
      }
    }
  })

type Request = Extract<Report, { 0: 'request' }>
type Arguments = { [name: string]: Value }

/** How a forger lies about a run: of what it reads, writes or sends, or of what comes of it. */
const FORGERIES = ['read', 'write', 'result'] as const

/** One run at a forger: which of its requests are others than its function made. */
class Forgery {
  readonly #how: (typeof FORGERIES)[number]
  readonly #forged = new Map<number, Uint8Array>()

  constructor(how: (typeof FORGERIES)[number]) {
    this.#how = how
  }

  /** `elsewhere`: a key that it has seen in use. */
  request(report: Request, elsewhere: string | undefined): Request {
    const [, id, n, after, kind, bytes] = report
    const args = decodeValue(bytes) as Arguments
    const lie = this.#lieAbout(kind, args, elsewhere)
    if (!lie) return report
    const forged = encodeValue(lie)
    this.#forged.set(n, forged)
    return ['request', id, n, after, kind, forged]
  }

  #lieAbout(kind: Request[4], args: Arguments, elsewhere: string | undefined): Arguments | undefined {
    if (this.#how === 'read' && kind === 'get' && elsewhere !== undefined && elsewhere !== args.key)
      return { ...args, key: elsewhere }
    if (this.#how === 'write' && kind === 'put')
      return Array.isArray(args.blocks)
        ? { ...args, blocks: args.blocks.toReversed() }
        : { ...args, value: otherThan(args.value as Value) }
    if (this.#how === 'write' && kind === 'fetch') return { ...args, method: 'DELETE' }
    return undefined
  }

  /** Of its outcome the requests are what was asked for, so that nothing contradicts itself. */
  done(report: Extract<Report, { 0: 'done' }>): Report {
    const [, id, bytes, micros] = report
    const outcome = Outcome.decode(bytes)
    const requests = outcome.requests.map((one, n) => ({ ...one, arguments: this.#forged.get(n) ?? one.arguments }))
    const isIdle = this.#forged.size === 0
    if (!outcome.result.ok) return report
    const value = isIdle ? encodeValue(otherThan(decodeValue(outcome.result.value))) : outcome.result.value
    return ['done', id, Outcome.encode({ ...outcome, requests, result: { ok: true, value } }), micros]
  }
}

/** Forges, in each run another part: what it reads, what it writes, or, where it finds nothing of that, what comes of it. */
export const forgingHost = (host: SandboxHost): SandboxHost => {
  let runs = 0
  return around(host, (tell) => {
    const forgeries = new Map<number, Forgery>()
    let seen: string | undefined
    const of = (id: number): Forgery => {
      const found = forgeries.get(id) ?? new Forgery(FORGERIES[runs++ % FORGERIES.length] as (typeof FORGERIES)[number])
      forgeries.set(id, found)
      return found
    }
    const forged = (report: Report): Report => {
      if (report[0] === 'request') {
        const lie = of(report[1]).request(report, seen)
        if (report[4] === 'get') seen = (decodeValue(report[5]) as { key: string }).key
        return lie
      }
      if (report[0] !== 'done') return report
      const lie = of(report[1]).done(report)
      forgeries.delete(report[1])
      return lie
    }
    return (reports) => tell(reports.map(forged))
  })
}

/** Computes right, and says of its checkpoints from the one numbered `from` on that its memory is another. */
export const checkpointForger = (host: SandboxHost, from: number, forged: () => void): SandboxHost => {
  let number = 0
  return around(host, (tell) => (reports) => {
    const lie = (report: Report): Report => {
      if (report[0] !== 'rested' || number++ < from) return report
      forged()
      const bytes = report[3].slice()
      bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
      return ['rested', report[1], report[2], bytes]
    }
    tell(reports.map(lie))
  })
}

/** Computes right, and gives nobody the blocks of what is put. */
export const withholdingHost = (host: SandboxHost): SandboxHost =>
  around(host, (tell) => (reports) => tell(reports.filter(([kind]) => kind !== 'block')))
