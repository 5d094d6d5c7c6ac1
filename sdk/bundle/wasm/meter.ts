/**
 * Any WebAssembly module of a compiler as a metered one, which executors take. Binaryen reads it, makes one plain form
 * of what compilers write in many, and drops what is not used. The charges go in after its last pass, into the bytes
 * that it printed, since they have to be exact for those.
 */
import { MeshError } from '../../../protocol/errors.ts'
import type { MeteredFacts, MeteredLimits } from '../../../sandbox/wasm/form.ts'
import { PAGE_BYTES } from '../../../sandbox/wasm/limits.ts'
import { Refusal } from '../../../sandbox/wasm/refusal.ts'
import { validateMetered } from '../../../sandbox/wasm/validate.ts'
import { chargeModule } from './charge-module.ts'
import { normalise } from './normalise.ts'

export interface Metered {
  /** The module in the metered form (sandbox/wasm/README.md). The same input gives the same bytes on any machine. */
  code: Uint8Array
  facts: MeteredFacts
}

/** Meters `module`, a core module. Throws MeshError E_BUNDLE, which says what it may not have and what to do. */
export const meterModule = async (module: Uint8Array, limits: MeteredLimits): Promise<Metered> => {
  const plain = await normalise(module)
  const code = charged(plain, Math.floor(limits.memoryBytesMax / PAGE_BYTES))
  const verdict = validateMetered(code, limits)
  if (!verdict.ok) throw unfit(verdict.reason)
  return { code, facts: verdict.facts }
}

const charged = (plain: Uint8Array, memoryPagesMax: number): Uint8Array => {
  try {
    return chargeModule(plain, memoryPagesMax)
  } catch (error) {
    if (error instanceof Refusal) throw unfit(error.message, error)
    throw error
  }
}

const unfit = (reason: string, cause?: unknown) =>
  new MeshError('E_BUNDLE', { message: `the WebAssembly module cannot be metered: ${reason}`, reason }, { cause })
