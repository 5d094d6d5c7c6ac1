/** What shapes the outcomes of WebAssembly functions beside their own code. All of it is part of the engine ID. */

/** Raised with every change of the glue that could change an outcome: fuel, memory or text. */
export const WASM_GLUE_REVISION = 1
