/** What a caller lets a home do in its name. */
import * as v from 'valibot'
import { EFFECT_KINDS } from './effects.ts'
import { BINDINGS_MAX, FUEL_MAX, STATE_NAMESPACE_CHARS_MAX } from './limits.ts'
import { bytes, cid, instantMs, integer, list, message, optional, peerId, text, version } from './schema.ts'

/**
 * "`home` may run this for me", said by its signer, the caller. `function`: no other; missing: any. `effects`: kinds that
 * it may request. `in`: namespaces in which it may read and write, as the caller names them; missing: any. `fuel`: the limit of
 * one invocation, with all that it calls.
 */
export const Delegation = message(
  'delegation',
  8192,
  v.strictObject({
    v: version(),
    in: optional(list(text(STATE_NAMESPACE_CHARS_MAX), BINDINGS_MAX)),
    mesh: cid(),
    home: peerId(),
    function: optional(cid()),
    effects: list(v.picklist(EFFECT_KINDS), EFFECT_KINDS.length),
    fuel: integer(1, FUEL_MAX),
    not_before_ms: instantMs(),
    expires_ms: instantMs(),
    nonce: bytes(16, 16),
  }),
)
export type Delegation = v.InferOutput<typeof Delegation.schema>
