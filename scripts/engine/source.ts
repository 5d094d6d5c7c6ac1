/** What the engine is built from: QuickJS 2025-09-13 as emscripten compiled it, with its memory imported. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package, whose licence is passed on with what is made of it. */
export const SOURCE_PACKAGE = '@jitl/quickjs-wasmfile-release-sync'

/** SHA-256 of dist/emscripten-module.wasm in version 0.32.0 of the package. */
const SOURCE_SHA256 = '105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232'

export const readSource = (): Uint8Array => {
  const bytes = new Uint8Array(readFileSync(fileURLToPath(import.meta.resolve(`${SOURCE_PACKAGE}/wasm`))))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== SOURCE_SHA256)
    throw new Error(`${SOURCE_PACKAGE} holds ${found}, and the engine is made of ${SOURCE_SHA256}`)
  return bytes
}

/** The engine as it is committed. */
export const ENGINE_FILE = join(import.meta.dirname, '../../sandbox/quickjs.wasm')
