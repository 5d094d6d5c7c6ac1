/**
 * Namespaces that belong to a caller: `of-TAG-NAME` of one of another owner, which it may be granted, and `.of-TAG-NAME`, which the
 * home keeps for it. A tag has 32 of a to z, 0 to 9, made of its key.
 */
import { toBase32 } from '../../protocol/base32.ts'
import type { Crypto } from '../../protocol/ports.ts'

/** Of a caller's hash: nobody finds a key with the same. */
export const TAG_CHARS = 32

/** Of a PeerId. */
export const tagOf = ({ hash }: Pick<Crypto, 'hash'>, caller: string): string =>
  toBase32(hash(new TextEncoder().encode(caller))).slice(0, TAG_CHARS)

/** Stands for the namespaces of all callers. */
export const CALLERS = 'of-'

/** All namespaces of the caller with this tag begin with it, behind a dot or not. */
export const callerPrefixOf = (tag: string): string => `${CALLERS}${tag}-`

const PREFIX_CHARS = callerPrefixOf('').length + TAG_CHARS

/** Of the caller whose namespace it is, if it is one's. */
export const callerPrefixIn = (namespace: string): string | undefined => {
  const start = namespace.charAt(0) === '.' ? 1 : 0
  const end = start + PREFIX_CHARS
  return namespace.startsWith(CALLERS, start) && namespace.charAt(end - 1) === '-'
    ? namespace.slice(start, end)
    : undefined
}
