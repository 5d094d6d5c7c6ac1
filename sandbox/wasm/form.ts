/** The metered form of a WebAssembly module: the names that it reserves, and what its checker tells of it. README.md is the specification. */

/** Mutable i64 global: gas that is left. The host sets it before a call and reads it after; below zero the run is out of gas. */
export const GAS_EXPORT = 'wayside:gas'
/** Mutable i64 global: bytes of stack that are left. The host sets it to `STACK_BYTES_MAX` of constants.ts before a call; below zero the run went too deep. */
export const STACK_EXPORT = 'wayside:stack'
/** What is in it after a trap because the host had no memory, though the module may have it: no outcome, on this host alone. */
export const NO_MEMORY_MARK = -(2n ** 63n)
/** Function `() -> ()`: what the module's start function was. If there is one, the host calls it once, before anything else. */
export const START_EXPORT = 'wayside:start'
/** The only name under which a module may export its memory. */
export const MEMORY_EXPORT = 'memory'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64'

export interface FunctionType {
  params: ValueType[]
  results: ValueType[]
}

export interface MeteredLimits {
  /** The largest memory that the module may declare, bytes: a multiple of 64 KiB. */
  memoryBytesMax: number
  /** What the module may import: functions, by `module.name`. */
  imports: ReadonlyMap<string, FunctionType>
}

/** What a module that passed says of itself. */
export interface MeteredFacts {
  /** In the order of the module. */
  imports: { module: string; name: string; type: FunctionType }[]
  /** Functions, without the reserved ones, in the order of the module. */
  exports: { name: string; type: FunctionType }[]
  /** Bytes at the start, and at most. Undefined: the module has no memory. */
  memory: { initialBytes: number; maximumBytes: number } | undefined
  /** Does it export `START_EXPORT`? */
  start: boolean
}
