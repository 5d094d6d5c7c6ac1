/** The view of a lending page, from what its parts know. Pure but for what it asks them. */
import type { AgentView, LendingLimits, PauseReason } from './agent-view.ts'
import { SAVES_DATA } from './guest/condition.ts'
import type { Verdict } from './guest/rules.ts'
import type { LendingPeer } from './lending-peer.ts'

/** How the agent stands. */
export interface Standing {
  readonly sinceMs: number
  readonly accept: readonly string[]
  /** The last one that was begun. */
  peer?: LendingPeer
  failure?: AgentView['failure']
  /** What the visitor chose last could not be kept. */
  unkept?: AgentView['unkept']
  /** It was let in, so that whoever is alone now has lost the others. */
  hasJoined: boolean
  /** It is not tried again. */
  isFinal: boolean
  /** It was stopped. */
  isOver: boolean
}

interface Guest {
  readonly limits: LendingLimits
  today(): AgentView['today']
}

type Situation = Pick<AgentView, 'state' | 'reason' | 'failure'>

/** `isSettled`: it is known by now whether another tab has the lead. */
interface Seen {
  verdict: Verdict
  isSettled: boolean
}

/** Peers dial those whom they lost, later and later. */
const ALONE = { code: 'E_UNREACHABLE', message: 'nobody of the mesh can be reached; it is tried again' }

const situationOf = (
  { isOver, isFinal, hasJoined, failure }: Standing,
  { verdict: { reason }, isSettled }: Seen,
  neighbours: number,
): Situation => {
  const paused = (why: PauseReason): Situation => ({ state: 'paused', reason: why, failure: undefined })
  if (isOver) return { state: 'stopped', reason: undefined, failure: undefined }
  if (isFinal) return { state: 'failed', reason: undefined, failure }
  if (reason === 'another-tab') return isSettled ? paused(reason) : { state: 'joining', reason: undefined, failure }
  if (reason === 'offline' || SAVES_DATA.has(reason)) return paused(reason as PauseReason)
  if (neighbours === 0) return { state: 'joining', reason: undefined, failure: hasJoined ? ALONE : failure }
  if (reason !== undefined) return paused(reason)
  return { state: 'lending', reason: undefined, failure: undefined }
}

export const viewOf = (standing: Standing, seen: Seen, guest: Guest, nowMs: number): AgentView => {
  const { peer, accept, sinceMs } = standing
  const status = peer?.status()
  const neighbours = status?.neighbours.length ?? 0
  const running = standing.isOver ? [] : (status?.running.filter(({ state }) => state === 'running') ?? [])
  return {
    ...situationOf(standing, seen, neighbours),
    peer: peer?.peerId ?? '',
    meshName: status?.mesh.name ?? '',
    accept,
    sinceMs,
    running: running.map(({ function: functionCid, export: exportName, peer: invoker, since_ms }) => {
      const name = peer?.nameOf(functionCid)
      return { functionCid, ...(name && { name }), exportName, invoker, sinceMs: nowMs - since_ms }
    }),
    neighbours,
    today: guest.today(),
    limits: guest.limits,
    unkept: standing.unkept,
  }
}
