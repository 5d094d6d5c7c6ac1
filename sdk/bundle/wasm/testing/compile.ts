/** Real compilers, for tests: clang to a core module or a WASI command, AssemblyScript. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const clang = (source: string, ...options: string[]): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-clang-'))
  try {
    const out = join(folder, 'out.wasm')
    const { status, stderr } = spawnSync('clang', [...options, '-o', out, '-x', 'c', '-'], { input: source })
    if (status !== 0) throw new Error(`clang: ${stderr}`)
    return new Uint8Array(readFileSync(out))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A module that exports what `source` marks with `export_name`; without a C library. */
export const compileC = (source: string, ...options: string[]): Uint8Array =>
  clang(source, '--target=wasm32', '-O3', '-nostdlib', '-fno-builtin', '-Wl,--no-entry', ...options)

/** A WASI command, with the C library. */
export const compileWasi = (source: string, ...options: string[]): Uint8Array =>
  clang(source, '--target=wasm32-wasi', '-O2', ...options)

const SOURCE = 'module.ts'

/** AssemblyScript that imports nothing. */
export const compileAssemblyScript = async (source: string, ...options: string[]): Promise<Uint8Array> => {
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main([SOURCE, '--outFile', 'module.wasm', '-O3', '--use', 'abort=', ...options], {
    readFile: (name) => (name === SOURCE ? source : null),
    writeFile: (name, contents) => {
      if (name === 'module.wasm') binary = contents as Uint8Array
    },
    listFiles: () => [],
  })
  if (error !== null || binary === undefined) throw new Error(`asc: ${stderr.toString()}`)
  return binary
}
