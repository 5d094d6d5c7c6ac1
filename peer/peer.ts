/** A peer as its host and the SDK see it. */
import type { CID } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import { BLOCKS_PROTOCOL, BlockFrame } from '../protocol/frames.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import type { BlockStore } from '../registry/block-store.ts'
import { type FunctionBundle, type PublishedFunction, publishFunction } from '../registry/functions.ts'
import type { SandboxPool } from '../sandbox/pool.ts'
import type { Auditor } from './auditor.ts'
import type { CallRequest, CallResult, CallWish, Item, NestedCall } from './calls.ts'
import { isPure, requestOf } from './calls.ts'

import type { Discovery } from './discovery.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Durable } from './durable/durable.ts'
import type { Executor } from './executor.ts'
import type { Expulsion } from './expulsion.ts'
import { ensureReadsOnly } from './grants.ts'
import { PROGRESS_EVERY_MS } from './hedging.ts'
import type { HomeKit } from './home-kit.ts'
import type { Inputs } from './inputs.ts'
import { type Invoker, PEER_WAIT_MS } from './invoker.ts'
import type { Lending } from './lending.ts'
import { LevelledCall } from './levels.ts'
import type { LocalExecutor } from './local.ts'
import { type MapResult, mapCalls } from './map.ts'
import type { Members } from './members.ts'
import type { MembershipOffice } from './membership.ts'
import type { Memo } from './memo.ts'
import { type MeshReport, meshReportOf } from './mesh-report.ts'
import type { NeighbourTable } from './neighbours.ts'
import type { OwnAdvertisement } from './own-advertisement.ts'
import type { PublicProofs } from './public-proofs.ts'
import type { Roster } from './roster.ts'
import type { Runner } from './runner.ts'
import type { Standings } from './standings.ts'
import type { OwnerAccess } from './state/owner-access.ts'
import { isStateful } from './state/stateful-call.ts'
import type { State } from './state/steps.ts'
import { type PeerStatus, statusOf } from './status.ts'
import type { Tally } from './tally.ts'
import type { Usage } from './usage/usage.ts'

export interface PeerParts {
  office: MembershipOffice
  members: Members
  expulsion: Expulsion
  neighbours: NeighbourTable
  roster: Roster
  discovery: Discovery
  store: BlockStore
  memo: Memo
  exchange: BlockExchange
  pool: SandboxPool
  runner: Runner
  lending: Lending
  executor: Executor
  advertisement: OwnAdvertisement
  invoker: Invoker
  local: LocalExecutor
  tally: Tally
  /** Undefined: it keeps no count of others. */
  usage: Usage | undefined
  standings: Standings
  auditor: Auditor
  proofs: PublicProofs
  dispatcher: Dispatcher
  /** Undefined: this peer keeps none. */
  state: (State & { kit: HomeKit }) | undefined
  advertisements: AdvertisementTable
  hearsay(): AdvertisementTable
  taskOf(request: CallRequest, manifest: Manifest): CID
  prepare(request: CallRequest, manifest: Manifest, deadlineMs: number): Item
  nested: NestedCall
}

/** How long `stop` waits for what it hands back to reach its invokers. */
const FLUSH_MS = 200

export class Peer {
  readonly #ports: Ports
  readonly #parts: PeerParts
  readonly #manifests = new Map<string, Manifest>()
  readonly #durable: Durable | undefined
  #stopProgress: (() => void) | undefined
  #resumeTimer: (() => void) | undefined
  #stopped: Promise<void> | undefined

  constructor(ports: Ports, parts: PeerParts) {
    this.#ports = ports
    this.#parts = parts
    this.#durable =
      parts.state &&
      new parts.state.kit.Durable(ports, {
        ...parts.state,
        mesh: parts.office.meshId,
        store: parts.store,
        local: parts.local,
        call: (wish) => this.call(wish),
        manifest: (functionCid) => this.manifest(functionCid),
        prepare: (...begun) => parts.prepare(...begun),
      })
  }

