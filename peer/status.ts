/** What a peer tells its owner about itself. */
import type { Ports } from '../protocol/ports.ts'
import type { Refusal } from './lending.ts'
import type { PeerParts } from './peer.ts'
import type { TrustStatus } from './standings.ts'
import type { ReadCounts } from './state/foresight.ts'
import type { DayTally } from './tally.ts'
import type { UsageRow } from './usage/usage.ts'

export interface RunningTask {
  /** On whose behalf. */
  peer: string
  task: string
  function: string
  export: string
  state: 'queued' | 'running' | 'waiting' | 'done'
  since_ms: number
  fuel: number
}

export interface NeighbourStatus {
  peer: string
  member: boolean
  /** A machine of this peer's owner. */
  own: boolean
  round_trip_ms: number
  slots: number
  free: number
  queued: number
  memory_bytes: number
  /** Fuel per ms; 0: not yet measured. */
  speed: number
  /** Items of ours there now. */
  in_flight: number
  addresses: string[]
  /** What this peer has seen of its word. */
  trust: TrustStatus
}

export interface PeerStatus {
  peer: string
  mesh: { id: string; name: string; admission: 'private' | 'public' }
  addresses: string[]
  lends: { slots: number; memory_bytes: number; disk_bytes: number; accept: string[]; deny: string[] }
  disk: { bytes: number; blocks: number }
  /** Verified answers kept; `hits` and `misses` of calls since the start that might have been answered from it. */
  memo: { entries: number; bytes: number; budget_bytes: number; hits: number; misses: number }
  /** How the reads of functions that were called here have been answered; null: it keeps no state. */
  reads: ReadCounts | null
  /** Wall-clock instant until which it is paused; null: not paused; 'resumed': until someone resumes it. */
  paused_until: number | 'resumed' | null
  running: RunningTask[]
  today: DayTally
  /** What it and others have done for each other; null: it keeps no count. */
  usage: UsageRow[] | null
  last_refusal: Refusal | null
  neighbours: NeighbourStatus[]
}

const pausedUntil = (untilMs: number, paused: boolean): PeerStatus['paused_until'] => {
  if (!paused) return null
  return Number.isFinite(untilMs) ? untilMs : 'resumed'
}

export const statusOf = (ports: Ports, parts: PeerParts): PeerStatus => {
  const { office, lending, executor, neighbours, tally, store, standings } = parts
  const { budgetBytes, ...memo } = parts.memo.usage()
  const nowMs = ports.clock.monotonic()
  const usage = store.usage()
  const { name, policy } = office.genesis
  return {
    peer: ports.network.peerId,
    mesh: { id: office.meshId.toString(), name, admission: policy.admission },
    addresses: ports.network.addresses(),
    lends: {
      slots: lending.policy.slots,
      memory_bytes: lending.policy.memoryBytes,
      disk_bytes: usage.budgetBytes + budgetBytes,
      accept: [...lending.policy.accept],
      deny: [...lending.policy.deny],
    },
    disk: { bytes: usage.bytes, blocks: usage.blocks },
    memo: { ...memo, budget_bytes: budgetBytes },
    reads: parts.state ? { ...parts.state.foresight.counts } : null,
    paused_until: pausedUntil(lending.pausedUntilMs, lending.paused),
    running: [...executor.items()].slice(0, 1000).map((item) => ({
      peer: item.party,
      task: item.task.toString(),
      function: item.template.function.toString(),
      export: item.template.export,
      state: item.run?.state() ?? 'queued',
      since_ms: Math.round(nowMs - item.acceptedMs),
      fuel: item.run?.fuel() ?? 0,
    })),
    today: tally.today,
    usage: parts.usage?.report() ?? null,
    last_refusal: lending.lastRefusal ?? null,
    neighbours: neighbours.all().map((one) => ({
      peer: one.peer,
      member: one.member,
      own: one.own,
      round_trip_ms: Math.round(one.roundTripMs * 100) / 100,
      slots: one.advertisement?.slots ?? 0,
      free: one.advertisement?.free ?? 0,
      queued: one.advertisement?.queued ?? 0,
      memory_bytes: one.advertisement?.memory_bytes ?? 0,
      speed: one.advertisement?.speed ?? 0,
      in_flight: one.inFlight,
      addresses: one.advertisement?.addresses ?? [],
      trust: standings.of(one.peer),
    })),
  }
}
