/** Runs a short world: its calls are made and its faults befall it, until all is quiet. */
import { inputsOf } from '../../peer/inputs.ts'
import { keepTrying } from '../../peer/join.ts'
import type { MapResult } from '../../peer/map.ts'
import type { StateEngine } from '../../peer/state/engine.ts'
import type { CID } from '../../protocol/cid.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type FrameOf, PeerFrame } from '../../protocol/frames.ts'
import type { LogEventName } from '../../protocol/log.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Channel, Clock, Network, Ports, Storage } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { delegated, withChannels, withFrames, withNetwork } from '../channels.ts'
import { booksOf, leftAt } from '../checkers/quiet.ts'
import { modelInput } from '../cost-model.ts'
import { ForgetfulDisk } from '../forgetful-storage.ts'
import { withKeyedHashes } from '../keyed-hash.ts'
import { Overheard } from '../overheard.ts'
import type { ProgramEvents } from '../programs.ts'
import { deriveSeed, seededRandom } from '../random.ts'
import { createWorld, type Machine, type PeerSetup, type World, type WorldPeer } from '../world.ts'
import { COMPUTE, ERRAND, ERRAND_GRANTS, MOVE, MOVE_GRANTS, NAMESPACE } from './functions.ts'
import { setupOf } from './peers.ts'
import { type Asked, FAULTS_END_MS, type Fault, PATIENT_MS, type Plan } from './plan.ts'
import type { Called, Entries, Errand, Left, Record, Shown, Told } from './record.ts'
import { Till } from './till.ts'

/** A mistake in the product, for a test of the checkers. */
export interface Planted {
  ports?(ports: Ports, peer: number): Ports
  /** In the state of the first peer. */
  state?(engine: StateEngine): StateEngine
  /** In what a map hands over. */
  results?(ready: MapResult[]): MapResult[]
}

export interface ShortWorldOptions {
  machine: Machine
  plan: Plan
  planted?: Planted
  /** Is told each frame as it arrives, and when; changes nothing. */
  heard?(frame: Uint8Array, atMs: number): void
}

const STEP_MS = 100
/** In which whatever is left over ends: re-checks, probes, waits; and, where a connection was dead and nobody told, the 45 s until that shows and the next dial. */
const QUIET_MS = 8000
const QUIET_AFTER_LOSS_MS = 120_000
/** Nothing takes longer than its timeout and this. */
const OVERDUE_MS = 60_000
const KEPT_EVENTS: readonly LogEventName[] = [
  ...(['internal.error', 'peer.left', 'peer.misbehaved', 'peer.expelled', 'storage.failed'] as const),
]
/** How each `verdict` begins behind its first byte: no other frame is read, for there are many. */
const VERDICT = new TextEncoder().encode('atgverdict')
const FNV_PRIME = 0x01000193

class ShortWorld {
  readonly #plan: Plan
  readonly #results: (ready: MapResult[]) => MapResult[]
  readonly #listener: (frame: Uint8Array, atMs: number) => void
  readonly #setups: PeerSetup[]
  readonly #called: Called[] = []
  readonly #gone = new Set<number>()
  readonly #secrets: Shown[] = []
  readonly #errandRuns: Errand[] = []
  readonly #errandRests: Errand[] = []
  readonly #revoked = new Set<number>()
  readonly #broken = new Map<number, number>()
  readonly #till = new Till()
  /** Of those that came back, until they join no more. */
  readonly #lives = new Map<number, AbortController>()
  /** Ends the disk of each peer's life. */
  readonly #cutOff: (() => void)[] = []
  #world: World | undefined
  /** Of those who were suspended, until when. */
  readonly #stillUntilMs = new Map<number, number>()
  #functions: CID[] = []
  #lateMs = 0
  #runningMax = 0
  #runs = 0
  #hash = 0x811c9dc5

