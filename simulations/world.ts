/** A world: the real peer, many times over in one process, on a clock and a chance of its own. */

import { QUOTA_DEFAULT } from '../peer/admission.ts'
import { homeKit } from '../peer/home-kit.ts'
import { createPeer, type PeerOptions } from '../peer/index.ts'
import { foundMesh } from '../peer/join.ts'
import type { MeshState } from '../peer/membership.ts'
import { createMemoryNetwork, type MemoryHub } from '../peer/network/memory.ts'
import type { OwnerPolicy } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import type { StateEngine } from '../peer/state/engine.ts'
import type { Homes } from '../peer/state/homes.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { EFFECT_KINDS, type EffectKind } from '../protocol/effects.ts'
import { signBatch } from '../protocol/envelope.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { MIB, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { LogEventName, LogFields } from '../protocol/log.ts'
import { type Genesis, Membership, meshIdOf } from '../protocol/mesh.ts'
import type {
  Clock,
  Crypto,
  Ports,
  Random,
  SandboxHost,
  Secrets,
  Signer,
  Storage,
  Vicinity,
  Web,
} from '../protocol/ports.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { FakeClock } from './clock.ts'
import type { DirectoryHub } from './directory.ts'
import { deriveSeed, seededRandom } from './random.ts'
import { createInlineSandboxHost } from './sandbox-host.ts'

/** What a world takes from the machine it runs on: nothing that differs between two runs. */
export interface Machine {
  crypto: Crypto
  createSigner(privateKey: Uint8Array): Signer
  /** The engine's binary. */
  wasm: WebAssembly.Module
}

export interface WorldOptions {
  machine: Machine
  /** 32 bits; all chance comes from it. */
  seed: number
  /** How many are there from the beginning, each joined to the first, who founded the mesh. */
  peers: number
  policy?: Partial<Genesis['policy']>
  /** What is special about peer `i`. `world`: to look at when it acts, not before it is whole. */
  setup?(i: number, world: World): PeerSetup
  /** One way; default 0. */
  latencyMs?(from: string, to: string): number
  /** Default: that of the machine, which takes no time. */
  crypto?(honest: Crypto, clock: Clock): Crypto
  /** Default: all. A large world logs millions. */
  keepsEvent?(name: LogEventName): boolean
}

export interface PeerSetup {
  /** Two slots for the mesh, 256 MiB a task, unless given. */
  policy?: Partial<OwnerPolicy>
  engines?: readonly string[]
  /** All there are, unless given. */
  effects?: readonly EffectKind[]
  /** 64, unless given. */
  places?: number
  /** On its own storage, unless given. */
  state?: StateEngine
  /** Gets the engine on its own storage, and returns the one to use. */
  keeping?(engine: StateEngine): StateEngine
  /** Those that share it. */
  homes?: Homes
  /** It is no home of anything, and carries nothing that only homes need. */
  isPage?: boolean
  /** Gets the honest host, and returns the one to use. */
  sandboxHost?(host: SandboxHost, clock: Clock): SandboxHost
  /** Default: a member of the world's mesh. */
  mesh?: MeshState
  /** Gets the ports that it would have, and returns those to use. */
  ports?(ports: Ports): Ports
  /** What it fetches with as a home. Default: nothing. */
  web?: Web
  secrets?: Secrets
  /** Its place on a local network. Default: it is on none. */
  vicinity?: Vicinity
  /** Default: it carries none. */
  directory?: DirectoryHub
}

export interface WorldMachine {
  readonly peerId: string
  readonly ports: Ports
  /** What it has written, which a restart finds. */
  readonly kept: Storage
  /** What was logged on it. */
  readonly events: { name: LogEventName; fields: LogFields }[]
}

export interface WorldPeer extends WorldMachine {
  readonly peer: Peer
  readonly address: string
  /** What it keeps for functions. */
  readonly state: StateEngine
}

/** Long enough for any test, short enough to end one that hangs. */
const UNTIL_MS_MAX = 10 * 60_000
const STEP_MS = 5
const YEAR_MS = 365 * 24 * 60 * 60 * 1000

const POLICY: OwnerPolicy = { accept: ['mesh'], deny: [], slots: 2, memoryBytes: 256 * MIB, quota: QUOTA_DEFAULT }

/** What a peer keeps for functions. */
export const openState = (storage: Storage): Promise<StateEngine> =>
  openStorageEngine({
    storage,
    quotaOf: () => ({ keys: 1_000_000, bytes: 64 * MIB }),
    damaged: (what) => {
      throw new Error(what)
    },
  })

