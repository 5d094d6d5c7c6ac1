/**
 * The ports: everything a peer needs from the machine it runs on. Each host (node/, browser-agent/, simulations/)
 * supplies them; the core never reaches for an ambient clock, generator, file or socket.
 */

export interface Clock {
  /** Wall-clock instant, in ms since 1970. May jump; use it only for deadlines that cross machines. */
  now(): number
  /** Never goes back, in ms from an arbitrary origin. Use it for round trips and rates. */
  monotonic(): number
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void
}

export interface Random {
  /** Unpredictable bytes. */
  bytes(length: number): Uint8Array
  /** A uniform integer in [0, limit). */
  below(limit: number): number
}

export interface Crypto {
  /** SHA-256, 32 bytes. Synchronous, because pure steps of the core hash. */
  hash(bytes: Uint8Array): Uint8Array
  /** Ed25519: does `signature` (64 bytes) by `publicKey` (32 bytes) cover `bytes`? Never throws. */
  verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** The peer's own key. The private half stays behind the port. */
export interface Signer {
  /** 32 bytes, raw Ed25519. */
  readonly publicKey: Uint8Array
  /** Ed25519, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

export type StorageWrite = { key: string; put: Uint8Array } | { key: string; delete: true }

export interface StorageScan {
  after?: string | undefined
  limit?: number | undefined
}

/** Ordered key-value storage. Keys are ASCII text and sort bytewise. */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  /** One for each key, in their order. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>
  /**
   * All or nothing, and on disk, with all that was written before, when it resolves if `durable`. Of one that throws, all
   * or nothing may have been done; what is read afterwards says which, and stays. Nothing was done where it throws MeshError
   * E_STORAGE with `written: false` among its fields.
   */
  write(writes: readonly StorageWrite[], options?: { durable?: boolean }): Promise<void>
  /** Entries whose key begins with `prefix`, in key order: those behind the key `after`, `limit` of them at most. */
  scan(prefix: string, options?: StorageScan): AsyncIterable<{ key: string; value: Uint8Array }>
  close(): Promise<void>
}

/** An ordered, reliable, authenticated, framed two-way stream to one peer. */
export interface Channel {
  /** The authenticated PeerId of the other side (`12D3KooW…`). */
  readonly peer: string
  readonly protocol: string
  /** True if we opened it. */
  readonly outbound: boolean
  /** Queues one frame. False: the buffer is full; wait for `drained()` before sending more. A closed channel drops it. */
  send(frame: Uint8Array): boolean
  /** Resolves when the buffer has room again, or the channel closed. */
  drained(): Promise<void>
  /**
   * Sets the receivers, once, synchronously when the channel is handed over. Frames come in order, never re-entrantly.
   * While a promise returned by `frame` is pending, no further frame is read (back-pressure).
   * `closed` is called exactly once, whichever side ended it.
   */
  receive(handlers: { frame(frame: Uint8Array): void | Promise<void>; closed(reason: string): void }): void
  /** Frames of up to `frameBytesMax` bytes from now on, both ways: the other side has earned it. */
  allow(frameBytesMax: number): void
  /** Ends the channel: frames already sent are flushed when `abort` is not set. */
  close(options?: { abort?: string }): void
}

export interface Network {
  /** Own PeerId. */
  readonly peerId: string
  /** Own dialable multiaddrs, each ending in /p2p/PEERID. */
  addresses(): string[]
  /** Accepts channels of `protocol` that other peers open. Call before `start`. `frameBytesMax` bounds every frame; a longer one closes the channel. */
  handle(protocol: string, accept: (channel: Channel) => void, options: { frameBytesMax: number }): void
  /** Begins to listen. Throws MeshError E_ADDRESS for an address that cannot be listened on. */
  start(): Promise<void>
  /** Dials a multiaddr and returns the authenticated PeerId found there. Throws MeshError E_UNREACHABLE or E_ADDRESS. */
  connect(address: string, signal?: AbortSignal): Promise<string>
  /** Opens a channel over the existing connection to `peer`. Throws MeshError E_UNREACHABLE or E_PROTOCOL_VERSION. */
  open(peer: string, protocol: string, options: { frameBytesMax: number }, signal?: AbortSignal): Promise<Channel>
  /** Closes every connection to `peer`. */
  disconnect(peer: string): Promise<void>
  stop(): Promise<void>
}

/** Somebody who may be a peer of this mesh. Nothing of it is proven before hands are shaken. */
export interface Sighting {
  peer: string
  addresses: string[]
}

/** Who is on the local network. A host where nobody can be seen, or nobody is to be, has none. */
export interface Vicinity {
  /**
   * Until `stop`: announces `self` under `tag`, a DNS label that only members of the mesh can make, and calls `seen`
   * whenever somebody announces itself under it.
   */
  start(tag: string, self: () => Sighting, seen: (sighting: Sighting) => void): void
  stop(): void
}

/** What a directory asks about peers: it tells nobody anything who is not a member, and asks nobody else. */
export interface DirectoryGate {
  isMember(peer: string): boolean
  /** Shakes hands, so that each side knows whether the other is a member. Rejects if it cannot be reached. */
  introduce(sighting: Sighting): Promise<void>
}

/** Who of a mesh is where, in pieces that its members keep for each other. Records last 10 minutes at most. */
export interface Directory {
  /** Takes part, under the name of the mesh. Call once the network has started. */
  start(mesh: string, gate: DirectoryGate): Promise<void>
  /** A member is in reach, and may keep a piece. */
  add(member: Sighting): void
  /** Records that this peer provides `key` (32 bytes). Resolves once that was told to those who keep the key. */
  provide(key: Uint8Array, signal: AbortSignal): Promise<void>
  /** Peers that provide `key`, each as soon as it is found; some 20 at most of as many as there are. */
  find(key: Uint8Array, signal: AbortSignal): AsyncIterable<Sighting>
  stop(): Promise<void>
}

/** Ways to those whom nobody can dial, such as pages: over peers that carry their bytes, within bounds. */
export interface Relaying {
  /** `isMember`: whom this peer carries, if it does. `moved` is called when others reach this peer elsewhere than before. */
  start(isMember: (peer: string) => boolean, moved: () => void): void
  /** A member is a neighbour now: it may carry for this peer. */
  met(member: string): void
}

export interface SandboxHandlers {
  /** One that was `starting` has come up. */
  up?(): void
  frame(frame: Uint8Array): void
  exited(reason: string): void
}

/** A place of its own (a process, a worker) that runs `sandbox/worker.ts`. */
export interface SandboxProcess {
  /** The engines that it runs. Absent: all that its host has. */
  readonly engines?: readonly string[]
  /** It has not come up yet, and has begun nothing that it was sent. Absent: it comes up at once. */
  readonly starting?: boolean
  /** Frames are whole and in order both ways. One that was sent is still the sender's, and does not change. */
  send(frame: Uint8Array): void
  receive(handlers: SandboxHandlers): void
  /** At once and for good; `exited` follows. */
  kill(): void
}

export interface SandboxHost {
  /** A process that runs `engine`; the newest one of this version, unless given. */
  spawn(engine?: string): SandboxProcess
  /** One that the host has started already, of the newest engine: it is the caller's now. */
  spare?(): SandboxProcess | undefined
  /** `frame` may be sent to many processes, until what it returns is called: they may have it from one place. */
  offer?(frame: Uint8Array): () => void
}

/** Name and value. */
export type Header = readonly [string, string]

/** One HTTP request, as it is sent. */
export interface WebRequest {
  /** http or https, without user and fragment. */
  url: string
  method: string
  /** Names in lower case; none of the connection. */
  headers: readonly Header[]
  body: Uint8Array | null
}

/**
 * What came of a request. `unsent`: nothing of it reached anybody. `lost`: it may have been performed, and no answer came.
 * `unusable`: it was answered, with what is too long, encoded or no HTTP. `reason` is a sentence part.
 */
export type WebAnswer =
  | { kind: 'answered'; status: number; headers: Header[]; body: Uint8Array }
  | { kind: 'unsent' | 'lost' | 'unusable'; reason: string }

/** HTTP from this machine. It asks no proxy, keeps no cookies and follows no redirects. A host that performs no fetch has none. */
export interface Web {
  /** All IP addresses of a name now, or the one that it is; none if there are none. Rejects once aborted. */
  resolve(name: string, signal: AbortSignal): Promise<string[]>
  /**
   * One request over a connection of its own to `address`, and to no other, of whom TLS demands the name in the URL. Never
   * rejects: an aborted one is `unsent` or `lost`. Of an answer it takes up to `bodyBytesMax` bytes.
   */
  exchange(request: WebRequest, address: string, bodyBytesMax: number, signal: AbortSignal): Promise<WebAnswer>
}

/** What the owner lets functions use, and never see. A host that keeps none has no such port. */
export interface Secrets {
  /** Its value: printable ASCII. Undefined if there is none by that name. Throws MeshError E_CONFIG if it cannot be read. */
  read(name: string): Promise<string | undefined>
}

/** The ports of one peer, as its host hands them over. */
export interface Ports {
  clock: Clock
  random: Random
  crypto: Crypto
  signer: Signer
  storage: Storage
  network: Network
  sandboxHost: SandboxHost
  vicinity?: Vicinity | undefined
  /** Peers without one ask others to look up. */
  directory?: Directory | undefined
  /** A peer that anybody can dial, and that carries for nobody, has none. */
  relaying?: Relaying | undefined
  /** Functions whose home is a host without one fetch nothing. */
  web?: Web | undefined
  secrets?: Secrets | undefined
  log: import('./log.ts').Log
}
