/** What the memo keeps of one task: at which level it was verified, who signed it, and its bytes in storage. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Crypto } from '../protocol/ports.ts'
import type { Level } from './calls.ts'

/** How an outcome was verified: a receipt that was really audited, executions that agreed, or our own. */
export type KeptLevel = Exclude<Level, { level: 'none' }>

/** Is what was verified at `kept` as sure as `wanted` asks? `none` < `audit` < `quorum:n` < `quorum:n+1` < `self`. */
export const suffices = (kept: KeptLevel, wanted: Level): boolean => {
  if (kept.level === 'self' || wanted.level === 'none' || wanted.level === 'audit') return true
  return kept.level === 'quorum' && wanted.level === 'quorum' && kept.n >= wanted.n
}

export interface Entry {
  readonly level: KeptLevel
  /** PeerIds of those who signed the outcome. */
  readonly signers: readonly string[]
  /** Of the budget. */
  readonly bytes: number
  /** The last use as saved; the order of the entries is finer. */
  usedMs: number
}

/** What an entry takes beside its outcome, in storage and in memory; so the budget bounds how many there are. */
const ENTRY_BYTES = 1024
const SEAL_BYTES = 32

const bytesOf = (stored: Uint8Array): number => ENTRY_BYTES + stored.length

/** Over all that the entry says: what was damaged, or put in another's place, does not fit its seal. */
const sealOf = (
  crypto: Pick<Crypto, 'hash'>,
  task: CID,
  { level, signers }: Pick<Entry, 'level' | 'signers'>,
  outcomeBytes: Uint8Array,
): Uint8Array => {
  const outcome = recordCid(crypto, outcomeBytes)
  return crypto.hash(encodeCanonical({ v: 1, task, level, signers, outcome }))
}

/** An outcome as it is stored: behind its seal. */
export const sealOutcome = (
  crypto: Pick<Crypto, 'hash'>,
  task: CID,
  kept: Pick<Entry, 'level' | 'signers'>,
  outcomeBytes: Uint8Array,
): Uint8Array => {
  const stored = new Uint8Array(SEAL_BYTES + outcomeBytes.length)
  stored.set(sealOf(crypto, task, kept, outcomeBytes))
  stored.set(outcomeBytes, SEAL_BYTES)
  return stored
}

/** The canonical bytes of the outcome, or undefined if they are not what was kept. */
export const unsealOutcome = (
  crypto: Pick<Crypto, 'hash'>,
  task: CID,
  entry: Entry,
  stored: Uint8Array,
): Uint8Array | undefined => {
  if (bytesOf(stored) !== entry.bytes) return undefined
  const outcomeBytes = stored.subarray(SEAL_BYTES)
  const seal = sealOf(crypto, task, entry, outcomeBytes)
  return seal.every((byte, i) => byte === stored[i]) ? outcomeBytes : undefined
}

export const entryOf = (level: KeptLevel, signers: readonly string[], stored: Uint8Array, usedMs: number): Entry => ({
  level,
  signers: [...signers],
  bytes: bytesOf(stored),
  usedMs,
})

export const encodeEntry = ({ level, signers, bytes, usedMs }: Entry): Uint8Array =>
  encodeCanonical({ v: 1, level, signers, bytes, used_ms: usedMs })

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

const isKeptLevel = (x: unknown): x is KeptLevel => {
  const { level, n } = (x ?? {}) as { level?: unknown; n?: unknown }
  return level === 'audit' || level === 'self' || (level === 'quorum' && isCount(n))
}

const areNames = (x: unknown): x is string[] => Array.isArray(x) && x.every((one) => typeof one === 'string')

/** Throws MeshError if these are not the bytes of an entry of this version. */
export const decodeEntry = (encoded: Uint8Array): Entry => {
  const { v, level, signers, bytes, used_ms: usedMs } = decodeCanonical(encoded) as Record<string, unknown>
  if (v === 1 && isKeptLevel(level) && areNames(signers) && isCount(bytes) && isCount(usedMs)) {
    return { level, signers, bytes, usedMs }
  }
  throw new MeshError('E_STORAGE', 'not a record of a kept outcome')
}