/** What a peer of a world is: a member by `mesh` that keeps what functions keep in `engine`. */
export const peerOptionsOf = (setup: PeerSetup, mesh: MeshState, engine: StateEngine): PeerOptions => ({
  mesh,
  policy: { ...POLICY, ...setup.policy },
  engines: setup.engines ?? ENGINES,
  diskBytes: 64 * MIB,
  sandboxIdleMs: 30_000,
  effects: setup.effects ?? EFFECT_KINDS,
  places: setup.places ?? NEIGHBOURS_MAX,
  ...(!setup.isPage && { state: { engine, ...(setup.homes && { homes: setup.homes }), kit: homeKit } }),
})

/** Who founded a mesh, and may let others in. */
export interface Founder {
  signer: Signer
  peerId: string
  mesh: MeshState
}

/** That of a member whom the founder lets in until `expires_ms`; of the founder its own. */
export const membershipBy = async (
  crypto: Crypto,
  { signer, peerId: operator, mesh }: Founder,
  peer: string,
  expires_ms: number,
): Promise<MeshState> => {
  if (peer === operator) return mesh
  const record = { v: 1 as const, mesh: meshIdOf(crypto, mesh.genesis), peer, expires_ms, own: false }
  const chain = await signBatch(crypto, signer, operator, 'membership', [Membership.encode(record)])
  return { genesis: mesh.genesis, chain }
}

/** One run of a peer on a machine: what was begun in it does nothing more once it has ended. */
interface Life {
  hasEnded: boolean
}

/** Of one life: what comes after its end is neither written nor answered. */
const mortal = (storage: Storage, life: Life): Storage => {
  const unlessEnded = <T>(work: () => Promise<T>): Promise<T> =>
    life.hasEnded ? new Promise<T>(() => {}) : work().then((done) => (life.hasEnded ? new Promise<T>(() => {}) : done))
  return {
    get: (key) => unlessEnded(() => storage.get(key)),
    getMany: (keys) => unlessEnded(() => storage.getMany(keys)),
    write: (writes, options) => unlessEnded(() => storage.write(writes, options)),
    scan: (...range) => storage.scan(...range),
    // The disk is still there for the next life.
    close: async () => {},
  }
}

export class World {
  readonly clock = new FakeClock()
  readonly hub: MemoryHub
  readonly peers: WorldPeer[] = []
  readonly #options: WorldOptions
  /** Of each machine that was ever there, what runs on it now or ran last. */
  readonly #lives = new Map<string, Life>()
  /** What the suspended would have done meanwhile. */
  readonly #asleep = new Map<string, Set<() => void>>()
  /** How far wall clocks are ahead, ms. */
  readonly #ahead = new Map<string, number>()
  #founder: Founder | undefined
  #born = 0

  constructor(options: WorldOptions) {
    this.#options = options
    const { latencyMs } = options
    this.hub = createMemoryNetwork({ clock: this.clock, ...(latencyMs ? { latencyMs } : {}) })
  }

  get genesis(): Genesis {
    return this.#theFounder.mesh.genesis
  }

  /** The ports of one more machine, whose network is not started. */
  machine(setup: PeerSetup = {}): WorldMachine {
    const { machine, seed } = this.#options
    const random = seededRandom(deriveSeed(seed, `peer ${this.#born++}`))
    return this.#bear(setup, machine.createSigner(random.bytes(32)), random, createMemoryStorage())
  }

