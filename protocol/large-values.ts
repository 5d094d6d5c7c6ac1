/** How a state keeps a value that is too large for one entry: as blocks beside it, and in the entry what names them. */
import * as v from 'valibot'
import { KIB, NAME_CHARS_MAX, STATE_BLOCK_BYTES, STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX } from './limits.ts'
import { cid, integer, list, localMessage, text, version } from './schema.ts'

export const STATE_BLOCKS_MAX = STATE_VALUE_BYTES_MAX / STATE_BLOCK_BYTES

/** What stands in the entry. `upload`: under which its blocks are kept, and those of no other value. */
export const LargeValue = localMessage(
  'large value',
  8 * KIB,
  v.strictObject({
    v: version(),
    upload: text(NAME_CHARS_MAX),
    bytes: integer(0, STATE_VALUE_BYTES_MAX),
    blocks: list(cid(), STATE_BLOCKS_MAX, 1),
  }),
)
export type LargeValue = v.InferOutput<typeof LargeValue.schema>

/** For which entry blocks are kept, or are on their way: where that entry names others, or none, they are nobody's. */
export const Upload = localMessage(
  'upload',
  2 * KIB,
  v.strictObject({
    v: version(),
    namespace: text(NAME_CHARS_MAX),
    key: text(STATE_KEY_BYTES_MAX),
    blocks: integer(1, STATE_BLOCKS_MAX),
  }),
)
export type Upload = v.InferOutput<typeof Upload.schema>
