/**
 * `node scripts/engine/build.ts`: makes `sandbox/quickjs.wasm` from the pinned package, and writes down the engine ID of
 * that file and of whatever else shapes outcomes. The same bytes on every machine.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import binaryen from 'binaryen'
import { ENGINE_ID, engineId } from '../../sandbox/engine-id.ts'
import { meterLoops } from './meter-loops.ts'
import { ENGINE_FILE, readSource } from './source.ts'

/** Changes the engine in place. Must not depend on anything but the module. */
export type EnginePass = (module: binaryen.Module) => void

/** In this order. */
const PASSES: readonly EnginePass[] = [meterLoops]

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

const ID_FILE = join(import.meta.dirname, '../../sandbox/engine-id.ts')

if (import.meta.main) {
  const wasm = buildEngine()
  writeFileSync(ENGINE_FILE, wasm)
  const id = engineId((bytes) => createHash('sha256').update(bytes).digest(), wasm)
  writeFileSync(ID_FILE, readFileSync(ID_FILE, 'utf8').replace(ENGINE_ID, id))
  console.log(`${ENGINE_FILE}: ${wasm.length} bytes, ${id}`)
}
