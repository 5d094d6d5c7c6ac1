/** A peer of a world whose every frame is written by the test. */
import { unknownCoordinate } from '../../peer/coordinates.ts'
import type { MeshState } from '../../peer/membership.ts'
import { receiptBytes } from '../../peer/receipts.ts'
import { rawCid, recordCid } from '../../protocol/cid.ts'
import { EFFECT_KINDS } from '../../protocol/effects.ts'
import { batchOf, type Envelope, type SignedKind, signBatch } from '../../protocol/envelope.ts'
import { BLOCKS_PROTOCOL, type FrameOf, PEER_PROTOCOL, PeerFrame } from '../../protocol/frames.ts'
import { FRAME_BYTES_MAX, MIB } from '../../protocol/limits.ts'
import { Genesis, meshIdOf } from '../../protocol/mesh.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Channel, Ports } from '../../protocol/ports.ts'
import { Advertisement, Invocation, Receipt, taskIdOf } from '../../protocol/records.ts'
import { encodeValue, type Value } from '../../protocol/values.ts'
import type { PublishedFunction } from '../../registry/functions.ts'
import { ENGINE_ID } from '../../sandbox/engine-id.ts'
import type { World, WorldPeer } from '../../simulations/world.ts'

type InvokeFrame = FrameOf<'invoke'> | FrameOf<'tied'>

/** Where a scripted peer acts: a world, or this machine and its real network. */
export interface Surroundings {
  readonly clock: { now(): number; advance(ms: number): Promise<void> }
  until<T>(promise: Promise<T>): Promise<T>
}

/** Of a peer that is dialled. */
type Dialled = Pick<WorldPeer, 'address' | 'peerId'>

export class ScriptedPeer<S extends Surroundings = World> {
  readonly peerId: string
  readonly ports: Ports
  readonly world: S
  readonly mesh: MeshState
  /** What has come over the channel, in order. */
  readonly heard: PeerFrame[] = []
  /** Why the channel ended; undefined while it has not. */
  closed: string | undefined
  /** Else it counts as gone after a while. */
  answersPings = true
  /** What to do at once when a frame comes. */
  react: (frame: PeerFrame) => void = () => {}
  #channel: Channel | undefined
  #read = 0
  #sequence = 1
  #onHeads: (frame: FrameOf<'heads'>) => void = () => {}

  constructor(world: S, ports: Ports, peerId: string, mesh: MeshState) {
    this.world = world
    this.ports = ports
    this.peerId = peerId
    this.mesh = mesh
  }

  /** Opens the channel for calls; what comes over it is heard from now on. */
  async dial({ address, peerId }: Dialled): Promise<this> {
    const { network } = this.ports
    await this.world.until(network.connect(address))
    const channel = await this.world.until(network.open(peerId, PEER_PROTOCOL, { frameBytesMax: FRAME_BYTES_MAX }))
    this.hear(channel)
    return this
  }

  hear(channel: Channel): void {
    this.#channel = channel
    channel.receive({
      frame: (bytes) => {
        const frame = PeerFrame.decode(bytes)
        this.heard.push(frame)
        if (frame.t === 'ping' && this.answersPings)
          this.send({ t: 'pong', id: frame.id, coordinate: unknownCoordinate() })
        if (frame.t === 'heads') this.#onHeads(frame)
        this.react(frame)
      },
      closed: (reason) => {
        this.closed = reason
      },
    })
  }

  /** A frame, or bytes that may be none. */
  send(frame: PeerFrame | Uint8Array): void {
    this.#channel?.send(frame instanceof Uint8Array ? frame : PeerFrame.encode(frame))
  }

  /** The same; then everything that follows from it happens. */
  async say(frame: PeerFrame | Uint8Array): Promise<this> {
    this.send(frame)
    await this.world.clock.advance(0)
    return this
  }

  hello(changes: Partial<FrameOf<'hello'>> = {}): FrameOf<'hello'> {
    const { genesis, chain } = this.mesh
    const credential = { by: 'membership', chain } as const
    const says = { protocols: [1], features: [], agent: 'scripted', genesis: Genesis.encode(genesis), credential }
    return { t: 'hello', ...says, ...changes }
  }

  /** Shakes hands as it should be, and offers `slots`. */
  async join(to: Dialled, slots = 0, says: Partial<FrameOf<'hello'>> = {}): Promise<this> {
    await this.dial(to)
    await this.say(this.hello(says))
    await this.say({ t: 'welcome', chain: [] })
    return this.say(await this.advertisement({ slots, free: slots }))
  }

