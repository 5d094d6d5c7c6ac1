/** Namespaces that a caller of another owner has at a home: `of-TAG-NAME`, with a tag of 32 of a to z, 0 to 9, made of its key. */

/** Of a caller's hash: nobody finds a key with the same. */
export const TAG_CHARS = 32

/** All namespaces of the caller with this tag begin with it. */
export const callerPrefixOf = (tag: string): string => `of-${tag}-`

const PREFIX_CHARS = callerPrefixOf('').length + TAG_CHARS

/** Of the caller whose namespace it is, if it is one's. */
export const callerPrefixIn = (namespace: string): string | undefined =>
  namespace.startsWith('of-') && namespace[PREFIX_CHARS - 1] === '-' ? namespace.slice(0, PREFIX_CHARS) : undefined
