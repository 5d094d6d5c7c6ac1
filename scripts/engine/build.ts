/**
 * `node scripts/engine/build.ts`: makes `sandbox/quickjs.wasm` from the pinned package and `sandbox/guest/built.ts`
 * from its sources, and writes down the engine IDs of those with whatever else shapes outcomes, and of the WebAssembly
 * tier. The same bytes on every machine.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import binaryen from 'binaryen'
import { WASM_ENGINE_ID, wasmEngineId } from '../../sandbox/wasm/engine-id.ts'
import { keepApart } from './apart.ts'
import { writeGuest } from './guest.ts'
import { meterLoops } from './meter-loops.ts'
import { padStack } from './pad.ts'
import { slimInterpreter } from './slim.ts'
import { ENGINE_FILE, readSource } from './source.ts'
import { trimExports } from './trim.ts'

/** Changes the engine in place. Must not depend on anything but the module. */
export type EnginePass = (module: binaryen.Module) => void

/** In this order. With these, `measure.ts` finds out how large the native frames are. */
export const UNPADDED: readonly EnginePass[] = [slimInterpreter, meterLoops, keepApart]
export const PASSES: readonly EnginePass[] = [...UNPADDED, padStack, trimExports]

/** What LLVM targets for emscripten's engine, and no more. */
const FEATURES =
  binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt

/** The binary of the engine, with these passes. Throws if it is not valid. */
export const buildEngine = (passes: readonly EnginePass[] = PASSES): Uint8Array => {
  const module = binaryen.readBinary(readSource())
  module.setFeatures(FEATURES)
  for (const pass of passes) pass(module)
  if (!module.validate()) throw new Error('the passes made a module that is not valid')
  const bytes = module.emitBinary()
  module.dispose()
  return bytes
}

const writeId = (file: string, before: string, id: string) => {
  const path = join(import.meta.dirname, '../../sandbox', file)
  writeFileSync(path, readFileSync(path, 'utf8').replace(before, id))
  console.log(id)
}

if (import.meta.main) {
  await writeGuest()
  const { ENGINE_ID, engineId } = await import('../../sandbox/engine-id.ts')
  const wasm = buildEngine()
  writeFileSync(ENGINE_FILE, wasm)
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
  writeId('engine-id.ts', ENGINE_ID, engineId(hash, wasm))
  writeId('wasm/engine-id.ts', WASM_ENGINE_ID, wasmEngineId(hash))
}
