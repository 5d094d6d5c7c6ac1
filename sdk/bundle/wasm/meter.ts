/** Any WebAssembly module of a compiler as a metered one, which executors take. */
import { MeshError } from '../../../protocol/errors.ts'
import type { MeteredFacts, MeteredLimits } from '../../../sandbox/wasm/form.ts'
import { validateMetered } from '../../../sandbox/wasm/validate.ts'

export interface Metered {
  /** The module in the metered form (sandbox/wasm/README.md). The same input gives the same bytes on any machine. */
  code: Uint8Array
  facts: MeteredFacts
}

/** Meters `module`, a core module. Throws MeshError E_BUNDLE, which says what it may not have and what to do. */
export const meterModule = async (module: Uint8Array, limits: MeteredLimits): Promise<Metered> => {
  const verdict = validateMetered(module, limits)
  if (!verdict.ok) throw new MeshError('E_BUNDLE', verdict.reason)
  return { code: module, facts: verdict.facts }
}
