/**
 * Some of the peers of a real mesh, in one process: real TCP, Noise and Yamux on loopback, delays between their hosts, and
 * tasks that wait. Argument: a MeshPart, in JSON. If the first of the mesh is among them, it says where that is; told where it
 * is, all others start one after another and join there; told when to begin, they call and are called, and it says what came
 * of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../node/clock.ts'
import { createCrypto, createSigner } from '../node/crypto.ts'
import { systemRandom } from '../node/random.ts'
import { solitaryNetwork } from '../node/solitary-network.ts'
import { createPeer } from '../peer/index.ts'
import { foundMesh } from '../peer/join.ts'
import { createLibp2pNetwork } from '../peer/network/libp2p.ts'
import type { Peer } from '../peer/peer.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { Log } from '../protocol/log.ts'
import type { Signer } from '../protocol/ports.ts'
import { createCostModelHost } from '../simulations/cost-model.ts'
import { type Counts, countsBetween, MessageCounts } from '../simulations/message-counts.ts'
import { deriveSeed, seededRandom } from '../simulations/random.ts'
import type { Arrival } from '../simulations/routing-oracle.ts'
import { isRight, performArrivals, publishModel } from '../simulations/routing-scenario.ts'
import { countedSpan, settingOf, type Trial } from '../simulations/trial.ts'
import { type Founder, membershipBy, openState, peerOptionsOf } from '../simulations/world.ts'
import { delayedTcp } from './delayed-tcp.ts'

export interface MeshPart {
  trial: Trial
  /** Numbers of its peers. */
  from: number
  to: number
}

/** Instants, ms. */
export type MeshOrder = { join: string; startMs: number } | { beginMs: number }

export interface PartReport {
  /** Of each job that one of its peers asked for, by id. */
  took: { id: number; ms: number }[]
  /** Answers that are not what the function gives, or none. */
  wrong: number
  sent: Counts
  /** While counted jobs arrived, as `sent`. */
  cpuMs: number
  neighbours: number[]
  /** Of each pair: half of what a round trip took beyond the distance. */
  hopMs: number[]
}

/** Until what is counted at the last job has been. */
const SPARE_MS = 100
const LATE: readonly ErrorCode[] = ['E_UNREACHABLE', 'E_TIMEOUT', 'E_BUSY']
const YEAR_MS = 365 * 24 * 60 * 60 * 1000

const { trial, from, to } = JSON.parse(process.argv[2] ?? '') as MeshPart
const setting = settingOf(trial)
const crypto = createCrypto()
const counts = new MessageCounts()
const log: Log = {
  event: (name, fields) => {
    if (name === 'internal.error') console.error(name, fields)
  },
}

const signerOf = (i: number): Signer => createSigner(seededRandom(deriveSeed(trial.seed, `peer ${i}`)).bytes(32))

const idOf = (i: number): string => peerIdFromPublicKey(signerOf(i).publicKey)
const numberOf = new Map(Array.from({ length: trial.peers }, (_, i) => [idOf(i), i]))

/** Every process knows the keys of all, and lets in its own. */
const founder = (): Founder => {
  const [signer, peerId] = [signerOf(0), idOf(0)]
  const ports = { random: seededRandom(deriveSeed(trial.seed, 'mesh')), network: solitaryNetwork(peerId) }
  return { signer, peerId, mesh: foundMesh(ports, 'trial', { admission: 'private', independence: 'peer' }) }
}

const hostOf = (i: number): string => `127.1.${i >> 8}.${i & 255}`
const numberAt = (host: string): number => {
  const [, , high = 0, low = 0] = host.split('.').map(Number)
  return 256 * high + low
}

const startPeer = async (i: number): Promise<Peer> => {
  const signer = signerOf(i)
  const network = await createLibp2pNetwork({
    ...{ signer, clock: systemClock, log, listen: [`/ip4/${hostOf(i)}/tcp/0`] },
    transports: [delayedTcp(hostOf(i), (host) => setting.delayMs(i, numberAt(host)))],
  })
  const storage = createMemoryStorage()
  const ports = counts.over({
    ...{ clock: systemClock, random: systemRandom, crypto, signer, storage, network, log },
    sandboxHost: createCostModelHost(systemClock, () => setting.speedOf(i)),
  })
  const mesh = await membershipBy(crypto, founder(), network.peerId, Date.now() + YEAR_MS)
  const peer = await createPeer(ports, peerOptionsOf({ policy: { slots: 1 } }, mesh, await openState(storage)))
  await peer.start()
  return peer
}

const cpuMsNow = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const numbers = Array.from({ length: to - from }, (_, k) => from + k)
const peers: Peer[] = []
if (from === 0) peers[0] = await startPeer(0)

const peerOf = (i: number): Peer => peers[i - from] as Peer

/** On a machine that is busy the first may be long in answering: then it is asked again. */
const joinAt = async (peer: Peer, address: string): Promise<void> => {
  try {
    await peer.join(address)
  } catch (cause) {
    if (!(cause instanceof MeshError) || !LATE.includes(cause.code)) throw cause
    await joinAt(peer, address)
  }
}

/** In the order of their numbers, over the whole mesh. Each is told of the others by the first. */
const startAndJoin = async (address: string, startMs: number): Promise<void> => {
  const begin = async (i: number) => {
    await sleep(startMs + (i * trial.startingMs) / trial.peers - Date.now())
    const peer = await startPeer(i)
    peers[i - from] = peer
    await joinAt(peer, address)
  }
  await Promise.all(numbers.filter((i) => i > 0).map(begin))
}

const perform = async (beginMs: number): Promise<PartReport> => {
  const model = await publishModel(peers)
  const waitMs = beginMs - Date.now()
  const { fromMs, toMs } = countedSpan(setting)
  const report: Pick<PartReport, 'sent' | 'cpuMs'> = { sent: {}, cpuMs: 0 }
  systemClock.after(waitMs + fromMs, () => {
    const [sent, cpuMs] = [counts.sent, cpuMsNow()]
    systemClock.after(toMs - fromMs, () => {
      report.sent = countsBetween(sent, counts.sent)
      report.cpuMs = cpuMsNow() - cpuMs
    })
  })
  const own = setting.arrivals.filter(({ invoker }) => from <= invoker && invoker < to)
  const arrivals = own.map((job) => ({ ...job, atMs: job.atMs + waitMs }))
  const answered = await performArrivals(systemClock, peerOf, model, arrivals)
  await sleep(Math.max(0, beginMs + toMs + SPARE_MS - Date.now()))
  const known = peers.map((peer) => peer.status().neighbours)
  return {
    ...report,
    took: answered.map(({ tookMs }, k) => ({ id: (own[k] as Arrival).id, ms: tookMs })),
    wrong: answered.filter(({ result }, k) => !isRight(own[k] as Arrival, result)).length,
    neighbours: known.map(({ length }) => length),
    hopMs: known.flatMap((theirs, k) =>
      theirs.map(
        ({ peer, round_trip_ms }) => round_trip_ms / 2 - setting.delayMs(from + k, numberOf.get(peer) as number),
      ),
    ),
  }
}

const obey = (order: MeshOrder) => ('join' in order ? startAndJoin(order.join, order.startMs) : perform(order.beginMs))

process.on('message', async (order) => {
  process.send?.((await obey(JSON.parse(order as string))) ?? null)
})
process.send?.(peers[0]?.addresses()[0] ?? null)
