/** Ways in which an agent of the demo misbehaves: by what its sandbox processes say. The rest of it is honest. */
import { Outcome } from '../../protocol/outcome.ts'
import type { SandboxHost, SandboxProcess } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { encodeFrame, type Report } from '../../sandbox/frames.ts'
import { decodeReports } from '../../sandbox/reports.ts'

/** How to misbehave, from the moment it is told. */
export interface Order {
  /** One answer in so many is a lie; 0: none. */
  lieEvery: 0 | 1 | 5
  /** Holds each answer back. */
  delayMs: number
}

export class Mischief {
  #order: Order
  #answers = 0

  constructor(order: Order) {
    this.#order = order
  }

  obey(order: Order): void {
    this.#order = order
  }

  get delayMs(): number {
    return this.#order.delayMs
  }

  get isHonest(): boolean {
    return this.#order.lieEvery === 0
  }

  /** Is its next answer a lie? */
  next(): boolean {
    return this.#answers++ % this.#order.lieEvery === 0
  }
}

/** Every third byte a little less: nobody would see it in the picture. */
const darkened = (pixels: Uint8Array): Uint8Array =>
  pixels.map((byte, i) => (i % 3 === 0 ? Math.max(0, byte - 3) : byte))

/** More than any number has: one such lie, believed, and the search ends with the wrong number. */
const TERMS_MADE_UP = 500

const lieFor = (value: { [key: string]: Value }): Value | undefined => {
  if (value.pixels instanceof Uint8Array) return { ...value, pixels: darkened(value.pixels) }
  if (typeof value.terms === 'number') return { ...value, terms: value.terms + TERMS_MADE_UP }
  return undefined
}

const altered = (outcomeBytes: Uint8Array): Uint8Array => {
  const outcome = Outcome.decode(outcomeBytes)
  if (!outcome.result.ok) return outcomeBytes
  const lie = lieFor(decodeValue(outcome.result.value) as { [key: string]: Value })
  if (lie === undefined) return outcomeBytes
  return Outcome.encode({ ...outcome, result: { ok: true, value: encodeValue(lie) } })
}

const spoil = (frame: Uint8Array, mischief: Mischief): Uint8Array =>
  encodeFrame(
    decodeReports(frame).map((report): Report => {
      if (report[0] !== 'done' || !mischief.next()) return report
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
        const said = mischief.isHonest ? bytes : spoil(bytes, mischief)
        if (mischief.delayMs === 0) frame(said)
        else setTimeout(() => frame(said), mischief.delayMs)
      },
      exited,
    }),
})

/** Does as `mischief` says, which may be told otherwise at any time. */
export const mischievous = (host: SandboxHost, mischief: Mischief): SandboxHost => ({
  spawn: (engine) => spoiled(host.spawn(engine), mischief),
})
