/**
 * A function with everything it imports, as one module whose bytes depend on the sources alone.
 *
 * Nothing is minified. A stack trace of the guest names the author's functions and a line that can be read, a class
 * keeps its `name`, and whoever lends a machine can read what runs on it. That costs about a third more bytes than
 * without whitespace; blocks are fetched once.
 */
import { existsSync, statSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BINDING_OF, isBound } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Grants } from '../../protocol/grants.ts'
import { CODE_BYTES_MAX, MEMORY_BYTES_DEFAULT, NAME_CHARS_MAX } from '../../protocol/limits.ts'
import type { Tier } from '../../protocol/tiers.ts'
import { callableExports } from '../../sandbox/wasm/entries.ts'
import { type BuiltModule, buildModule } from './build-module.ts'
import { effectsIn } from './effects.ts'
import { findProject, PROJECT_FILE, type Project, type ProjectLimits, readProject } from './project-file.ts'
import { shownPath } from './shown-path.ts'
import { MODULE_FILE, readModuleFile } from './wasm/module-file.ts'

export interface Bundle {
  /** What `code` is. */
  tier: Tier
  /**
   * UTF-8 text of an ES module without imports, or a WebAssembly module in the metered form. The same sources give the
   * same bytes anywhere.
   */
  code: Uint8Array
  /** WebAssembly modules that it imports, in the order in which it numbers them. */
  modules?: Uint8Array[]
  /** `name` of wayside.json, else the entry's file name without its extension. */
  name: string
  /** What the module exports, sorted. Of an ES module only the sandbox can tell which are callable. */
  exports: string[]
  /** The kinds of effect the function may request, sorted, by the rule of effects.ts. */
  effects: string[]
  /** From wayside.json, as are the next two. */
  limits?: ProjectLimits
  verify?: string
  env?: Grants
  /** What the author should know though it bundled, one line each. */
  warnings: string[]
  /** Paths on this machine of all that it was made of, and of the files that say how; some of these may not exist. */
  files: string[]
  /** Source map of `code` as JSON, for `createStackReader`. It has the sources and names folders of this machine: keep it here. */
  map: string
}

/**
 * Bundles `entry`, a path relative to `cwd` or a file: URL. Throws MeshError:
 * E_BUNDLE (no such file, an import that cannot be had, no exports, too large), E_FUNCTION_SYNTAX (an own source does
 * not parse) or E_CONFIG (wayside.json). Paths in messages are relative to `cwd` where they lie inside.
 */
export const bundle = async (entry: string | URL, options: { cwd?: string } = {}): Promise<Bundle> => {
  const cwd = await realpath(options.cwd ?? process.cwd())
  const file = await findEntry(entry, cwd)
  const folder = dirname(file)
  const root = findProject(folder)
  const { name, limits, verify, env }: Project = root === undefined ? {} : readProject(root, cwd)
  const about = {
    name: (name ?? basename(file).replace(EXTENSION, '')).slice(0, NAME_CHARS_MAX),
    ...(limits && { limits }),
    ...(verify && { verify }),
    ...(env && { env }),
  }
  if (MODULE_FILE.test(file)) return { ...about, ...(await bundleModuleFile(file, shownPath(file, cwd), limits)) }
  const built = await buildModule(file, findTsconfig(folder, root ?? folder), cwd, limits?.memoryBytes)
  refuseUnusable(built, shownPath(file, cwd))
  return {
    ...about,
    tier: 'javascript',
    code: built.code,
    ...(built.modules.length > 0 && { modules: built.modules }),
    exports: built.exports.toSorted(),
    effects: await effectsOf(built, folder, env),
    warnings: built.warnings,
    files: filesOf(built, folder, root ?? folder),
    map: built.map,
  }
}

const EXTENSION = /(\.as)?\.[^.]*$/

const NO_MAP = JSON.stringify({ version: 3, sources: [], names: [], mappings: '' })

