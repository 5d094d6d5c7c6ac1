/** What shapes outcomes beside the engine's binary and the prelude. All of it is part of the engine ID. */
import { FUEL_TICK, KIB, MIB } from '../protocol/limits.ts'

/**
 * Raised with every change of the glue that could change an outcome: fuel, memory or text; also of what protocol/effects.ts
 * says of wrong arguments, which a function can read.
 */
export const GLUE_REVISION = 4

/** How deep a guest may go on the engine's own stack: 1,022 plain calls. There QuickJS throws what the guest can catch. */
export const STACK_BYTES_MAX = 176 * KIB
/** Beyond that, for what the engine calls after its last check, and for recursion that it does not check: there the run ends. */
export const STACK_RESERVE_BYTES = 12 * KIB
/** The reserve, and what functions that check nothing take beyond it: no run writes further (`../scripts/engine/pad.ts`). */
export const STACK_SLACK_BYTES = 16 * KIB
/** So many native bytes, at most, go with a byte of the engine's stack (decision 22). */
export const NATIVE_PER_STACK_BYTE = 2.2

/**
 * A guest that uses more of its stack cannot call a WebAssembly module, which may take 256 KiB of the native one itself: both
 * and the glue fit into the smallest, which is that of a worker in Chromium.
 */
export const MODULE_CALL_STACK_BYTES_MAX = 72 * KIB

/** What `Date.now()` and `new Date()` say: 2000-01-01T00:00:00Z. Not 0, which packages take for "no date". */
export const INSTANT_MS = 946_684_800_000

/** Evaluating a module takes some 10^5 for a large bundle; this is a quarter of a second of loops. Not charged to calls. */
export const LOAD_FUEL_MAX = 2_000 * FUEL_TICK

/** Memory grows by an eighth at a time and at least by this much, so that big guests do not grow in steps of 64 KiB. */
export const GROWTH_BYTES_MIN = 1 * MIB
export const GROWTH_SHARE = 1 / 8

/** The name of the function's module in stacks. */
export const MODULE_NAME = 'function.js'
/** The name of the prelude there; its frames are left out. */
export const PRELUDE_NAME = 'wayside'
