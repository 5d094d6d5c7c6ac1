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
  return typeof value === 'boolean' ? !value : null
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
