/**
 * The architecture of a peer. Each part is one file; this one only introduces them to each other.
 *
 *   discovery ──► roster
 *   neighbours ◄─ roster ─► reception ─► executor ─► runner ─► sandbox pool, block exchange     what others ask of us
 *                               └──────► dispatcher ◄─ invoker ◄─ levels ◄─ call, map           what we ask of others
 *                                                                   └─► memo ◄─┘                what we know already
 */

import type { EffectKind } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import { BLOCKS_PROTOCOL, BlockFrame } from '../protocol/frames.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { createAdvertisementTable } from '../registry/advertisements.ts'
import { createBlockExchange } from '../registry/block-exchange.ts'
import { openBlockStore } from '../registry/block-store.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { Auditor } from './auditor.ts'
import { createNaming, type Item, type NestedCall, prepareItem } from './calls.ts'
import { Discovery } from './discovery.ts'
import { Dispatcher } from './dispatcher.ts'
import { createEffects } from './effects/effects.ts'
import { Executor } from './executor.ts'
import { createExperience } from './experience.ts'
import { Expulsion } from './expulsion.ts'
import { PROTOCOLS } from './handshake.ts'
import { Home } from './home.ts'
import type { HomeKit } from './home-kit.ts'
import { Images } from './images.ts'
import { Invoker } from './invoker.ts'
import { Lending } from './lending.ts'
import { LocalExecutor } from './local.ts'
import { Members } from './members.ts'
import { MembershipOffice, type MeshState } from './membership.ts'
import { Memo, memoBytes } from './memo.ts'
import { NeighbourTable } from './neighbours.ts'
import { OwnAdvertisement } from './own-advertisement.ts'
import type { OwnerPolicy } from './owner-policy.ts'
import { Peer, type PeerParts } from './peer.ts'
import { PublicProofs } from './public-proofs.ts'
import { Reception } from './reception.ts'
import { Roster } from './roster.ts'
import { createRunner } from './runner.ts'
import { Standings } from './standings.ts'
import type { StateEngine } from './state/engine.ts'
import type { Homes } from './state/homes.ts'
import { Tally } from './tally.ts'

export interface PeerOptions {
  mesh: MeshState
  policy: OwnerPolicy
  /** Engine IDs of all that `ports.sandboxHost` runs; of those of one tier, what is called here runs on the first. */
  engines: readonly string[]
  /** Kinds of effect that functions run here may request. */
  effects: readonly EffectKind[]
  /** Most bytes kept: blocks, and outcomes in the memo. */
  diskBytes: number
  /** A sandbox process that has had nothing to do for this long ends. */
  sandboxIdleMs: number
  /** Keeps an encoded ReceiptFile by which `peer` was convicted. */
  keepProof?: (peer: string, file: Uint8Array) => void
  /** Where the state of functions called here is kept; closed with the peer. Undefined: it is no home of any. */
  state?: { engine: StateEngine; homes?: Homes; kit: HomeKit } | undefined
  /** Most neighbours at a time, up to 64. */
  places: number
}

/** Builds a peer on its ports; `start` connects it. The same everywhere. */
export const createPeer = async (ports: Ports, options: PeerOptions): Promise<Peer> => {
  // Parts refer to each other through this record, which is whole before anything runs.
  const parts = {} as PeerParts
  parts.office = new MembershipOffice(ports, options.mesh, options.policy)
  parts.members = new Members(ports)
  await Promise.all([parts.office.load(), parts.members.load()])
  parts.expulsion = new Expulsion(ports, parts)
  parts.standings = new Standings(ports, (peer) => parts.expulsion.answeringFor(peer))
  await parts.standings.load()
  parts.neighbours = new NeighbourTable(ports, parts.standings)
  const told = { mesh: parts.office.meshId, limit: NEIGHBOURS_MAX }
  parts.advertisements = createAdvertisementTable(ports, told)
  parts.hearsay = () => createAdvertisementTable(ports, { ...told, wants: (one) => parts.roster.wants(one) })
  await addRegistry(ports, options, parts)
  await addLending(ports, options, parts)
  addCalling(ports, options, parts)
  parts.roster = new Roster(ports, parts, options.places, new Reception(ports, parts))
  parts.discovery = new Discovery(ports, parts, options.engines)
  const peer = new Peer(ports, parts)
  parts.nested = (...made) => peer.nested(...made)
  return peer
}

