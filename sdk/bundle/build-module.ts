/**
 * The one run of esbuild, with every option that could let the machine show in the bytes set on purpose.
 *
 * Work starts from the entry's own folder, so that every path esbuild writes (above each module, and as the name of each
 * CommonJS wrapper) is relative to the entry. What then still tells where packages were installed, how high above the
 * entry and by which package manager, is cut: such a path begins after its last node_modules/.
 */
import { dirname, join } from 'node:path'
import { type BuildFailure, type BuildOptions, build, type Metafile } from 'esbuild'
import type { MeshError } from '../../protocol/errors.ts'
import { buildFailure, importFailure, type Place, warningText } from './build-errors.ts'
import { shownPath } from './shown-path.ts'
import { ImportedModules } from './wasm/imported-modules.ts'

export interface BuiltModule {
  code: Uint8Array
  /** WebAssembly modules that it imports, in the metered form. */
  modules: Uint8Array[]
  /** Paths of what those were made of. */
  moduleFiles: string[]
  map: string
  exports: string[]
  /** What went into the code: paths relative to the entry's folder, bytes of the output. */
  inputs: { path: string; bytes: number }[]
  warnings: string[]
}

const OUTPUT = 'wayside-bundle.js'

const OPTIONS = {
  bundle: true,
  write: false,
  allowOverwrite: true,
  metafile: true,
  sourcemap: 'external',
  sourcesContent: true,
  logLevel: 'silent',
  format: 'esm',
  platform: 'browser',
  // What the engine parses (a test runs it); newer syntax is lowered, decorators and `using` among it.
  target: 'es2024',
  mainFields: ['browser', 'module', 'main'],
  conditions: ['wayside', 'worker', 'browser'],
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  treeShaking: true,
  charset: 'utf8',
  legalComments: 'inline',
} as const satisfies BuildOptions

/** Builds `file` (a real path). Throws MeshError E_BUNDLE or E_FUNCTION_SYNTAX. */
export const buildModule = async (
  file: string,
  tsconfig: string | undefined,
  cwd: string,
  memoryBytes?: number,
): Promise<BuiltModule> => {
  const folder = dirname(file)
  const imported = new ImportedModules(memoryBytes)
  const place = { folder, cwd }
  const { metafile, outputFiles, warnings } = await build({
    ...OPTIONS,
    entryPoints: [file],
    absWorkingDir: folder,
    outfile: join(folder, OUTPUT),
    sourceRoot: folder,
    plugins: [imported.plugin(folder, (path) => shownPath(join(folder, path), cwd))],
    ...(tsconfig === undefined ? { tsconfigRaw: '{}' } : { tsconfig }),
  }).catch((failure: BuildFailure) => {
    if (imported.failure) throw imported.failure
    throw failure.errors ? buildFailure(failure.errors, place) : failure
  })
  const unusable = unusableImport(metafile, place)
  if (unusable) throw unusable
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(name))!.text
  const output = metafile.outputs[OUTPUT]!
  const { code, modules } = imported.carriedBy(text(OUTPUT))
  return {
    code: new TextEncoder().encode(withStablePaths(code, new Set(Object.keys(metafile.inputs)))),
    modules,
    moduleFiles: imported.files,
    map: text(`${OUTPUT}.map`),
    exports: output.exports,
    inputs: Object.entries(output.inputs).map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput })),
    warnings: warnings.map((warning) => warningText(warning, place)),
  }
}

/** esbuild leaves URLs to be fetched at run time and puts CSS beside the module; a function can use neither. */
const unusableImport = (metafile: Metafile, place: Place): MeshError | undefined => {
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (external && URL_IMPORT.test(path)) return importFailure(path, file, place, REMOTE)
      if (path.endsWith('.css')) return importFailure(path, file, place, STYLES)
    }
  }
}

const URL_IMPORT = /^(https?:)?\/\//
const REMOTE = 'from the network: install the package with npm, or download the file and import that'
const STYLES = 'a style sheet, which a function has no page for: remove the import'

/** A module's name as esbuild writes it: in a comment of its own line, or as the only method of a wrapper. */
const NAMED_LINE = /^(\/\/ | {2}(?:async )?")([^"\n]+)(?="\(|$)/gm

const withStablePaths = (code: string, inputs: ReadonlySet<string>): string =>
  code.replace(NAMED_LINE, (line, before: string, path: string) => {
    const packages = path.lastIndexOf('node_modules/')
    return packages > 0 && inputs.has(path) ? before + path.slice(packages) : line
  })
