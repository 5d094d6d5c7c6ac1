/** The thread that compiles and meters: see module-file.ts. */
import { readFile } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'
import { MeshError } from '../../../protocol/errors.ts'
import { IMPORTS } from '../../../sandbox/wasm/imports.ts'
import { ASSEMBLY_SCRIPT, compileAssemblyScript } from './assembly-script.ts'
import { meterModule } from './meter.ts'
import type { ModuleAnswer, ModuleFile, ModuleRequest } from './module-file.ts'

const made = async ({ file, shown, memoryBytesMax }: ModuleRequest): Promise<ModuleFile> => {
  const { bytes, files } = ASSEMBLY_SCRIPT.test(file)
    ? await compileAssemblyScript(file, shown)
    : { bytes: new Uint8Array(await readFile(file)), files: [file] }
  try {
    return { ...(await meterModule(bytes, { memoryBytesMax, imports: IMPORTS })), files }
  } catch (cause) {
    if (!(cause instanceof MeshError)) throw cause
    throw new MeshError(cause.code, { ...cause.fields, message: `${shown}: ${cause.message}`, file: shown }, { cause })
  }
}

parentPort!.on('message', async (request: ModuleRequest) => {
  const answer: ModuleAnswer = await made(request).then(
    (module) => ({ id: request.id, module }),
    // What is thrown loses its class on its way to another thread.
    (error) =>
      error instanceof MeshError
        ? { id: request.id, code: error.code, fields: error.fields }
        : { id: request.id, error },
  )
  parentPort!.postMessage(answer)
})