  get peerId(): string {
    return this.#ports.network.peerId
  }

  get meshId(): CID {
    return this.#parts.office.meshId
  }

  addresses(): string[] {
    return this.#ports.network.addresses()
  }

  /** Registers the protocols and starts the network. */
  async start(): Promise<void> {
    const { network } = this.#ports
    const { roster, exchange, lending } = this.#parts
    roster.serve()
    const acceptBlocks: Parameters<typeof network.handle>[1] = (channel) => {
      if (lending.sharesBlocks(channel.peer)) return exchange.accept(channel)
      channel.receive({ frame: () => {}, closed: () => {} })
      channel.close({ abort: 'shake hands first' })
    }
    network.handle(BLOCKS_PROTOCOL, acceptBlocks, { frameBytesMax: BlockFrame.bytesMax })
    if (this.#durable) this.#parts.state?.kit.serveCallers(this.#ports, this.#parts, this.#durable)
    await network.start()
    this.#parts.pool.takeSpare()
    this.#parts.discovery.start()
    this.#reportProgress()
    await this.#durable?.open()
  }

  /** Resolves once there is a neighbour. Throws MeshError E_UNREACHABLE if none can be expected, or came by `signal`. */
  async meetSomebody(signal: AbortSignal): Promise<void> {
    const { discovery, neighbours } = this.#parts
    const late = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    if (discovery.hasHope) await Promise.race([discovery.met, late])
    if (neighbours.size > 0) return
    throw new MeshError(
      'E_UNREACHABLE',
      'no peer of the mesh was found, neither on this network nor where it was before',
    )
  }

  /** This machine is on other networks now: neighbours are told, and asked whether they are still there. */
  moved(): void {
    this.#parts.advertisement.moved()
    this.#parts.roster.checkAll()
  }

  /** Connects to the peer at a multiaddr, now and again whenever it is lost. Throws if the first dial fails. */
  join(address: string, signal?: AbortSignal): Promise<string> {
    return this.#parts.roster.join(address, signal)
  }

  /**
   * A ticket to this mesh, as text; with `own` one that makes its bearer a machine of the same owner. Throws MeshError
   * E_NOT_ADMITTED where this peer may not invite, E_USAGE where there are no such machines, or for so long none.
   */
  invite(lifeMs: number, own = false): Promise<string> {
    return this.#parts.office.invite(this.addresses(), lifeMs, own)
  }

  /**
   * Puts a peer out of the mesh, for good. Throws MeshError E_USAGE for one that this peer may not revoke, E_NOT_ADMITTED
   * once it is out itself, or E_STORAGE.
   */
  revoke(peer: string): Promise<void> {
    return this.#parts.expulsion.revoke(peer)
  }

  mesh(): MeshReport {
    return meshReportOf(this.peerId, this.#parts)
  }

  async publish(bundle: FunctionBundle): Promise<PublishedFunction> {
    const published = await publishFunction(this.#ports.crypto, this.#parts.store, bundle)
    this.#remember(published.cid, published.manifest)
    return published
  }

  /** The function's description, fetched from neighbours if it is not here. Throws MeshError E_BLOCK_MISSING. */
  async manifest(functionCid: CID, signal?: AbortSignal): Promise<Manifest> {
    const known = this.#manifests.get(functionCid.toString())
    if (known) return known
    const sources = this.#parts.neighbours.all().map(({ peer }) => peer)
    const { manifest } = await this.#parts.runner.load(functionCid, sources, signal)
    this.#remember(functionCid, manifest)
    return manifest
  }

  /** Performs one call at its level. Outcomes are results, errors of the function included; all else is thrown. */
  async call(wish: CallWish): Promise<CallResult> {
    const { clock } = this.#ports
    const deadlineMs = clock.monotonic() + wish.timeoutMs
    const stopWaiting = this.#sayWhatItWaitsFor(wish)
    try {
      const known = this.#manifests.get(wish.function.toString())
      const manifest = known ?? (await this.#manifestBy(deadlineMs, wish))
      ensureExport(manifest, wish.export)
      const request = requestOf(wish, manifest)
      const found = this.#remembered(request, manifest)
      const remembered = found && (await found)
      if (remembered) return remembered
      return await this.#perform(request, manifest, deadlineMs)
    } finally {
      stopWaiting?.()
    }
  }

  /** What a function calls. Receipts are wanted of the outermost call only. */
  async nested(...[request, parent]: Parameters<NestedCall>): ReturnType<NestedCall> {
    if (parent !== undefined) return this.durable.nested(request, parent)
    return (await this.call({ ...request, fresh: false })).outcome
  }

  /** The same call for each input: one result for each, in their order unless `unordered`, in lists of what is ready. */
  map(request: Omit<CallWish, 'input'>, inputs: Inputs<Uint8Array>, unordered: boolean): AsyncGenerator<MapResult[]> {
    const functionId = request.function.toString()
    return mapCalls(inputs, {
      call: (input) => this.call({ ...request, input }),
      capacity: () => this.#parts.invoker.capacity(functionId),
      unordered,
    })
  }

  /** Invocations that outlast whoever began them. Throws MeshError E_NO_HOME where no state is kept. */
  get durable(): Durable {
    if (this.#durable) return this.#durable
    throw new MeshError('E_NO_HOME', 'nothing durable is kept here; start an agent: wayside up')
  }

  /** The state that this peer keeps, for its owner. Throws MeshError E_NO_HOME where it keeps none. */
  get state(): OwnerAccess {
    const { state } = this.#parts
    if (state) return new state.kit.OwnerAccess(this.#ports, state.engine)
    throw new MeshError('E_NO_HOME', 'no state is kept here; start an agent: wayside up')
  }

  /** Blocks of the store, for receipts that carry what they name. */
  block(cid: CID): Promise<Uint8Array | undefined> {
    return this.#parts.store.get(cid)
  }

  status(): PeerStatus {
    return statusOf(this.#ports, this.#parts)
  }

  /** Refuses new work for `durationMs`, or until `resume`; what runs goes on. */
  pause(durationMs = Number.POSITIVE_INFINITY): void {
    this.#parts.lending.pausedUntilMs = this.#ports.clock.now() + durationMs
    this.#resumeTimer?.()
    if (Number.isFinite(durationMs)) this.#resumeTimer = this.#ports.clock.after(durationMs, () => this.resume())
    this.#ports.log.event('agent.paused')
    this.#parts.advertisement.changed()
  }

  /** The owner wants the machine now: pauses until `resume`, and gives back what is under way. */
  withdraw(): void {
    this.pause()
    this.#parts.executor.handBack('E_PAUSED')
  }

  resume(): void {
    this.#resumeTimer?.()
    this.#parts.lending.pausedUntilMs = 0
    this.#ports.log.event('agent.resumed')
    this.#parts.advertisement.changed()
  }

  /** Lends so many sandboxes from now on; one over the number ends when it has finished what it computes. */
  resize(slots: number): void {
    const { lending, pool, advertisement } = this.#parts
    lending.resize(slots)
    pool.resize(Math.max(1, slots))
    advertisement.changed()
  }

  /** Refuses new work, gives back what is under way, and leaves nothing running. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const { lending, executor, invoker, advertisement, roster, exchange, pool, tally, memo, auditor, standings } =
      this.#parts
    const gaveUp = this.#durable?.stop()
    await this.#parts.discovery.stop()
    this.#parts.proofs.stop()
    lending.stopping = true
    this.#stopProgress?.()
    this.#resumeTimer?.()
    invoker.stop()
    auditor.stop()
    executor.handBack('E_STOPPING')
    advertisement.changed()
    await new Promise<void>((resolve) => this.#ports.clock.after(FLUSH_MS, resolve))
    advertisement.stop()
    roster.stop()
    exchange.stop()
    await pool.stop()
    await this.#ports.network.stop()
    await tally.save()
    await standings.save()
    await this.#parts.usage?.stop()
    await memo.close()
    await gaveUp
    await this.#parts.state?.engine.close()
    await this.#ports.storage.close()
  }

  /** What an earlier call that was verified at this one's level, or above, came to. Pure functions come to nothing else. */
  #remembered(request: CallRequest, manifest: Manifest): Promise<CallResult | undefined> | undefined {
    const { remote, fresh, signal, level } = request
    if (remote || fresh || signal?.aborted || !isPure(manifest)) return undefined
    const { memo, taskOf } = this.#parts
    return memo.find(taskOf(request, manifest), level)?.then((outcome) => {
      if (!outcome) return undefined
      const verification = { by: 'memo', independence: 'none', verifiers: 0 } as const
      const nobody = { performed: [], local: false, memo: true, executions: 0, recovered: 0, disputes: [] }
      return { outcome, level, verification, ...nobody }
    })
  }

  /** A nested call that has no ID of its own is part of its caller's step. */
  async #perform(request: CallRequest, manifest: Manifest, deadlineMs: number): Promise<CallResult> {
    const { local } = this.#parts
    const perform = (one: CallRequest) =>
      new LevelledCall(this.#ports, this.#parts, one, manifest, deadlineMs)
        .run()
        .finally(() => local.rehearsals?.forget(one))
    if (request.depth > 0 && request.id === undefined) {
      const result = await perform(request)
      ensureReadsOnly(result.outcome)
      return result
    }
    if (!isStateful(manifest) && !request.durable) return perform(request)
    const { state } = this.#parts
    if (state) return new state.kit.StatefulCall(this.#ports, { state, perform }, request, manifest, deadlineMs).run()
    const message =
      'the function reads or changes something that a home keeps, and this peer is none; start an agent: wayside up'
    throw new MeshError('E_NO_HOME', message)
  }

  async #manifestBy(deadlineMs: number, request: CallWish): Promise<Manifest> {
    const { clock } = this.#ports
    const late = new AbortController()
    const cancel = clock.after(deadlineMs - clock.monotonic(), () => late.abort())
    const { signal = late.signal } = request
    try {
      return await this.manifest(request.function, AbortSignal.any([signal, late.signal]))
    } catch (cause) {
      if (!late.signal.aborted) throw cause
      const message = `the function ${request.function} was not found within ${request.timeoutMs} ms; allow more with --timeout`
      throw new MeshError('E_TIMEOUT', message, { cause })
    } finally {
      cancel()
    }
  }

  #reportProgress(): void {
    this.#stopProgress = this.#ports.clock.after(PROGRESS_EVERY_MS, () => {
      this.#parts.executor.reportProgress()
      this.#reportProgress()
    })
  }

  #remember(cid: CID, manifest: Manifest): void {
    this.#manifests.set(cid.toString(), manifest)
    if (this.#manifests.size > 1024) this.#manifests.delete(this.#manifests.keys().next().value as string)
  }

  #sayWhatItWaitsFor(request: CallWish): (() => void) | undefined {
    const { onWait } = request
    if (!onWait) return undefined
    return this.#ports.clock.after(PEER_WAIT_MS, () => {
      const { size } = this.#parts.neighbours
      onWait(
        size === 0
          ? 'waiting for a peer'
          : `waiting for an answer; ${size} ${size === 1 ? 'peer is' : 'peers are'} in reach`,
      )
    })
  }
}

const ensureExport = (manifest: Manifest, name: string) => {
  if (manifest.exports.includes(name)) return
  const message = `the function has no export ${name}; it has ${manifest.exports.join(', ')}`
  throw new MeshError('E_EXPORT_UNKNOWN', { message, exports: manifest.exports })
}