const addRegistry = async (ports: Ports, options: PeerOptions, parts: PeerParts): Promise<void> => {
  const { log, network } = ports
  const budgetBytes = memoBytes(options.diskBytes)
  parts.memo = new Memo(ports, { budgetBytes })
  parts.store = await openBlockStore(ports, { budgetBytes: options.diskBytes - budgetBytes })
  parts.exchange = createBlockExchange(ports, {
    store: parts.store,
    open: (peer) => {
      // It could ask for blocks on what we open.
      if (!parts.lending.sharesBlocks(peer)) throw new MeshError('E_UNREACHABLE', `${peer} is no neighbour`)
      return network.open(peer, BLOCKS_PROTOCOL, { frameBytesMax: BlockFrame.bytesMax })
    },
    misbehaved: (peer, code, reason) => log.event('peer.misbehaved', { peer, code, reason }),
  })
}

/** What others may ask of us. */
const addLending = async (ports: Ports, options: PeerOptions, parts: PeerParts): Promise<void> => {
  const mesh = parts.office.meshId
  // Without a slot of its own a peer could not verify at `self`.
  const images = new Images(ports, parts.store, options.engines)
  parts.pool = createSandboxPool(ports, {
    slots: Math.max(1, options.policy.slots),
    idleMs: options.sandboxIdleMs,
    imaged: images.made,
  })
  parts.runner = createRunner(parts.exchange, parts.pool, images, options.state?.kit.putsIn(ports, parts.store))
  parts.tally = new Tally(ports)
  await parts.tally.load()
  parts.usage = await options.state?.kit.openUsage(ports, mesh, parts)
  parts.lending = new Lending(ports, parts, options)
  const resuming = options.state && new options.state.kit.Resuming(ports, parts.exchange)
  parts.executor = new Executor(ports, mesh, parts.runner, parts.lending, resuming, {
    changed: () => parts.advertisement.changed(),
    answered: (item, outcome, bytes) => parts.lending.answered(item, outcome, bytes),
    cancelled: (item) => parts.lending.cancelled(item),
    dropped: (item) => parts.lending.dropped(item),
    refused: (party, code, message) => parts.lending.refused(party, code, message),
    twoHeads: (two) => parts.proofs.tellContradiction(two),
  })
  const offer = () => ({ protocols: PROTOCOLS, ...parts.lending.offer() })
  const standing = () => ({ neighbours: parts.neighbours.size, coordinate: parts.roster.coordinate })
  const own = { offer, load: () => parts.lending.load(), standing }
  parts.advertisement = new OwnAdvertisement(ports, mesh, own, parts.neighbours)
}

/** What we ask of others. */
const addCalling = (ports: Ports, options: PeerOptions, parts: PeerParts): void => {
  const mesh = parts.office.meshId
  const nested: NestedCall = (...made) => parts.nested(...made)
  parts.dispatcher = new Dispatcher(ports, mesh, (peer, execution) => parts.usage?.got(peer, execution))
  const { neighbours, dispatcher, tally } = parts
  const views = { neighbours, dispatcher, tally, experience: createExperience() }
  const effects = createEffects(ports, nested, options.state?.kit)
  parts.local = new LocalExecutor(ports, mesh, parts.runner, effects, options.state?.kit)
  const homes = (item: Item) => new Home(item, effects, parts.local.rehearsals)
  const expecting = (engine: string) => parts.discovery.seeks(engine) || parts.roster.expecting
  parts.invoker = new Invoker(ports, views, homes, expecting)
  const nameOf = createNaming(ports, options.engines)
  parts.taskOf = (request, manifest) => nameOf(request, manifest).task
  parts.prepare = (request, manifest, deadlineMs) => {
    const candidates = parts.neighbours.candidates()
    const preparation = { mesh, named: nameOf(request, manifest), self: ports.network.peerId, candidates }
    return prepareItem(ports, preparation, manifest, request, deadlineMs)
  }
  const { state } = options
  parts.state = state && { ...state, ...state.kit.stateOn(ports, parts, state.engine, state.homes) }
  parts.auditor = new Auditor(ports, parts)
  parts.proofs = new PublicProofs(ports, parts, options)
}
