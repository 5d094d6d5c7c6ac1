/** The log port: typed, levelled events that name the task and peer they concern, and never a payload. */

import type { CID } from './cid.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A CID, or its text: of the events that nobody reads no text is made. */
type Named = string | CID

/** Fields every event may carry: which task (taskId), invocation and peer it concerns. */
export interface LogFields {
  task?: Named
  invocation?: Named
  peer?: string
  function?: Named
  block?: Named
  code?: string
  reason?: string
  address?: string
  attempt?: number
  count?: number
  bytes?: number
  duration_ms?: number
  fuel?: number
}

/** The closed table of events and their levels. */
export const LOG_EVENTS = {
  'agent.started': 'info',
  'agent.stopped': 'info',
  'agent.paused': 'info',
  'agent.resumed': 'info',
  'peer.joined': 'info',
  'peer.left': 'info',
  'peer.refused': 'warn',
  'peer.relayed': 'info',
  'peer.misbehaved': 'warn',
  'peer.unreachable': 'warn',
  'peer.expelled': 'error',
  'discovery.failed': 'warn',
  'discovery.flooded': 'warn',
  'task.accepted': 'debug',
  'task.refused': 'info',
  'task.started': 'debug',
  'task.answered': 'info',
  'task.failed': 'warn',
  'task.cancelled': 'info',
  'call.sent': 'debug',
  'call.refused': 'debug',
  'call.lost': 'warn',
  'call.hedged': 'info',
  'call.verified': 'debug',
  'call.disputed': 'error',
  'call.corrected': 'error',
  'home.alone': 'error',
  'call.local': 'info',
  'call.conflict': 'debug',
  'call.withheld': 'warn',
  'invocation.delayed': 'warn',
  'invocation.ended': 'info',
  'block.refused': 'warn',
  'block.evicted': 'debug',
  'memo.dropped': 'warn',
  'proof.accepted': 'warn',
  'proof.refused': 'warn',
  'proof.kept': 'info',
  'sandbox.spawned': 'debug',
  'sandbox.exited': 'debug',
  'sandbox.killed': 'warn',
  'log.missed': 'warn',
  'secret.unreadable': 'error',
  'send.failed': 'error',
  'storage.failed': 'error',
  'internal.error': 'error',
} as const satisfies Record<string, LogLevel>

export type LogEventName = keyof typeof LOG_EVENTS

export interface Log {
  event(name: LogEventName, fields?: LogFields): void
}
