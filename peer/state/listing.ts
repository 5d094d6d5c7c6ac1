/** Lists of keys as of a revision: what the storage has now, and what of it has changed since. */
import type { Storage } from '../../protocol/ports.ts'
import { type History, type Version, versionStored } from './history.ts'
import { decodeEntry } from './records.ts'

/** A page of a list ends with the value that passes it. */
export const LIST_BYTES_MAX = 4 * 1024 * 1024

export interface Listing {
  /** Storage keys: what all begin with, and the one behind which it begins. */
  prefix: string
  after: string
  limit: number
  revision: number
}

/** Throws MeshError E_REVISION, once the revision is not kept any more. */
type EnsureKept = (revision: number) => void

/** What is there, in the order of the keys. */
async function* versionsOf(storage: Storage, history: History, listing: Listing, ensureKept: EnsureKept) {
  const { prefix, limit, revision } = listing
  for (let after = listing.after; ; ) {
    const found = new Map<string, Version>()
    let last: string | undefined
    for await (const { key, value } of storage.scan(prefix, { after, limit })) {
      const stored = decodeEntry(value)
      found.set(key, versionStored(key, stored.version, stored.value))
      last = key
    }
    ensureKept(revision)
    const through = found.size < limit ? undefined : last
    for (const key of history.keysIn(prefix, after, through)) {
      const version = history.at(key, revision)
      if (version) found.set(key, version)
    }
    for (const key of [...found.keys()].sort()) {
      const version = found.get(key) as Version
      if (version.value !== undefined) yield version
    }
    if (through === undefined) return
    after = through
  }
}

/** As of `revision`, `limit` at most, and fewer where they are long; `more`: there are others behind. */
export const list = async (
  storage: Storage,
  history: History,
  listing: Listing,
  ensureKept: EnsureKept,
): Promise<{ versions: Version[]; more: boolean }> => {
  const versions: Version[] = []
  let bytes = 0
  // One more than asked for tells whether there are more.
  for await (const version of versionsOf(storage, history, { ...listing, limit: listing.limit + 1 }, ensureKept)) {
    if (versions.length === listing.limit || bytes > LIST_BYTES_MAX) return { versions, more: true }
    versions.push(version)
    bytes += version.bytes
  }
  return { versions, more: false }
}