  async advertisement(changes: Partial<Advertisement> = {}): Promise<FrameOf<'advertise'>> {
    const offer = { slots: 0, free: 0, queued: 0, memory_bytes: 256 * MIB, speed: 0, neighbours: 0 }
    const payload = Advertisement.encode({
      ...{ v: 1, mesh: this.meshId, peer: this.peerId, sequence: this.#sequence++ },
      expires_ms: this.ports.clock.now() + 60_000,
      ...{ protocols: [1], engines: [ENGINE_ID], effects: EFFECT_KINDS, addresses: this.ports.network.addresses() },
      ...offer,
      coordinate: unknownCoordinate(),
      ...changes,
    })
    return { t: 'advertise', signed: (await this.sign('advertisement', [payload]))[0] as Envelope }
  }

  get meshId() {
    return meshIdOf(this.ports.crypto, this.mesh.genesis)
  }

  sign(kind: SignedKind, payloads: readonly Uint8Array[]): Promise<Envelope[]> {
    return signBatch(this.ports.crypto, this.ports.signer, this.peerId, kind, payloads)
  }

  async signBatch(kind: SignedKind, payloads: readonly Uint8Array[]) {
    return batchOf(await this.sign(kind, payloads))
  }

  /** Items of a function as they should be asked for: one for each input. Their ids are 1, 2, … */
  async invoke({ cid, manifest }: PublishedFunction, inputs: readonly Value[]): Promise<FrameOf<'invoke'>> {
    const { crypto, random, clock } = this.ports
    const environment = { engine: ENGINE_ID, protocol: 1 as const, limits: manifest.limits }
    const task = { function: cid, export: 'default', environment }
    const items = inputs.map((value, i) => ({
      id: i + 1,
      attempt: 1,
      epoch: 0,
      input: encodeValue(value),
      journal: [],
    }))
    const draw = { commitment: random.bytes(32), candidates: recordCid(crypto, Uint8Array.of(0x80)) }
    const invocations = items.map(({ input }) =>
      Invocation.encode({
        ...{ v: 1, mesh: this.meshId, task: taskIdOf(crypto, { v: 1, ...task, input: rawCid(crypto, input) }) },
        ...{
          invoker: this.peerId,
          home: this.peerId,
          nonce: random.bytes(16),
          deadline_ms: clock.now() + 60_000,
          draw,
          public: false,
        },
      }),
    )
    return { t: 'invoke', task, timeout_ms: 60_000, items, signed: await this.signBatch('invocation', invocations) }
  }

  /** The receipt that is right for item `i` of `invoke` with this outcome. */
  receiptOf({ task: template, items, signed }: InvokeFrame, i: number, outcome: Outcome): Receipt {
    const { crypto } = this.ports
    const { attempt, epoch, input, journal } = items[i] as FrameOf<'invoke'>['items'][number]
    const payload = signed.payloads[i] as Uint8Array
    const invocation = Invocation.decode(payload)
    const outcomeBytes = Outcome.encode(outcome)
    const encoded = receiptBytes(crypto, {
      ...{ mesh: this.meshId, invocation: recordCid(crypto, payload), task: invocation.task, template },
      ...{ inputBytes: input.length, attempt, epoch, executor: this.peerId, home: invocation.home, journal },
      ...{ outcomeBytes, outcome, outcomeCid: recordCid(crypto, outcomeBytes) },
      traceTicks: invocation.trace_ticks,
    })
    return Receipt.decode(encoded)
  }

  /** Answers every item of `invoke` with `outcome`, has its journal signed, and signs for it. */
  async perform(invoke: InvokeFrame, outcome: Outcome): Promise<void> {
    const ids = invoke.items.map(({ id }) => id)
    this.send({ t: 'answers', items: ids.map((id) => ({ id, outcome: Outcome.encode(outcome) })) })
    await this.headsOf(invoke)
    const receipts = ids.map((_, i) => Receipt.encode(this.receiptOf(invoke, i, outcome)))
    this.send({ t: 'receipts', ids, signed: await this.signBatch('receipt', receipts) })
  }

  /** What the home signs for the journals of its items; nothing where none has any entries. */
  async headsOf({ items }: InvokeFrame): Promise<FrameOf<'heads'> | undefined> {
    const journals = items.flatMap(({ id, journal: { length } }) => (length > 0 ? [{ id, length }] : []))
    if (journals.length === 0) return undefined
    return new Promise((resolve) => {
      this.#onHeads = resolve
      this.send({ t: 'journals', items: journals })
    })
  }

  /** The frames of type `t` heard so far. */
  all<T extends PeerFrame['t']>(t: T): FrameOf<T>[] {
    return this.heard.filter((frame): frame is FrameOf<T> => frame.t === t)
  }

  /** The next frame of type `t` that no call of this has returned, others passed over; time passes until it comes. */
  async next<T extends PeerFrame['t']>(t: T): Promise<FrameOf<T>> {
    for (let waited = 0; waited < 1000; waited++) {
      while (this.#read < this.heard.length) {
        const frame = this.heard[this.#read++]
        if (frame?.t === t) return frame as FrameOf<T>
      }
      if (this.closed !== undefined) break
      await this.world.clock.advance(10)
    }
    throw new Error(`no ${t} came; ${this.closed ?? 'the channel is open'}; heard: ${this.heard.map((one) => one.t)}`)
  }

  /** Goes away without a word; at once: also past frames that are still being read. */
  hangUp({ atOnce = false } = {}): void {
    this.#channel?.close(atOnce ? { abort: 'hung up' } : {})
  }

  /** A channel of the blocks protocol to a peer that is connected. */
  openBlocks({ peerId }: Pick<WorldPeer, 'peerId'>): Promise<Channel> {
    return this.world.until(this.ports.network.open(peerId, BLOCKS_PROTOCOL, { frameBytesMax: MIB }))
  }
}

/** A machine of the world, its network started, played by the test. `stranger`: it has no membership to show. */
export const scriptedPeer = async (world: World, { stranger = false } = {}): Promise<ScriptedPeer> => {
  const { peerId, ports } = world.machine()
  await ports.network.start()
  const mesh = stranger ? { genesis: world.genesis, chain: [] } : await world.membershipOf(peerId)
  return new ScriptedPeer(world, ports, peerId, mesh)
}

/** An outcome that returned `value`. */
export const outcomeOf = (value: Value, fuel = 10_000): Outcome => ({
  ...{ v: 1, result: { ok: true, value: encodeValue(value) }, requests: [], console: [] },
  ...{ fuel, memory_bytes: 0 },
})
