/** What a function puts that is larger than a block: its request names the blocks, as an answer does. */
import type { LargePut } from '../protocol/effects.ts'
import { STATE_BLOCK_BYTES, STATE_VALUE_BYTES_MAX } from '../protocol/limits.ts'
import type { Crypto } from '../protocol/ports.ts'
import { type Block, splitBytes } from '../protocol/split.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { EngineFault } from './engine.ts'

/** The arguments of a put as its home is told them, and the blocks that they name. */
export type CutPut = (args: Value) => { asked: Value; blocks: readonly Block[] }

/** What no state takes stays as it is. `hash`: SHA-256. */
export const createCutPut =
  (hash: Crypto['hash']): CutPut =>
  (args) => {
    const { binding, key, value } = args as Record<string, Value>
    if (value === undefined) throw new EngineFault('a put without a value')
    const encoded = encodeValue(value)
    if (encoded.length <= STATE_BLOCK_BYTES || encoded.length > STATE_VALUE_BYTES_MAX)
      return { asked: args, blocks: [] }
    const blocks = splitBytes({ hash }, encoded, STATE_BLOCK_BYTES)
    const asked = { binding, key, bytes: encoded.length, blocks: blocks.map(({ cid }) => cid.toString()) } as LargePut
    return { asked, blocks }
  }