/** It can request nothing. */
const bundleModuleFile = async (file: string, shown: string, limits: ProjectLimits = {}) => {
  const { code, facts, files } = await readModuleFile(file, shown, limits.memoryBytes ?? MEMORY_BYTES_DEFAULT)
  const exports = callableExports(facts).toSorted()
  const nothing = { effects: [], warnings: [], map: NO_MAP }
  if (exports.length > 0) return { tier: 'webassembly' as const, code, exports, files, ...nothing }
  const message =
    `${shown} has nothing that can be called: neither _start, as a WASI command has, ` +
    'nor alloc(i32) -> i32 with a function (i32, i32) -> i64 over bytes (README, "WebAssembly")'
  throw new MeshError('E_BUNDLE', { message, file: shown })
}

/** The entry's real path, so that a symlink leads to the same bytes. */
const findEntry = async (entry: string | URL, cwd: string): Promise<string> => {
  if (entry instanceof URL && entry.protocol !== 'file:') {
    throw new MeshError('E_BUNDLE', {
      message: `${entry} is not a file: URL; download it and name the file`,
      entry: entry.href,
    })
  }
  const path = entry instanceof URL ? fileURLToPath(entry) : resolve(cwd, entry)
  const shown = shownPath(path, cwd)
  if (!existsSync(path)) {
    const message = `${shown}: there is no such file; looked for ${path}`
    throw new MeshError('E_BUNDLE', { message, file: shown })
  }
  if (!statSync(path).isFile()) {
    throw new MeshError('E_BUNDLE', {
      message: `${shown} is not a file; name the file that exports the function`,
      file: shown,
    })
  }
  return realpath(path)
}

/** The tsconfig.json of the project, nearest to the entry; never one of a folder that merely contains the project. */
const findTsconfig = (folder: string, root: string): string | undefined => {
  const path = join(folder, 'tsconfig.json')
  if (existsSync(path)) return path
  return folder === root ? undefined : findTsconfig(dirname(folder), root)
}

const refuseUnusable = ({ code, exports, inputs }: BuiltModule, file: string) => {
  if (exports.length === 0) {
    const message = `${file} exports nothing; write \`export default function …\` or export a function by name`
    throw new MeshError('E_BUNDLE', { message, file })
  }
  if (code.length <= CODE_BYTES_MAX) return
  const largest = inputs.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3)
  const named = largest.map(({ path, bytes }) => `${path} (${bytes} bytes)`).join(', ')
  const message = `${file} bundles to ${code.length} bytes, over the limit of ${CODE_BYTES_MAX}; the largest parts are ${named}`
  throw new MeshError('E_BUNDLE', { message, file, bytes: code.length, limit: CODE_BYTES_MAX })
}

/** The folders from `folder` up to `root`. */
const foldersUpTo = (root: string, folder: string): string[] =>
  folder === root ? [folder] : [folder, ...foldersUpTo(root, dirname(folder))]

const filesOf = ({ inputs, moduleFiles }: BuiltModule, folder: string, root: string): string[] => [
  ...new Set([
    ...inputs.filter(({ path }) => !path.startsWith(DISABLED)).map(({ path }) => join(folder, path)),
    ...moduleFiles,
  ]),
  ...foldersUpTo(root, folder).flatMap((each) => CONFIGURATIONS.map((name) => join(each, name))),
]

const CONFIGURATIONS = ['tsconfig.json', 'package.json', PROJECT_FILE]

/** How esbuild names a module that a package's `browser` field says to leave out. */
const DISABLED = '(disabled):'

const effectsOf = async ({ inputs }: BuiltModule, folder: string, env: Project['env'] = {}): Promise<string[]> => {
  const own = inputs.filter(
    ({ path }) => !path.split('/').includes('node_modules') && !path.startsWith(DISABLED) && !MODULE_FILE.test(path),
  )
  const found = await Promise.all(
    own.map(async ({ path }) => effectsIn(path, await readFile(join(folder, path), 'utf8'))),
  )
  const kinds = new Set(Object.values(env).flatMap((grant) => Object.keys(grant)))
  const reads = kinds.has('state') ? (['get', 'list'] as const) : []
  const fetches = kinds.has('fetch') ? (['fetch'] as const) : []
  const asked = found.flat().filter((kind) => !isBound(kind) || kinds.has(BINDING_OF[kind]))
  return [...new Set([...reads, ...fetches, ...asked])].toSorted()
}
