/** What a delegation allows. Pure but for the signature. */
import type { CID } from '../../protocol/cid.ts'
import { Delegation } from '../../protocol/delegation.ts'
import type { EffectKind } from '../../protocol/effects.ts'
import { type Envelope, verifyEnvelope } from '../../protocol/envelope.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Grant, Grants } from '../../protocol/grants.ts'
import { DELEGATION_MS_MAX } from '../../protocol/limits.ts'
import type { Crypto } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import { callerPrefixOf } from '../state/caller-namespaces.ts'

/** Clocks of caller and home may differ by so much. */
const SKEW_MS = 60_000

/** A delegation by which something goes on at a home, or may again. */
export interface DelegationSummary {
  /** Of the invocation. */
  id: string
  /** Undefined: this peer. */
  caller: string | undefined
  /** Undefined: this peer. */
  home: string | undefined
  /** CID text; undefined: any. */
  function: string | undefined
  /** As the caller names them; undefined: any. */
  namespaces: readonly string[] | undefined
  effects: readonly EffectKind[]
  /** Of one invocation, at most. */
  fuel: number
  /** By the wall clock. */
  expiresMs: number
  isRevoked: boolean
  /** Invocations that run by it: its own, and the durable ones that this has called. */
  running: number
}

/** What homes say that they hold. */
export interface StandingDelegations {
  standing: DelegationSummary[]
  /** Who did not say it, though it may hold some: too late, or what this peer has not signed. */
  missing: { home: string; error: MeshError }[]
}

/** What a home tells of one. */
export interface HeldDelegation {
  id: string
  signed: Envelope
  isRevoked: boolean
  /** At which the invocation ends. */
  deadlineMs: number
  running: number
}

/** As `self` sees it. */
export const delegationSummaryOf = (
  { id, signed, isRevoked, running }: HeldDelegation,
  self: string,
): DelegationSummary => {
  const { home, function: cid, in: namespaces, effects, fuel, expires_ms } = Delegation.decode(signed.payload)
  const unlessSelf = (peer: string) => (peer === self ? undefined : peer)
  return {
    ...{ id, caller: unlessSelf(signed.signer), home: unlessSelf(home), function: cid?.toString(), namespaces },
    ...{ effects, fuel, expiresMs: expires_ms, isRevoked, running },
  }
}

const refuse = (message: string): never => {
  throw new MeshError('E_NO_HOME', message)
}

/** Throws MeshError E_SIGNATURE, E_MESSAGE, and as `ensureValid`. */
export const openDelegation = async (
  crypto: Crypto,
  signed: Envelope,
  at: Parameters<typeof ensureValid>[1],
): Promise<Delegation> => {
  await verifyEnvelope(crypto, 'delegation', signed)
  const delegation = Delegation.decode(signed.payload)
  ensureValid(delegation, at)
  return delegation
}

/** Throws MeshError E_MESH_MISMATCH, or E_NO_HOME where it is for another home, or not valid now, and for how long it may be. */
export const ensureValid = (
  { mesh, home, not_before_ms, expires_ms }: Delegation,
  at: { mesh: CID; home: string; nowMs: number },
): void => {
  if (!mesh.equals(at.mesh))
    throw new MeshError('E_MESH_MISMATCH', `the delegation is for mesh ${mesh}, this home belongs to ${at.mesh}`)
  if (home !== at.home) refuse(`the delegation is for the home ${home}, this is ${at.home}`)
  if (expires_ms <= at.nowMs) refuse('the delegation of the caller has expired; renew it')
  if (not_before_ms > at.nowMs + SKEW_MS) refuse('the delegation of the caller is for later')
  if (expires_ms > at.nowMs + DELEGATION_MS_MAX + SKEW_MS)
    refuse(`a delegation holds for ${DELEGATION_MS_MAX} ms at most; let it expire earlier, and renew it`)
}

/** What is to be run. */
export interface Work {
  function: CID
  fuel: number
}

/** Throws MeshError E_NO_HOME where it is for another function, or for less fuel. */
export const ensureFor = (delegation: Delegation, work: Work): void => {
  if (delegation.function && !delegation.function.equals(work.function))
    refuse(`the delegation is for the function ${delegation.function}, and not for ${work.function}`)
  if (work.fuel > delegation.fuel)
    refuse(`a limit of ${work.fuel} fuel is over the ${delegation.fuel} of the delegation`)
}

export const namespacesOf = (grants: Grants | undefined): string[] =>
  [...new Set(Object.values(grants ?? {}).flatMap((grant) => ('state' in grant ? [grant.state] : [])))].sort()

/** Throws MeshError E_NO_HOME where it does not cover what is to be run. `namespaces`: as its caller names them. */
export const ensureCovers = (
  delegation: Delegation,
  work: Work & { namespaces: readonly string[] },
  { effects }: Pick<Manifest, 'effects'>,
): void => {
  ensureFor(delegation, work)
  const kind = effects.find((one) => !delegation.effects.includes(one))
  if (kind) refuse(`the function may request ${kind}, which the delegation does not say`)
  const more = work.namespaces.find((one) => !(delegation.in?.includes(one) ?? true))
  if (more) refuse(`the call is granted the namespace ${more}, which the delegation does not say`)
}

/** Of a name that a caller has given a namespace; longer ones would not be names of any. */
const NAME_CHARS_MAX = 28

/**
 * What a caller of somebody else may be granted at a home: namespaces of its own there, named by `tag` (32 of a to z, 0 to
 * 9); no secret of the home, and nothing on its network. Throws MeshError E_GRANT.
 */
export const grantsFor = (grants: Grants, tag: string): Grants =>
  Object.fromEntries(
    Object.entries(grants).map(([name, grant]): [string, Grant] => {
      const no = (reason: string): never => {
        throw new MeshError('E_GRANT', { message: `env.${name}: ${reason}`, binding: name })
      }
      if ('secret' in grant) return no('a home puts its secrets into no calls of others')
      if ('fetch' in grant) return grant.private ? no('a home opens its network to no calls of others') : [name, grant]
      if (grant.state.length <= NAME_CHARS_MAX)
        return [name, { ...grant, state: `${callerPrefixOf(tag)}${grant.state}` }]
      return no(`at the home of another owner a namespace has at most ${NAME_CHARS_MAX} characters`)
    }),
  )

/** The same as the caller has named them. */
export const ownNames = (namespaces: readonly string[], tag: string): string[] =>
  namespaces.map((one) => one.replace(callerPrefixOf(tag), ''))
