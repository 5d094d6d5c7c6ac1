/** Where a home keeps what belongs to a durable invocation. No grant reaches any of it. */
import type { DurableRecord } from '../../protocol/durable.ts'
import type { Crypto } from '../../protocol/ports.ts'
import { callerPrefixOf, tagOf } from '../state/caller-namespaces.ts'

/** Records, by their ids. */
export const INVOCATIONS = '.invocations'
/** All else of what the home runs for itself. */
export const PIECES = '.pieces'

/** All else of what it runs for the caller of this prefix (caller-namespaces.ts), whose quota it counts for. */
export const placeOfCaller = (prefix: string): string => `.${prefix}pieces`

/** All else of what it runs for that peer. */
export const placeOfPeer = (crypto: Pick<Crypto, 'hash'>, caller: string): string =>
  placeOfCaller(callerPrefixOf(tagOf(crypto, caller)))

/** Whose `delegated` it is. */
export const placeOf = (crypto: Pick<Crypto, 'hash'>, { delegated }: Pick<DurableRecord, 'delegated'>): string =>
  delegated ? placeOfPeer(crypto, delegated.caller) : PIECES

export const grantsName = (id: string): string => `${id}/grants`
export const inputName = (id: string): string => `${id}/input`
export const codeName = (id: string): string => `${id}/code`
/** Of all checkpoints, and of one. */
export const checkpointsName = (id: string): string => `${id}/checkpoint`
export const checkpointName = (id: string, number: number): string =>
  `${checkpointsName(id)}/${`${number}`.padStart(6, '0')}`
export const outcomeName = (id: string): string => `${id}/outcome`
/** Of all parts of a journal that has begun anew `journal` times. */
export const journalName = (id: string, journal: number): string => `${id}/journal/${`${journal}`.padStart(6, '0')}`
/** `hash`: in hex, of all up to it (kept-journal.ts). */
export const partName = (id: string, journal: number, part: number, hash: string): string =>
  `${journalName(id, journal)}/${`${part}`.padStart(6, '0')}-${hash}`
