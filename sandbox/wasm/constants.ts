/** What shapes the outcomes of WebAssembly modules beside their own code. All of it is part of the engine ID. */
import { KIB } from '../../protocol/limits.ts'

/** Raised with every change of the glue that could change an outcome: fuel, memory or text. */
export const WASM_GLUE_REVISION = 1

/** Gas in one unit of fuel: so much takes as long as a poll of the JavaScript engine (decision 31). */
export const GAS_PER_FUEL = 500

/**
 * What the stack of a function may come to, by the frames of frame.ts: some 1,800 plain calls. A frame takes no more of
 * a host's stack than it counts, in any tier of V8 and SpiderMonkey, and the smallest stack, in a worker of Chromium,
 * has room for 507 KiB of the worst frames (decision 30).
 */
export const STACK_BYTES_MAX = 256 * KIB

/** Of an instance, beside 1 a byte of its module: a memory is mapped, its segments are copied, its imports made. */
export const INSTANCE_GAS = 300_000
/** Of each page that a memory begins with: as much as of one that it grows by (patterns.ts). Mapped and cleared when it is touched, some 60 µs. */
export const PAGE_GAS = 2 ** 20
/** Of a call of an import, and of every byte that it moves. */
export const IMPORT_GAS = 30_000
export const IMPORT_GAS_A_BYTE = 32
/** Buffers that one call may name: as many as POSIX lets `writev` have. */
export const IO_VECTORS_MAX = 1024