  #bear(setup: PeerSetup, signer: Signer, random: Random, kept: Storage): WorldMachine {
    const { machine, crypto, keepsEvent = () => true } = this.#options
    const peerId = peerIdFromPublicKey(signer.publicKey)
    const events: WorldMachine['events'] = []
    const log = {
      event: (name: LogEventName, fields: LogFields = {}) => {
        if (keepsEvent(name)) events.push({ name, fields })
      },
    }
    const life = { hasEnded: false }
    this.#lives.set(peerId, life)
    const clock = this.#clockOf(peerId, life)
    const network = this.hub.join(peerId, { log })
    const honest = createInlineSandboxHost(clock, machine)
    const ports: Ports = {
      ...{ clock, random, signer, log },
      crypto: crypto?.(machine.crypto, clock) ?? machine.crypto,
      storage: mortal(kept, life),
      network,
      vicinity: setup.vicinity,
      web: setup.web,
      secrets: setup.secrets,
      directory: setup.directory?.join(() => ({ peer: peerId, addresses: network.addresses() })),
      sandboxHost: setup.sandboxHost?.(honest, clock) ?? honest,
    }
    return { peerId, ports: setup.ports?.(ports) ?? ports, events, kept }
  }

  /** One more peer, started and not joined. */
  async add(setup: PeerSetup = {}, machine: WorldMachine = this.machine(setup)): Promise<WorldPeer> {
    const { peerId, ports } = machine
    this.#founder ??= { signer: ports.signer, peerId, mesh: this.#found(ports) }
    const state = setup.state ?? (await this.#stateOf(setup, ports.storage))
    const mesh = setup.mesh ?? (await this.membershipOf(peerId))
    const peer = await createPeer(ports, peerOptionsOf(setup, mesh, state))
    await peer.start()
    const born = { ...machine, peer, state, address: peer.addresses()[0] as string }
    this.peers.push(born)
    return born
  }

  async #stateOf({ keeping }: PeerSetup, storage: Storage): Promise<StateEngine> {
    const engine = await openState(storage)
    return keeping?.(engine) ?? engine
  }

  /** That of a member whom the founder let in for `lifeMs`. */
  async membershipOf(peerId: string, lifeMs = YEAR_MS): Promise<MeshState> {
    return membershipBy(this.#options.machine.crypto, this.#theFounder, peerId, this.clock.now() + lifeMs)
  }

  /** Lets time pass until `promise` settles, at most 10 minutes. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    const endMs = this.clock.monotonic() + UNTIL_MS_MAX
    await this.clock.advance(0)
    while (!settled) {
      if (this.clock.monotonic() > endMs) throw new Error(`nothing came of it in ${UNTIL_MS_MAX} ms of the world`)
      await this.clock.advance(STEP_MS)
    }
    return promise
  }

  /** As SIGKILL, or a lid that closes: it hears, says and does nothing more. */
  kill({ peerId }: WorldPeer): void {
    this.#lifeOf(peerId).hasEnded = true
    this.hub.kill(peerId)
  }

  /** One that was killed is started again, on what it had written, or on `kept`; it takes its place in `peers`. */
  async restart(dead: WorldPeer, setup: PeerSetup = {}, kept: Storage = dead.kept): Promise<WorldPeer> {
    const random = seededRandom(deriveSeed(this.#options.seed, `peer ${this.#born++}`))
    const machine = this.#bear(setup, dead.ports.signer, random, kept)
    const reborn = await this.add(setup, machine)
    this.peers.pop()
    this.peers[this.peers.indexOf(dead)] = reborn
    return reborn
  }

  /**
   * As SIGSTOP: it hears, says and does nothing while the clock goes on. What it returns is SIGCONT: timers that came due
   * ring at once, before anything that was sent meanwhile is read.
   */
  suspend({ peerId }: Pick<WorldPeer, 'peerId'>): () => void {
    const due = new Set<() => void>()
    this.#asleep.set(peerId, due)
    const heal = this.hub.isolate(peerId)
    return () => {
      this.#asleep.delete(peerId)
      for (const ring of due) ring()
      heal()
    }
  }

  /** Sets its wall clock; the monotonic one is not touched. */
  setWallClock({ peerId }: Pick<WorldPeer, 'peerId'>, aheadMs: number): void {
    this.#ahead.set(peerId, aheadMs)
  }

  async stop(): Promise<void> {
    const living = this.peers.filter(({ peerId }) => !this.#lifeOf(peerId).hasEnded)
    await this.until(Promise.all(living.map(({ peer }) => peer.stop())))
  }

  get #theFounder() {
    if (!this.#founder) throw new Error('a world without peers has no mesh')
    return this.#founder
  }

  #lifeOf(peerId: string): Life {
    return this.#lives.get(peerId) as Life
  }

  #found(ports: Ports): MeshState {
    return foundMesh(ports, 'world', { admission: 'private', independence: 'peer', ...this.#options.policy })
  }

  /** The timers of the dead do not ring. */
  #clockOf(peerId: string, life: Life): Clock {
    const { clock } = this
    return {
      now: () => clock.now() + (this.#ahead.get(peerId) ?? 0),
      monotonic: () => clock.monotonic(),
      after: (delayMs, run) => this.#after(peerId, life, delayMs, run),
    }
  }

  #after(peerId: string, life: Life, delayMs: number, run: () => void): () => void {
    const ring = () => {
      const due = this.#asleep.get(peerId)
      if (due) due.add(ring)
      else if (!life.hasEnded) run()
    }
    const cancel = this.clock.after(delayMs, ring)
    return () => {
      cancel()
      this.#asleep.get(peerId)?.delete(ring)
    }
  }
}

/** The peers of `options`, each joined to the first and acquainted with the others. */
export const createWorld = async (options: WorldOptions): Promise<World> => {
  const world = new World(options)
  for (let i = 0; i < options.peers; i++) await world.add(options.setup?.(i, world))
  const [first, ...others] = world.peers
  await world.until(Promise.all(others.map(({ peer }) => peer.join(first?.address as string))))
  // The others are told of each other by the first, and dial.
  await world.clock.advance(1000)
  return world
}
