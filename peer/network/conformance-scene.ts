/** The stage of the conformance suite: two networks that speak a few protocols. */
import { expect, vi } from 'vitest'
import type { FailPoints } from '../../protocol/fail-points.ts'
import { FRAME_BYTES_MAX } from '../../protocol/limits.ts'
import type { Log, LogEventName } from '../../protocol/log.ts'
import type { Channel, Network } from '../../protocol/ports.ts'

/** Two networks, not yet started, and what can befall them. */
export interface NetworkPair {
  readonly left: Network
  readonly right: Network
  /** Where `left` reaches `right`, once both are started. */
  address(): Promise<string>
  /** `right` is gone as after SIGKILL, as far as `left` can tell. */
  kill(): void
  stop(): Promise<void>
  /** Well-formed, and nobody listens there. */
  readonly deadAddress: string
  /** A valid PeerId of neither. */
  readonly strangerId: string
}

/** `failPoints` are for `left`, `log` for both. */
export type MakePair = (options: { log: Log; failPoints: FailPoints }) => Promise<NetworkPair>

export const WIDE = '/test/wide'
export const NARROW = '/test/narrow'
export const ECHO = '/test/echo'
export const CARELESS = '/test/careless'
export const NARROW_BYTES_MAX = 1000
export const wide = { frameBytesMax: FRAME_BYTES_MAX }

export const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 5 })
const textOf = (frame: Uint8Array) => new TextDecoder().decode(frame)

/** A channel whose frames and end are kept, and whose receiver can be held up. */
export class Watched {
  readonly channel: Channel
  readonly frames: Uint8Array[] = []
  readonly ends: string[] = []
  /** What the receiver does with a frame. */
  received: (frame: Uint8Array) => unknown
  #held: PromiseWithResolvers<void> | undefined

  constructor(channel: Channel, received: (frame: Uint8Array) => unknown = () => {}) {
    this.channel = channel
    this.received = received
    channel.receive({
      frame: (frame) => {
        expect(this.ends).toEqual([])
        this.frames.push(frame)
        const taking = this.received(frame)
        return taking instanceof Promise ? taking : this.#held?.promise
      },
      closed: (reason) => void this.ends.push(reason),
    })
  }

  get texts(): string[] {
    return this.frames.map(textOf)
  }

  hold(): void {
    this.#held = Promise.withResolvers()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** The reason, after waiting long enough for a second one to show. */
  async end(): Promise<string> {
    await eventually(() => expect(this.ends).not.toEqual([]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(this.ends).toHaveLength(1)
    return this.ends[0] as string
  }
}

/** A started and connected pair, and the channels that `right` accepted. */
export class Scene {
  readonly pair: NetworkPair
  readonly address: string
  readonly accepted: Watched[] = []
  readonly events: LogEventName[]

  static async set(makePair: MakePair, failPoints: FailPoints): Promise<Scene> {
    const events: LogEventName[] = []
    const pair = await makePair({ log: { event: (name) => void events.push(name) }, failPoints })
    const accepted: Watched[] = []
    for (const network of [pair.left, pair.right]) {
      const watch = (channel: Channel) => void accepted.push(new Watched(channel))
      network.handle(WIDE, watch, wide)
      network.handle(NARROW, watch, { frameBytesMax: NARROW_BYTES_MAX })
      network.handle(ECHO, (channel) => void new Watched(channel, (frame) => channel.send(frame)), wide)
      network.handle(CARELESS, () => {}, wide)
      await network.start()
    }
    return new Scene(pair, await pair.address(), accepted, events)
  }

  private constructor(pair: NetworkPair, address: string, accepted: Watched[], events: LogEventName[]) {
    this.pair = pair
    this.address = address
    this.accepted = accepted
    this.events = events
  }

  stop(): Promise<void> {
    return this.pair.stop()
  }

  connect(): Promise<string> {
    return this.pair.left.connect(this.address)
  }

  async open(protocol = WIDE, network = this.pair.left): Promise<Watched> {
    const { left, right } = this.pair
    const other = network === left ? right : left
    return new Watched(await network.open(other.peerId, protocol, wide))
  }

  /** Both ends of a fresh channel from left to right. */
  async channel(protocol = WIDE): Promise<{ here: Watched; there: Watched }> {
    const count = this.accepted.length
    const here = await this.open(protocol)
    await eventually(() => expect(this.accepted).toHaveLength(count + 1))
    return { here, there: this.accepted[count] as Watched }
  }
}