  constructor({ plan, planted = {}, heard = () => {} }: ShortWorldOptions) {
    this.#listener = heard
    this.#plan = plan
    this.#results = planted.results ?? ((ready) => ready)
    const overheard = new Overheard()
    this.#setups = plan.kinds.map((_, i): PeerSetup => {
      const disk = this.#diskOf(i)
      const isBroken = () => (this.#broken.get(i) ?? 0) > 0
      const seen = { ran: () => this.#runs++, runs: (clock: Clock) => this.#runsSeen(i, clock) }
      const setup = setupOf(plan, i, { overheard, till: this.#till, isBroken, ...seen, disk })
      const ports = (honest: Ports) => {
        const drawn = setup.ports?.(honest) ?? honest
        return this.#heard(this.#placed(planted.ports?.(drawn, i) ?? drawn), i)
      }
      return { ...setup, ports, ...(planted.state && { keeping: planted.state }) }
    })
  }

  /** One that forgets, when it is cut off, what was not synced. */
  #diskOf(i: number): () => Storage {
    const disk = new ForgetfulDisk()
    const random = seededRandom(deriveSeed(this.#plan.seed, `disk ${i}`))
    return () => {
      const { storage, cutOff } = disk.start({ random, cut: () => {} })
      this.#cutOff[i] = cutOff
      return storage
    }
  }

  async run(machine: Machine): Promise<Record> {
    const { seed, kinds, latencyMs } = this.#plan
    this.#world = await createWorld({
      ...{ machine: withKeyedHashes(machine), seed, peers: kinds.length },
      latencyMs: () => latencyMs + this.#lateMs,
      setup: (i) => this.#setups[i] as PeerSetup,
      keepsEvent: (name) => KEPT_EVENTS.includes(name),
    })
    const { clock, peers } = this.#world
    const beganMs = clock.monotonic()
    for (const { peer } of peers.slice(0, 2))
      this.#functions = await Promise.all([COMPUTE, MOVE, ERRAND].map(async (one) => (await peer.publish(one)).cid))
    const names = peers.map(({ peerId }) => peerId)
    for (const asked of this.#plan.calls) clock.after(asked.atMs, () => void this.#call(asked))
    for (const fault of this.#plan.faults) clock.after(fault.atMs, () => void this.#strike(fault))
    const overMs = clock.monotonic() + FAULTS_END_MS + PATIENT_MS + OVERDUE_MS
    const lastMs = Math.max(...[...this.#plan.calls, ...this.#plan.faults].map(endOf)) + clock.monotonic()
    while (clock.monotonic() < overMs && (clock.monotonic() <= lastMs || !this.#isDone)) await this.#step()
    const hasLoss = this.#plan.faults.some(({ kind }) => kind === 'lose')
    await clock.advance(hasLoss ? QUIET_AFTER_LOSS_MS : QUIET_MS)
    const record: Record = {
      ...{ plan: this.#plan, names, called: this.#called, entries: await this.#entries(), paid: this.#till.times() },
      ...{
        left: this.#left(),
        books: booksOf(this.#theWorld.peers.filter((_, i) => !this.#gone.has(i))),
        ...{ secrets: this.#secrets, errandRuns: this.#errandRuns, errandRests: this.#errandRests },
        revoked: this.#revoked,
        runningMax: this.#runningMax,
        runs: this.#runs,
        timers: clock.pending,
        hash: this.#hash,
        beganMs,
      },
    }
    await this.#world.stop()
    return record
  }

  get #isDone(): boolean {
    return this.#called.every(({ endedMs, callerDied }) => endedMs !== undefined || callerDied)
  }

  get #theWorld(): World {
    return this.#world as World
  }

  #peer(i: number): WorldPeer {
    return this.#theWorld.peers[i] as WorldPeer
  }

  async #step(): Promise<void> {
    await this.#theWorld.clock.advance(STEP_MS)
    for (const [i, { peer }] of this.#theWorld.peers.entries())
      if (!this.#gone.has(i)) this.#runningMax = Math.max(this.#runningMax, peer.status().running.length)
  }

  async #call(asked: Asked): Promise<void> {
    const { clock } = this.#theWorld
    const { by, level, timeoutMs, what } = asked
    if (this.#gone.has(by)) return
    const called: Called = { asked, beganMs: clock.monotonic(), told: [], callerDied: false, callerStoodUntilMs: 0 }
    called.callerStoodUntilMs = this.#stillUntilMs.get(by) ?? 0
    this.#called.push(called)
    const { peer } = this.#peer(by)
    const fixed = { level, timeoutMs, remote: true, depth: 0, public: asked.public }
    if ('map' in what) {
      const inputs = Array.from({ length: what.map }, (_, i) => modelInput({ id: taskId(asked, i), ms: 0 }))
      const request = { ...fixed, function: this.#functions[0] as CID, export: 'default' }
      for await (const ready of peer.map(request, inputsOf(inputs), true))
        for (const one of this.#results(ready)) this.#tell(called, one)
      called.endedMs = clock.monotonic()
      return
    }
    const input = encodeValue([asked.number, ...what.move])
    if (what.durable) {
      const errand = { function: this.#functions[2] as CID, export: 'errand', input, grants: ERRAND_GRANTS }
      const begun = await peer.durable.start({ ...fixed, ...errand }).catch((error: MeshError) => error)
      if (typeof begun !== 'string') return this.#ended(called, { error: begun })
      called.id = begun
      return this.#awaitErrand(called)
    }
    const move = { function: this.#functions[1] as CID, export: 'move', input, grants: MOVE_GRANTS }
    await peer.call({ ...fixed, ...move }).then(
      (result) => this.#ended(called, { result }),
      (error: MeshError) => this.#ended(called, { error }),
    )
  }

  #tell(called: Called, one: Omit<Told, 'atMs'>): void {
    called.told.push({ ...one, atMs: this.#theWorld.clock.monotonic() })
  }

  #ended(called: Called, one: Pick<Told, 'result' | 'error' | 'done'>): void {
    this.#tell(called, { index: 0, ...one })
    called.endedMs = this.#theWorld.clock.monotonic()
  }

  /** Its home may end before it does: then it is asked again when that is back. */
  async #awaitErrand(called: Called): Promise<void> {
    const { peer } = this.#peer(called.asked.by)
    const { durable } = peer
    const end = await durable.wait(called.id as string).catch((error: MeshError) => error)
    if ('state' in end) {
      const { result } = end.outcome ? Outcome.decode(end.outcome) : {}
      if (result?.ok) return this.#ended(called, { done: decodeValue(result.value) })
      return this.#ended(called, { error: end.error ?? new MeshError('E_INTERNAL', `it ended ${end.state}`) })
    }
    this.#ended(called, { error: end })
  }

  #after(ms: number, run: () => void): void {
    this.#theWorld.clock.after(ms, run)
  }

  async #strike(fault: Fault): Promise<void> {
    const world = this.#theWorld
    const { peer: i } = fault
    if (this.#gone.has(i)) return
    const one = this.#peer(i)
    if (fault.kind === 'kill' || fault.kind === 'leave' || fault.kind === 'revoke') this.#lives.get(i)?.abort()
    switch (fault.kind) {
      case 'kill':
        this.#gone.add(i)
        for (const called of this.#called)
          if (called.asked.by === i && called.endedMs === undefined) called.callerDied = true
        world.kill(one)
        this.#cutOff[i]?.()
        return this.#after(fault.forMs, () => void this.#revive(i, one))
      case 'leave':
        this.#gone.add(i)
        return one.peer.stop()
      case 'revoke':
        if (this.#gone.has(0)) return
        return this.#peer(0)
          .peer.revoke(one.peerId)
          .then(
            () => void this.#revoked.add(i),
            // Its disk fails.
            () => {},
          )
      case 'suspend':
        return this.#suspend(i, one, fault.forMs)
      case 'partition':
        return this.#after(fault.forMs, world.hub.partition(one.peerId, this.#peer(fault.other).peerId))
      case 'lose':
        return world.hub.move(one.peerId, one.peerId)
      case 'skew':
        return world.setWallClock(one, fault.aheadMs)
      case 'late':
        this.#lateMs += fault.lateMs
        return this.#after(fault.forMs, () => {
          this.#lateMs -= fault.lateMs
        })
      case 'disk':
        this.#broken.set(i, (this.#broken.get(i) ?? 0) + 1)
        return this.#after(fault.forMs, () => this.#broken.set(i, (this.#broken.get(i) as number) - 1))
    }
  }

  /** One that stands still already does so as long as it was to. */
  #suspend(i: number, one: WorldPeer, forMs: number): void {
    const { clock } = this.#theWorld
    if ((this.#stillUntilMs.get(i) ?? 0) > clock.monotonic()) return
    const untilMs = clock.monotonic() + forMs
    this.#stillUntilMs.set(i, untilMs)
    for (const called of this.#called) if (called.asked.by === i) called.callerStoodUntilMs = untilMs
    const wake = this.#theWorld.suspend(one)
    this.#after(forMs, wake)
  }

  async #revive(i: number, dead: WorldPeer): Promise<void> {
    const { peer } = await this.#theWorld.restart(dead, this.#setups[i])
    this.#gone.delete(i)
    for (const called of this.#called)
      if (called.asked.by === i && called.callerDied && called.id !== undefined && called.endedMs === undefined) {
        called.callerDied = false
        void this.#awaitErrand(called)
      }
    const life = new AbortController()
    this.#lives.set(i, life)
    const joins = async () => {
      const inviter = this.#theWorld.peers.find((_, j) => j !== i && !this.#gone.has(j))
      if (!inviter) throw new MeshError('E_NO_PEER', 'nobody is there to join')
      await peer.join(inviter.address)
    }
    // As an agent does that is given an address.
    keepTrying(joins, this.#theWorld.clock, life.signal)
  }

  async #entries(): Promise<Entries> {
    const { state } = this.#peer(0)
    const { entries } = await state.list({ namespace: NAMESPACE, prefix: '', limit: 1000 }, await state.revision())
    return new Map(
      entries.map(({ key, value, version }) => [key, { value: decodeValue(value as Uint8Array) as number, version }]),
    )
  }

  #left(): Left[] {
    const names = this.#theWorld.peers.map(({ peerId }) => peerId)
    return this.#theWorld.peers.flatMap(({ peer, events }, i): Left[] => {
      if (this.#gone.has(i)) return []
      const { neighbours } = peer.status()
      const trust = new Map(
        neighbours.map(({ peer: other, trust: { state, caught }, round_trip_ms: roundTripMs }) => [
          names.indexOf(other),
          { state, caught, roundTripMs },
        ]),
      )
      return [{ peer: i, ...leftAt({ peer }), trust, events }]
    })
  }

  /** Where it is: whom it cannot dial, and whether it tells others of each other. */
  #placed(ports: Ports): Ports {
    const { natted, isSecluded } = this.#plan
    const told = isSecluded
      ? withFrames(ports, { sent: (frame) => [frame.t === 'peers' ? { ...frame, signed: [] } : frame] })
      : ports
    if (natted === undefined) return told
    const connect: Network['connect'] = (address, signal) => {
      const hidden = this.#world?.peers[natted]?.peerId
      if (hidden === undefined || !address.includes(hidden)) return told.network.connect(address, signal)
      return Promise.reject(new MeshError('E_UNREACHABLE', { message: `${address} is behind a NAT`, address }))
    }
    return withNetwork(told, { connect })
  }

  /** Of errands, but at their home: what that runs, it runs to verify. */
  #runsSeen(peer: number, clock: Clock): ProgramEvents {
    const note = (errands: Errand[]) => (name: string, input: Value, answers: number) => {
      const number = name === 'errand' && peer !== 0 ? (input as number[])[0] : undefined
      if (number !== undefined) errands.push({ peer, number, answers, atMs: clock.monotonic() })
    }
    return { began: note(this.#errandRuns), rested: note(this.#errandRests) }
  }

  #shown({ crypto }: Ports, peer: number, { invocation, secret }: FrameOf<'verdict'>): void {
    this.#secrets.push({ peer, invocation, commitment: crypto.hash(secret) })
  }

  /** Adds what peer `i` hears to the hash, and tells it to whoever listens. */
  #heard(ports: Ports, i: number): Ports {
    const hash = (bytes: Uint8Array) => {
      let sum = Math.imul(this.#hash ^ i, FNV_PRIME) ^ Math.floor(ports.clock.monotonic() * 1024)
      for (const byte of bytes) sum = Math.imul(sum ^ byte, FNV_PRIME)
      this.#hash = sum >>> 0
    }
    const listen = (channel: Channel): Channel => ({
      ...delegated(channel),
      receive: ({ frame, closed }) =>
        channel.receive({
          closed,
          frame: (bytes) => {
            hash(bytes)
            if (isVerdict(bytes)) this.#shown(ports, i, PeerFrame.decode(bytes) as FrameOf<'verdict'>)
            this.#listener(bytes, ports.clock.monotonic())
            return frame(bytes)
          },
        }),
    })
    return withChannels(ports, listen)
  }
}

const isVerdict = (frame: Uint8Array): boolean => VERDICT.every((byte, i) => frame[1 + i] === byte)

const endOf = (one: Asked | Fault): number => one.atMs + ('forMs' in one ? one.forMs : 0)

/** No two tasks of a world are the same. */
export const taskId = ({ number }: Asked, index: number): number => 100 * number + index

/** The same record for the same plan. */
export const runShortWorld = (options: ShortWorldOptions): Promise<Record> =>
  new ShortWorld(options).run(options.machine)
