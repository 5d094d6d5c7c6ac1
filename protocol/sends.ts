/** What a home keeps of a `send` from its commit until it was delivered: what was asked, and within which grants. */
import * as v from 'valibot'
import { EFFECTS } from './effects.ts'
import { grantsSchema } from './grants.ts'
import { STATE_PUT_BYTES_MAX } from './limits.ts'
import { instantMs, integer, localMessage, text, version } from './schema.ts'

/** `begun`: it may have been sent, and its grant does not let it be sent twice. Of secrets there are names only. */
export const SendRecord = localMessage(
  'send record',
  STATE_PUT_BYTES_MAX,
  v.strictObject({
    v: version(),
    asked: EFFECTS.send.shape,
    grants: grantsSchema,
    /** Its idempotency key is made of these. */
    invocation: text(128),
    n: integer(0),
    created_ms: instantMs(),
    begun: v.boolean(),
  }),
)
export type SendRecord = v.InferOutput<typeof SendRecord.schema>
