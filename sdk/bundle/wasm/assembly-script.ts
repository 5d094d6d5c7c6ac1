/** AssemblyScript as WebAssembly, by the compiler that the author installed. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MeshError } from '../../../protocol/errors.ts'

/** What is used of `assemblyscript/asc`. */
interface Compiler {
  main(
    options: readonly string[],
    host: {
      readFile(name: string, folder: string): string | null
      writeFile(name: string, contents: Uint8Array | string): void
      listFiles(): string[]
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>
}

/** By this end of its name a source is told from TypeScript. */
export const ASSEMBLY_SCRIPT = /\.as\.ts$/

const PACKAGE = 'assemblyscript'
const OUTPUT = 'module.wasm'

/** Beside the source, else beside this program. */
const findCompiler = (folder: string): string | undefined => {
  for (const from of [join(folder, 'any.js'), import.meta.url]) {
    try {
      return join(dirname(createRequire(from).resolve(`${PACKAGE}/package.json`)), 'dist/asc.js')
    } catch {
      // Not there.
    }
  }
  return undefined
}

/**
 * The module, and the paths of what it was made of. Holds its thread. `file`: a real path; `shown`: its name in messages.
 * Throws MeshError E_BUNDLE or E_FUNCTION_SYNTAX.
 */
export const compileAssemblyScript = async (
  file: string,
  shown: string,
): Promise<{ bytes: Uint8Array; files: string[] }> => {
  const folder = dirname(file)
  const compiler = findCompiler(folder)
  if (compiler === undefined) {
    const message = `${shown} is AssemblyScript, whose compiler is not installed: run npm install --save-dev ${PACKAGE}`
    throw new MeshError('E_BUNDLE', { message, file: shown })
  }
  const { main } = (await import(pathToFileURL(compiler).href)) as Compiler
  let bytes: Uint8Array | undefined
  const files: string[] = []
  // Names stay relative to the source, so that the bytes say nothing of this machine.
  const { error, stderr } = await main([basename(file), '--outFile', OUTPUT, '-O3'], {
    readFile: (name) => {
      const path = join(folder, name)
      if (!existsSync(path)) return null
      files.push(path)
      return readFileSync(path, 'utf8')
    },
    writeFile: (name, contents) => {
      if (name === OUTPUT) bytes = contents as Uint8Array
    },
    listFiles: () => [],
  })
  if (!error && bytes) return { bytes, files }
  const message = `${shown} does not compile:\n${stderr.toString().trim() || error?.message}`
  throw new MeshError('E_FUNCTION_SYNTAX', { message, file: shown })
}
