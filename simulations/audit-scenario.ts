/** A home that has many tasks done at `audit`, by executors some of which lie in concert. */
import type { CallResult } from '../peer/calls.ts'
import { inputsOf } from '../peer/inputs.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue } from '../protocol/values.ts'
import { lyingWhen } from './adversaries.ts'
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

const setupOf = ({ colluders, lieRate }: AuditScenario, i: number, world: World): PeerSetup => {
  if (i === 0) return { policy: { slots: 0 }, sandboxHost: (_, clock) => createCostModelHost(clock) }
  const isTrusted = () => {
    const [home, peer] = [world.peers[0] as WorldPeer, world.peers[i] as WorldPeer]
    const known = home.peer.status().neighbours.find((one) => one.peer === peer.peerId)
    return known?.trust.state === 'trusted'
  }
  const lies = (outcome: Uint8Array) => shareOf(resultIn(Outcome.decode(outcome))) < lieRate && isTrusted()
  return {
    sandboxHost: (_, clock) => {
      const host = createCostModelHost(clock)
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

/** The same scenario gives the same report. */
export const runAuditScenario = async (scenario: AuditScenario): Promise<AuditReport> => {
  const { seed, peers, tasks, colluders } = scenario
  const world = await createWorld({
    ...{ machine: withKeyedHashes(scenario.machine), seed, peers, latencyMs: () => LATENCY_MS },
    setup: (i, whole) => setupOf(scenario, i, whole),
    keepsEvent: (name) => name === 'call.corrected' || name === 'peer.expelled',
  })
  const home = world.peers[0] as WorldPeer
  const wrong = new Set<string>()
  let [results, executions] = [0, 0]
  const performed = performAll(home, tasks, (id, result) => {
    results++
    executions += result.executions
    if (resultIn(result.outcome) !== modelResult(id)) wrong.add(String(result.performed[0]?.item.task))
  })
  await world.until(performed)
  await world.clock.advance(RECHECK_MS)
  const eventsOf = (name: string) => home.events.filter((event) => event.name === name)
  const wrongAccepted = wrong.size
  for (const { fields } of eventsOf('call.corrected')) wrong.delete(String(fields.task))
  const bad = new Set(world.peers.slice(1, 1 + colluders).map(({ peerId }) => peerId))
  const expelled = eventsOf('peer.expelled')
  const colludersExpelled = expelled.filter(({ fields }) => bad.has(String(fields.peer))).length
  const honestExpelled = expelled.length - colludersExpelled
  const counts = { results, executions, wrongAccepted, wrongAfterRecheck: wrong.size }
  const report = { ...counts, colluders, colludersExpelled, honestExpelled }
  await world.stop()
  return report
}
