/** Checkpoints as peers speak of them: by the answers that lie before one, and by the blocks that its bytes are cut into. */
import { type CID, rawCid } from '../protocol/cid.ts'
import { joinBytes } from '../protocol/join-bytes.ts'
import { BLOCK_BYTES_MAX } from '../protocol/limits.ts'
import type { Crypto } from '../protocol/ports.ts'
import type { Checkpoint } from '../protocol/records.ts'

export const blocksIn = (bytes: Uint8Array): Uint8Array[] => {
  const blocks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES_MAX) blocks.push(bytes.subarray(at, at + BLOCK_BYTES_MAX))
  return blocks
}

export const checkpointOf = (crypto: Pick<Crypto, 'hash'>, answers: number, bytes: Uint8Array): Checkpoint => ({
  answers,
  state: blocksIn(bytes).map((block) => rawCid(crypto, block)),
})

export const isSameCheckpoint = (a: Checkpoint, b: Checkpoint): boolean =>
  a.answers === b.answers && a.state.join() === b.state.join()

/** Undefined: not all of it is to be had. `fetch` gives verified bytes, or rejects. */
export const fetchCheckpoint = (
  fetch: (cid: CID) => Promise<Uint8Array>,
  { state }: Checkpoint,
): Promise<Uint8Array | undefined> => Promise.all(state.map(fetch)).then(joinBytes, () => undefined)
