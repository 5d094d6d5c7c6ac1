/** Executors that are not as they should be: each is a SandboxHost around the honest one. */
import { Outcome } from '../protocol/outcome.ts'
import type { Clock, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { decodeReports, encodeFrame, type Report } from '../sandbox/frames.ts'

type Handlers = Parameters<SandboxProcess['receive']>[0]

/** `host`, whose processes' frames reach their receiver through `pass`. */
const around = (host: SandboxHost, pass: (frame: Uint8Array, receive: (frame: Uint8Array) => void) => void) => ({
  spawn: (): SandboxProcess => {
    const process = host.spawn()
    return {
      send: (frame) => process.send(frame),
      kill: () => process.kill(),
      receive: ({ frame: receive, exited }: Handlers) =>
        process.receive({ frame: (frame) => pass(frame, receive), exited }),
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

/** Gives wrong results that look right. */
export const lyingHost = (host: SandboxHost): SandboxHost =>
  around(host, (frame, receive) => receive(encodeFrame(decodeReports(frame).map(lieOf))))

/** Takes so many ms longer over everything. */
export const slowHost = (host: SandboxHost, clock: Pick<Clock, 'after'>, delayMs: () => number): SandboxHost =>
  around(host, (frame, receive) => void clock.after(delayMs(), () => receive(frame)))
