/** Durable invocations, as they travel between the agent and its owner's commands. */
import type { DurableState } from '../../protocol/durable.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { BackendEnd, BackendInvocation } from '../../sdk/backend.ts'
import type { AgentFrame } from './frames.ts'

type FrameOf<T extends AgentFrame['t']> = Extract<AgentFrame, { t: T }>
type WireInvocation = FrameOf<'invocations'>['invocations'][number]
type WireEnd = NonNullable<FrameOf<'ended'>['end']>

export const invocationToWire = ({ createdMs, endedMs, ...rest }: BackendInvocation): WireInvocation => ({
  ...rest,
  created_ms: createdMs,
  ended_ms: endedMs ?? null,
})

export const invocationFromWire = ({ created_ms, ended_ms, ...rest }: WireInvocation): BackendInvocation => ({
  ...rest,
  createdMs: created_ms,
  endedMs: ended_ms ?? undefined,
})

export const endToWire = ({ state, outcome, error }: BackendEnd): WireEnd => ({
  state,
  outcome: outcome ? Outcome.encode(outcome) : null,
  error: error ?? null,
})

export const endFromWire = ({ state, outcome, error }: WireEnd): BackendEnd => ({
  state: state as Exclude<DurableState, 'running'>,
  outcome: outcome ? Outcome.decode(outcome) : undefined,
  error: error ?? undefined,
})
