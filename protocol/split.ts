/** Bytes as blocks of one size, so that the same bytes are the same blocks everywhere. */
import { type CID, rawCid } from './cid.ts'
import type { Crypto } from './ports.ts'

export interface Block {
  cid: CID
  bytes: Uint8Array
}

/** Each but the last has `size` bytes; of no bytes there is one, which is empty. */
export const splitBytes = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array, size: number): Block[] => {
  const blocks: Block[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size)
    blocks.push({ cid: rawCid(crypto, part), bytes: part })
  }
  return blocks
}
