/** The names under which peers of one mesh find each other where others look on: hashes, which tell no mesh ID. */
import type { CID } from '../protocol/cid.ts'
import type { Crypto } from '../protocol/ports.ts'

type Hashing = Pick<Crypto, 'hash'>

const utf8 = new TextEncoder()

/** Each kind of name hashes another text, so that none can be taken for another. */
const hashOf = (crypto: Hashing, ...parts: string[]): Uint8Array => crypto.hash(utf8.encode(parts.join('\0')))

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** 128 bits: two meshes never meet by it. Lower case, as names in DNS are compared without regard to case. */
const TAG_BYTES = 16

/** What members announce themselves under on a local network. Who knows the mesh ID can make it, nobody can undo it. */
export const vicinityTag = (crypto: Hashing, mesh: CID): string =>
  hex(hashOf(crypto, 'wayside vicinity', mesh.toString()).subarray(0, TAG_BYTES))

/** The cell that stands for all of them. */
export const ANYWHERE = ''

/** Whoever finds so many others under a key provides one level deeper: as many as one look-up brings. */
export const CROWD = 20
/** Where so few are there is nobody below: a key that was crowded loses some before others return to it. */
export const SPARSE = CROWD / 2
/** 16,384 shards of 20 and more: as many as a mesh of a million needs for the key that stands for all cells. */
export const LEVEL_MAX = 14

/** Where a peer begins to look for its shard that provided at level `before`; undefined: it has not yet. */
export const levelFrom = (before: number | undefined): number => Math.max(0, (before ?? 0) - 1)

/**
 * What `node/dht.ts` holds the directory to. With sessions of 2 h, 96 % of the records that live 10 min are true; of those that
 * live 48 h, 4 %.
 */
export const RECORD_MS_MAX = 10 * 60_000
/** Whoever looks for more finds them under the key's shards. */
export const PROVIDERS_PER_KEY_MAX = 256
/** Paths of a walk that share no peer, and requests under way on each: all that a walk begins with are asked at once. */
export const WALK_PATHS = 3
export const WALK_ALPHA = 7
/** Tables split down to this depth, where they know enough peers: in a mesh of a million, down to some hundred keepers. */
export const TABLE_DEPTH_MAX = 10
/** Whoever does not shake hands within it is passed over: a walk must not wait for those that are gone. */
export const INTRODUCE_MS_MAX = 3000

/** One of the 2^level parts of a key, so that no key has more providers than its keepers keep. */
export interface Shard {
  level: number
  index: number
}

/** The shard of a peer at a level: the first bits of a hash of it. */
export const shardOf = (crypto: Hashing, peer: string, level: number): Shard => {
  const [high, low] = hashOf(crypto, 'wayside shard', peer) as unknown as [number, number]
  return { level, index: ((high << 8) | low) >> (16 - level) }
}

/** Under which a peer is found that offers `capability` in `cell`; 32 bytes. */
export const providerKey = (
  crypto: Hashing,
  mesh: CID,
  capability: string,
  cell: string,
  { level, index }: Shard,
): Uint8Array => hashOf(crypto, 'wayside provider', mesh.toString(), capability, cell, `${level}`, `${index}`)
