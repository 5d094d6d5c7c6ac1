/** Whether what is read now was answered then. */
import { MeshError } from '../../protocol/errors.ts'
import type { Answer } from '../../protocol/journal.ts'
import { STATE_BLOCK_BYTES } from '../../protocol/limits.ts'
import type { Crypto } from '../../protocol/ports.ts'
import { splitBytes } from '../../protocol/split.ts'
import { sameBytes } from '../receipts.ts'

const isValue = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array, answer: Answer): boolean => {
  if (!answer.ok) return false
  if (!answer.blocks) return sameBytes(bytes, answer.value)
  const blocks = splitBytes(crypto, bytes, STATE_BLOCK_BYTES)
  return blocks.map(({ cid }) => cid).join() === answer.blocks.join()
}

/** `now`: an encoded value, or why there is none. */
export const isAnswer = (crypto: Pick<Crypto, 'hash'>, now: unknown, answer: Answer): boolean => {
  if (now instanceof Uint8Array) return isValue(crypto, now, answer)
  return now instanceof MeshError && !answer.ok && now.code === answer.code
}
