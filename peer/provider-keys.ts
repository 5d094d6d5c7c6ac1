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
/** 256 shards of 20 and more. */
export const LEVEL_MAX = 8

/** One of the 2^level parts of a key, so that no key has more providers than its keepers keep. */
export interface Shard {
  level: number
  index: number
}

/** The shard of a peer at a level: the first bits of a hash of it. */
export const shardOf = (crypto: Hashing, peer: string, level: number): Shard => ({
  level,
  index: (hashOf(crypto, 'wayside shard', peer)[0] as number) >> (8 - level),
})

/** Under which a peer is found that offers `capability` in `cell`; 32 bytes. */
export const providerKey = (
  crypto: Hashing,
  mesh: CID,
  capability: string,
  cell: string,
  { level, index }: Shard,
): Uint8Array => hashOf(crypto, 'wayside provider', mesh.toString(), capability, cell, `${level}`, `${index}`)
