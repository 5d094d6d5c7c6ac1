/** A home that has many tasks done at `audit`, by executors some of which lie in concert. */
import type { CallResult } from '../peer/calls.ts'
import { inputsOf } from '../peer/inputs.ts'
import type { LogEventName, LogFields } from '../protocol/log.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Clock, Ports } from '../protocol/ports.ts'
import { decodeValue } from '../protocol/values.ts'
import { lyingWhen } from './adversaries.ts'
import { booksOf, checkLeft, leftAt } from './checkers/quiet.ts'
import { checkLent } from './checkers/usage.ts'
import { createCostModelHost, MODEL_FUNCTION, modelInput, modelResult } from './cost-model.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { createWorld, type Machine, type PeerSetup, type World, type WorldPeer } from './world.ts'

export interface AuditScenario {
  machine: Machine
  /** 32 bits. */
  seed: number
  /** The home, which lends nothing, included. */
  peers: number
  /** All distinct. */
  tasks: number
  /** How many of the peers collude: they know of which tasks to lie, and tell the same lie. */
  colluders: number
  /** The share of those tasks. Each colluder behaves while all its receipts are checked, also when that begins anew. */
  lieRate: number
  /** One way, between peers by their ids; 10 ms unless it says otherwise. */
  latencyMs?(from: string, to: string): number
  /** Listens to each peer through its ports. */
  ports?(ports: Ports): Ports
}

/** Times are those of the world. */
export interface ResultSeen {
  id: number
  atMs: number
  executions: number
  isWrong: boolean
  /** When a later check found that it is wrong. */
  correctedMs?: number
}

export interface AuditReport {
  results: number
  executions: number
  /** Wrong when they were released; of these, those that no later check has found. */
  wrongAccepted: number
  wrongAfterRecheck: number
  colluders: number
  colludersExpelled: number
  honestExpelled: number
  /** In the order in which they were released. */
  seen: readonly ResultSeen[]
  expelled: readonly { atMs: number; colludes: boolean }[]
  /** What each peer, 0 is the home, has computed: until when, and for how long. */
  runs: readonly { peer: number; atMs: number; ms: number }[]
  /** What must not be once all is quiet, in words. */
  violations: readonly string[]
  /** Of all peers, the home first. */
  peerIds: readonly string[]
  beganMs: number
  /** When nothing was left to release, to find wrong, or to expel. */
  endedMs: number
}

/** A short task: while the first verdict on a liar is awaited, it has time for many. */
const TASK_MS = 20
const LATENCY_MS = 10
const TIMEOUT_MS = 60_000
/** Re-checks go on when the last task is done. */
const RECHECK_MS = 60_000

/** Spreads results evenly over [0, 1), for all colluders alike. */
export const shareOf = (result: number): number => (Math.imul(result ^ (result >>> 16), 0x45d9f3b) >>> 0) / 2 ** 32

const resultIn = ({ result }: Outcome): number => (result.ok ? (decodeValue(result.value) as number) : Number.NaN)

interface Heard {
  runs: { peer: number; atMs: number; ms: number }[]
  /** Of what the home logs. */
  events: { atMs: number; name: LogEventName; fields: LogFields }[]
}

/** Logs as before, and tells `heard` when. */
const overheard = (ports: Ports, { events }: Heard): Ports => ({
  ...ports,
  log: {
    event: (name, fields = {}) => {
      if (name === 'call.corrected' || name === 'peer.expelled')
        events.push({ atMs: ports.clock.monotonic(), name, fields })
      ports.log.event(name, fields)
    },
  },
})

const setupOf = (scenario: AuditScenario, i: number, world: World, heard: Heard): PeerSetup => {
  const { colluders, lieRate, ports = (honest) => honest } = scenario
  const hostOf = (clock: Clock) =>
    createCostModelHost(clock, undefined, (_, ms) => heard.runs.push({ peer: i, ms, atMs: clock.monotonic() }))
  if (i === 0)
    return {
      policy: { slots: 0 },
      ports: (honest) => ports(overheard(honest, heard)),
      sandboxHost: (_, clock) => hostOf(clock),
    }
  const isTrusted = () => {
    const [home, peer] = [world.peers[0] as WorldPeer, world.peers[i] as WorldPeer]
    const known = home.peer.status().neighbours.find((one) => one.peer === peer.peerId)
    return known?.trust.state === 'trusted'
  }
  const lies = (outcome: Uint8Array) => shareOf(resultIn(Outcome.decode(outcome))) < lieRate && isTrusted()
  return {
    ports,
    sandboxHost: (_, clock) => {
      const host = hostOf(clock)
      return i <= colluders ? lyingWhen(host, lies) : host
    },
  }
}

