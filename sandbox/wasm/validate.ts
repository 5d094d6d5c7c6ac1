/** Is a WebAssembly module in the metered form? Decides alone from the bytes, in time linear in their number, the same on every host. */
import type { MeteredFacts, MeteredLimits } from './form.ts'

/** `reason` says what is wrong and where, in one line. */
export type Verdict = { ok: true; facts: MeteredFacts } | { ok: false; reason: string }

/**
 * Call it before the host compiles `code`: types are left to `WebAssembly.compile`, which must follow. A module that
 * passes both cannot run without paying, and cannot overflow the host's stack.
 */
export const validateMetered = (_code: Uint8Array, _limits: MeteredLimits): Verdict => ({
  ok: false,
  reason: 'this version does not run WebAssembly modules',
})
