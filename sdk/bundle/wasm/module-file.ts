/** A file that is a WebAssembly module, or becomes one, in the metered form. */
import { readFile } from 'node:fs/promises'
import { MeshError } from '../../../protocol/errors.ts'
import { IMPORTS } from '../../../sandbox/wasm/imports.ts'
import { ASSEMBLY_SCRIPT, compileAssemblyScript } from './assembly-script.ts'
import { type Metered, meterModule } from './meter.ts'

/** Names of such files. */
export const MODULE_FILE = /\.(wasm|as\.ts)$/

/** `shown`: its name in messages. Throws MeshError E_BUNDLE or E_FUNCTION_SYNTAX. */
export const readModuleFile = async (file: string, shown: string, memoryBytesMax: number): Promise<Metered> => {
  const bytes = ASSEMBLY_SCRIPT.test(file) ? await compileAssemblyScript(file, shown) : await readFile(file)
  try {
    return await meterModule(new Uint8Array(bytes), { memoryBytesMax, imports: IMPORTS })
  } catch (cause) {
    if (!(cause instanceof MeshError)) throw cause
    throw new MeshError(cause.code, { ...cause.fields, message: `${shown}: ${cause.message}`, file: shown }, { cause })
  }
}
