/**
 * How the minified names of the engine's binary, `quickjs.wasm`, read. `wasm-names.test.ts` checks each line against
 * the package that it is made from (`scripts/engine/`), and derives the addresses anew.
 */

/** Our name: the minified export. */
export const EXPORTS = {
  initialize: 'u',
  malloc: 'v',
  free: 'M',
  stackRestore: 'Ma',
  stackPointer: 'Oa',
  newRuntime: 'K',
  newContext: 'N',
  setMaxStackSize: 'D',
  newFunction: 'Da',
  newString: '_',
  newArrayBuffer: 'X',
  newFloat64: 'Y',
  getFloat64: 'Z',
  getUndefined: 'E',
  getString: '$',
  freeString: 'S',
  getArrayBuffer: 'aa',
  getArrayBufferLength: 'ba',
  getPropNumber: 'ia',
  getProp: 'ha',
  evaluate: 'pa',
  call: 'ma',
  resolveException: 'na',
  freeValue: 'P',
  promiseState: 'wa',
  promiseResult: 'xa',
  isJobPending: 'fa',
  executePendingJob: 'ga',
} as const

/** Our name: the C name that the package's own glue gives to that export. */
export const C_NAMES = {
  malloc: '_malloc',
  free: '_free',
  newRuntime: '_QTS_NewRuntime',
  newContext: '_QTS_NewContext',
  setMaxStackSize: '_QTS_RuntimeSetMaxStackSize',
  newFunction: '_QTS_NewFunction',
  newString: '_QTS_NewString',
  newArrayBuffer: '_QTS_NewArrayBuffer',
  newFloat64: '_QTS_NewFloat64',
  getFloat64: '_QTS_GetFloat64',
  getUndefined: '_QTS_GetUndefined',
  getString: '_QTS_GetString',
  freeString: '_QTS_FreeCString',
  getArrayBuffer: '_QTS_GetArrayBuffer',
  getArrayBufferLength: '_QTS_GetArrayBufferLength',
  getProp: '_QTS_GetProp',
  getPropNumber: '_QTS_GetPropNumber',
  evaluate: '_QTS_Eval',
  call: '_QTS_Call',
  resolveException: '_QTS_ResolveException',
  freeValue: '_QTS_FreeValuePointer',
  promiseState: '_QTS_PromiseState',
  promiseResult: '_QTS_PromiseResult',
  isJobPending: '_QTS_IsJobPending',
  executePendingJob: '_QTS_ExecutePendingJob',
} as const satisfies Partial<Record<keyof typeof EXPORTS, string>>

/** Places in the engine's memory, in bytes. */
export const LAYOUT = {
  /** Emscripten's program break: the end of what malloc has ever been given. */
  sbrkPointer: 86_864,
  /** Of the engine's stack, which lies between its static data and its heap. */
  stackBytes: 5 * 1024 * 1024,
  /** In JSContext: the state of Math.random, 64 bits. */
  randomState: 224,
  /** In JSRuntime: what functions that are compiled do not keep, one byte. */
  stripFlags: 228,
} as const

/** The word that all work of the engine is charged to (`scripts/engine/meter-loops.ts`): units left until the next tick, 32 bits. */
export const METER = {
  /** Below the engine's own data, which begins at 1024; so it is part of each image. */
  address: 1008,
  /** What one poll of the interpreter costs. */
  unitsPerFuel: 256,
} as const
