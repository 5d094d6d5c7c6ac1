/** A function as a build hands it to a page, which bundles none: a file of its own. No message: nobody sends it. */
import * as v from 'valibot'
import { CODE_BYTES_MAX, FUEL_MAX, MEMORY_BYTES_MAX, MODULES_MAX, TIMEOUT_MS_MAX } from './limits.ts'
import { bindings } from './records.ts'
import { bytes, integer, list, message, name, optional, text, version } from './schema.ts'
import { TIERS } from './tiers.ts'

const code = () => bytes(CODE_BYTES_MAX, 1)

export const FunctionFile = message(
  'function file',
  CODE_BYTES_MAX + 65_536,
  v.strictObject({
    v: version(),
    name: name(),
    tier: v.picklist(TIERS),
    code: code(),
    modules: list(code(), MODULES_MAX),
    exports: list(name(), 256, 1),
    effects: list(name(), 64),
    env: optional(bindings()),
    fuel: integer(1, FUEL_MAX),
    memory_bytes: integer(1, MEMORY_BYTES_MAX),
    timeout_ms: integer(1, TIMEOUT_MS_MAX),
    /** None: the house's choice. */
    verify: text(32),
  }),
)
