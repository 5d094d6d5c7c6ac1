/** Durable invocations, as they travel between the agent and its owner's commands. */
import type { DelegationSummary } from '../../peer/durable/delegation-rules.ts'
import type { DurableState } from '../../protocol/durable.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { BackendEnd, BackendInvocation } from '../../sdk/backend.ts'
import type { AgentFrame } from './frames.ts'

type FrameOf<T extends AgentFrame['t']> = Extract<AgentFrame, { t: T }>
type WireInvocation = FrameOf<'invocations'>['invocations'][number]
type WireDelegation = FrameOf<'delegations'>['delegations'][number]
type WireEnd = NonNullable<FrameOf<'ended'>['end']>

/** As `wayside ps --json` prints it, too. */
export const invocationToWire = (one: BackendInvocation): WireInvocation => ({
  ...{ id: one.id, function: one.function ?? null, export: one.export ?? null, state: one.state },
  ...{ created_ms: one.createdMs ?? null, ended_ms: one.endedMs ?? null },
})

export const invocationFromWire = (one: WireInvocation): BackendInvocation => ({
  ...{ id: one.id, function: one.function ?? undefined, export: one.export ?? undefined, state: one.state },
  ...{ createdMs: one.created_ms ?? undefined, endedMs: one.ended_ms ?? undefined },
})

/** As `wayside delegations --json` prints it, too. */
export const delegationToWire = (one: DelegationSummary): WireDelegation => {
  const { caller, home, function: cid, namespaces, effects, expiresMs, isRevoked, ...rest } = one
  return {
    ...{ ...rest, caller: caller ?? null, home: home ?? null, function: cid ?? null },
    ...{ namespaces: namespaces ? [...namespaces] : null, effects: [...effects] },
    ...{ expires_ms: expiresMs, revoked: isRevoked },
  }
}

export const delegationFromWire = (one: WireDelegation): DelegationSummary => {
  const { caller, home, function: cid, namespaces, expires_ms, revoked, ...rest } = one
  return {
    ...{ ...rest, caller: caller ?? undefined, home: home ?? undefined, function: cid ?? undefined },
    ...{ namespaces: namespaces ?? undefined, expiresMs: expires_ms, isRevoked: revoked },
  }
}

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
