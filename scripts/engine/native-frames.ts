/** The native frames of the engine's functions, as `measure.ts` found them: the largest of all hosts and compilers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const NATIVE_FRAMES_FILE = join(import.meta.dirname, 'native-frames.json')

/** What a dedicated worker of Chromium 156 has for WebAssembly; all other hosts have more. */
export const SMALLEST_STACK_BYTES = 509_755

/** For hosts and workloads that were not measured: what is inlined into a function depends on what ran before. */
export const MARGIN = 1.25

/**
 * Bytes of a stack of SMALLEST_STACK_BYTES, by the function's name in the recipe: its number in the pinned package, or
 * what a pass calls it.
 */
export const readNativeFrames = (): ReadonlyMap<string, number> =>
  new Map(Object.entries(JSON.parse(readFileSync(NATIVE_FRAMES_FILE, 'utf8'))))
