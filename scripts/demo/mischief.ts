/** Ways in which an agent of the demo misbehaves: by what its sandbox processes say. The rest of it is honest. */
import { Outcome } from '../../protocol/outcome.ts'
import type { SandboxHost, SandboxProcess } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { decodeReports, encodeFrame, type Report } from '../../sandbox/frames.ts'

export interface Mischief {
  /** Answers with pictures a shade too dark here and there, and signs for them. */
  lies: boolean
  /** Holds each answer back, ms. */
  delayMs: number
}

/** Every third byte a little less: nobody would see it in the picture. */
const darkened = (pixels: Uint8Array): Uint8Array =>
  pixels.map((byte, i) => (i % 3 === 0 ? Math.max(0, byte - 3) : byte))

const altered = (outcomeBytes: Uint8Array): Uint8Array => {
  const outcome = Outcome.decode(outcomeBytes)
  if (!outcome.result.ok) return outcomeBytes
  const value = decodeValue(outcome.result.value) as { [key: string]: Value }
  if (!(value.pixels instanceof Uint8Array)) return outcomeBytes
  const lie = encodeValue({ ...value, pixels: darkened(value.pixels) })
  return Outcome.encode({ ...outcome, result: { ok: true, value: lie } })
}

const lie = (frame: Uint8Array): Uint8Array =>
  encodeFrame(
    decodeReports(frame).map((report): Report => {
      if (report[0] !== 'done') return report
      const [kind, id, outcome, micros] = report
      return [kind, id, altered(outcome), micros]
    }),
  )

const spoiled = (process: SandboxProcess, mischief: Mischief): SandboxProcess => ({
  send: (frame) => process.send(frame),
  kill: () => process.kill(),
  receive: ({ frame, exited }) =>
    process.receive({
      frame: (bytes) => {
        const said = mischief.lies ? lie(bytes) : bytes
        if (mischief.delayMs === 0) frame(said)
        else setTimeout(() => frame(said), mischief.delayMs)
      },
      exited,
    }),
})

/** `mischief` may change at any time. */
export const mischievous = (host: SandboxHost, mischief: Mischief): SandboxHost => ({
  spawn: () => spoiled(host.spawn(), mischief),
})
