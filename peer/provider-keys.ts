/** The names under which peers of one mesh find each other where others look on: hashes, which tell no mesh ID. */
import type { CID } from '../protocol/cid.ts'
import type { Crypto } from '../protocol/ports.ts'

const utf8 = new TextEncoder()

/** Each kind of name hashes another text, so that none can be taken for another. */
const hashOf = (crypto: Pick<Crypto, 'hash'>, ...parts: string[]): Uint8Array =>
  crypto.hash(utf8.encode(parts.join('\0')))

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** 128 bits: two meshes never meet by it. Lower case, as names in DNS are compared without regard to case. */
const TAG_BYTES = 16

/** What members announce themselves under on a local network. Who knows the mesh ID can make it, nobody can undo it. */
export const vicinityTag = (crypto: Pick<Crypto, 'hash'>, mesh: CID): string =>
  hex(hashOf(crypto, 'wayside vicinity', mesh.toString()).subarray(0, TAG_BYTES))