function* inputsUpTo(tasks: number): Generator<Uint8Array> {
  for (let id = 0; id < tasks; id++) yield modelInput({ id, ms: TASK_MS })
}

/** `take` is called with each result as it is released. */
const performAll = async (
  { peer }: WorldPeer,
  tasks: number,
  take: (id: number, result: CallResult) => void,
): Promise<void> => {
  const { cid } = await peer.publish(MODEL_FUNCTION)
  const level = { level: 'audit' } as const
  const request = { function: cid, export: 'default', level, timeoutMs: TIMEOUT_MS, remote: true, depth: 0 }
  for await (const ready of peer.map(request, inputsOf(inputsUpTo(tasks)), true)) {
    for (const one of ready) {
      if ('error' in one) throw one.error
      take(one.index, one.result)
    }
  }
}

const twice = (seen: readonly ResultSeen[]): string[] => {
  const more = seen.length - new Set(seen.map(({ id }) => id)).size
  return more === 0 ? [] : [`${more} tasks were answered twice`]
}

/** The same scenario gives the same report. */
export const runAuditScenario = async (scenario: AuditScenario): Promise<AuditReport> => {
  const { seed, peers, tasks, colluders, latencyMs = () => LATENCY_MS } = scenario
  const heard: Heard = { runs: [], events: [] }
  const world = await createWorld({
    ...{ machine: withKeyedHashes(scenario.machine), seed, peers, latencyMs },
    setup: (i, whole) => setupOf(scenario, i, whole, heard),
    keepsEvent: () => false,
  })
  const { clock } = world
  const seen: ResultSeen[] = []
  const released = new Map<string, ResultSeen>()
  const beganMs = clock.monotonic()
  const performed = performAll(world.peers[0] as WorldPeer, tasks, (id, { outcome, executions, performed }) => {
    const isWrong = resultIn(outcome) !== modelResult(id)
    const one: ResultSeen = { id, atMs: clock.monotonic(), executions, isWrong }
    seen.push(one)
    released.set(String(performed[0]?.item.task), one)
  })
  await world.until(performed)
  await clock.advance(RECHECK_MS)
  for (const { name, atMs, fields } of heard.events) {
    const one = name === 'call.corrected' ? released.get(String(fields.task)) : undefined
    if (one) one.correctedMs ??= atMs
  }
  const bad = new Set(world.peers.slice(1, 1 + colluders).map(({ peerId }) => peerId))
  const expelled = heard.events
    .filter(({ name }) => name === 'peer.expelled')
    .map(({ atMs, fields }) => ({ atMs, colludes: bad.has(String(fields.peer)) }))
  const colludersExpelled = expelled.filter(({ colludes }) => colludes).length
  const wrong = seen.filter(({ isWrong }) => isWrong)
  const left = world.peers.map((one, i) => ({ peer: i, ...leftAt(one) }))
  const report: AuditReport = {
    ...{ results: seen.length, executions: seen.reduce((sum, one) => sum + one.executions, 0) },
    ...{ wrongAccepted: wrong.length, colluders, colludersExpelled },
    wrongAfterRecheck: wrong.filter(({ correctedMs }) => correctedMs === undefined).length,
    honestExpelled: expelled.length - colludersExpelled,
    ...{
      seen,
      expelled,
      runs: heard.runs,
      violations: [...twice(seen), ...checkLeft(left), ...checkLent(booksOf(world.peers))],
      peerIds: world.peers.map(({ peerId }) => peerId),
      beganMs,
      endedMs: Math.max(...[...seen, ...heard.events].map(({ atMs }) => atMs)),
    },
  }
  await world.stop()
  return report
}
