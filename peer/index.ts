/**
 * The architecture of a peer. Each part is one file; this one only introduces them to each other.
 *
 *   roster ── links to neighbours ──► frames ──► executor (what others ask of us) ──► runner ──► sandbox, registry
 *                                        └────► dispatcher (what we ask of others) ◄── invoker ◄── levels ◄── call, map
 */
import type { CID } from '../protocol/cid.ts'
import { BLOCKS_PROTOCOL, BlockFrame, type PeerFrame } from '../protocol/frames.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { EFFECT_KINDS } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { createAdvertisementTable } from '../registry/advertisements.ts'
import { createBlockExchange } from '../registry/block-exchange.ts'
import { openBlockStore } from '../registry/block-store.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { candidatesCid, prepareItem } from './calls.ts'
import { Dispatcher } from './dispatcher.ts'
import { Executor } from './executor.ts'
import { createExperience } from './experience.ts'
import { PROTOCOLS } from './handshake.ts'
import { Invoker } from './invoker.ts'
import { Lending } from './lending.ts'
import { LocalExecutor } from './local.ts'
import { MembershipOffice, type MeshState } from './membership.ts'
import { createNeighbourTable, type Neighbour } from './neighbours.ts'
import { OwnAdvertisement } from './own-advertisement.ts'
import { accepts, type OwnerPolicy } from './owner-policy.ts'
import { Peer, type PeerParts } from './peer.ts'
import { Roster } from './roster.ts'
import { createRunner } from './runner.ts'
import { Tally } from './tally.ts'

export interface PeerOptions {
  mesh: MeshState
  policy: OwnerPolicy
  /** Identifies the exact sandbox build that `ports.sandboxHost` runs. */
  engine: string
  /** Most bytes of blocks kept. */
  diskBytes: number
  /** A sandbox process that has had nothing to do for this long ends. */
  sandboxIdleMs: number
}

/** Builds a peer on its ports; `start` connects it. The same everywhere. */
export const createPeer = async (ports: Ports, options: PeerOptions): Promise<Peer> => {
  const { clock, log, network } = ports
  const office = new MembershipOffice(ports, options.mesh, options.policy.accept.includes('anyone'))
  const mesh = office.meshId
  const neighbours = createNeighbourTable()
  const experience = createExperience()
  const advertisements = createAdvertisementTable(ports, { mesh, limit: NEIGHBOURS_MAX })
  const tally = new Tally(ports)
  await tally.load()

  const store = await openBlockStore(ports, { budgetBytes: options.diskBytes })
  const exchange = createBlockExchange(ports, {
    store,
    open: (peer) => network.open(peer, BLOCKS_PROTOCOL, { frameBytesMax: BlockFrame.bytesMax }),
    misbehaved: (peer, code, reason) => log.event('peer.misbehaved', { peer, code, reason }),
  })
  // Without a slot of its own a peer could not verify at `self`.
  const pool = createSandboxPool(ports, { slots: Math.max(1, options.policy.slots), idleMs: options.sandboxIdleMs })
  const runner = createRunner(exchange, pool)

  const lending = new Lending(clock, neighbours, options, tally)
  const executor = new Executor(ports, mesh, runner, lending, {
    changed: () => advertisement.changed(),
    answered: (item, outcome) => lending.answered(item, outcome),
    refused: (neighbour, code, message) => lending.refused(neighbour, code, message),
  })
  lending.executor = executor
  const advertisement = new OwnAdvertisement(
    ports,
    mesh,
    () => ({ protocols: PROTOCOLS, engines: [options.engine], effects: [...EFFECT_KINDS], ...lending.offer() }),
    (signed) => {
      for (const { link } of neighbours.all()) link.send({ t: 'advertise', signed })
    },
  )

  const roster = new Roster(ports, office, neighbours, {
    joined: async ({ link }) => {
      link.send({ t: 'advertise', signed: await advertisement.sign() })
      link.send({ t: 'peers', signed: advertisements.signed() })
    },
    left: (neighbour, reason) => {
      executor.onLeft(neighbour)
      dispatcher.onLeft(neighbour, reason)
      invoker.serveWaiting()
    },
    frame: (neighbour, frame) => onFrame(neighbour, frame),
  })
  const dispatcher = new Dispatcher(ports, mesh)
  const nested: ConstructorParameters<typeof LocalExecutor>[3] = async (request) => (await peer.call(request)).outcome
  const invoker = new Invoker(ports, { neighbours, dispatcher, experience }, nested, () => roster.expecting)
  const local = new LocalExecutor(ports, mesh, runner, nested)

  const onAdvertise = async (neighbour: Neighbour, frame: Extract<PeerFrame, { t: 'advertise' }>) => {
    const accepted = await advertisements.accept(frame.signed)
    if (accepted?.peer !== neighbour.peer) return
    neighbour.advertisement = accepted
    invoker.serveWaiting()
  }

  const onPeers = async (frame: Extract<PeerFrame, { t: 'peers' }>) => {
    for (const signed of frame.signed) {
      const accepted = await advertisements.accept(signed)
      if (accepted) roster.meet(accepted.peer, accepted.addresses)
    }
  }

  const onFrame = (neighbour: Neighbour, frame: PeerFrame): void | Promise<void> => {
    switch (frame.t) {
      case 'invoke':
        return executor.onInvoke(neighbour, frame)
      case 'cancel':
        return executor.onCancel(neighbour, frame)
      case 'answer':
        return executor.onAnswer(neighbour, frame)
      case 'advertise':
        return onAdvertise(neighbour, frame)
      case 'peers':
        return onPeers(frame)
      default:
        return dispatcher.onFrame(neighbour, frame)
    }
  }

  let candidates: { version: number; list: string[]; cid: CID } | undefined
  const candidatesNow = () => {
    if (candidates?.version !== neighbours.version) {
      const list = neighbours.all().flatMap(({ peer, member }) => (member ? [peer] : []))
      list.sort()
      candidates = { version: neighbours.version, list, cid: candidatesCid(ports.crypto, list) }
    }
    return candidates
  }

  const parts: PeerParts = {
    office,
    neighbours,
    roster,
    store,
    exchange,
    pool,
    runner,
    lending,
    executor,
    advertisement,
    invoker,
    local,
    tally,
    prepare: (request, manifest) =>
      prepareItem(
        ports,
        { mesh, engine: options.engine, self: network.peerId, candidates: candidatesNow() },
        manifest,
        request,
      ),
    servesBlocksTo: (peer) => {
      const neighbour = neighbours.get(peer)
      return neighbour !== undefined && (neighbour.member || accepts(options.policy, network.peerId, peer, false))
    },
  }
  const peer = new Peer(ports, parts)
  return peer
}
