/** WebAssembly modules that a function imports: metered, and carried behind its own module. */
import { dirname, relative } from 'node:path'
import type { Plugin } from 'esbuild'
import { MeshError } from '../../../protocol/errors.ts'
import { MEMORY_BYTES_DEFAULT, MEMORY_BYTES_MIN, MODULES_MAX } from '../../../protocol/limits.ts'
import { MODULE_FILE, type ModuleFile, readModuleFile } from './module-file.ts'

/** What one module may have of the function's memory, if it does not say less itself. */
const MEMORY_SHARE = 1 / 4
const PAGE_BYTES = 65_536

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
/** Stands for a module's number until it is known which modules are used. */
const PLACEHOLDER = /"wayside-module:([^"]*)"/g

/** Where a package is installed tells nothing. */
const stablePath = (path: string): string => path.slice(Math.max(0, path.lastIndexOf('node_modules/')))

const glueOf = (path: string, { facts }: ModuleFile): string => {
  const named = facts.exports.map(({ name }) => name).filter((name) => IDENTIFIER.test(name) && name !== 'default')
  return [
    `const module = /* @__PURE__ */ waysideModule(${JSON.stringify(`wayside-module:${path}`)})`,
    'export default module',
    'export const memory = /* @__PURE__ */ (() => module.memory)()',
    ...named.map(
      (name, i) => `const export${i} = /* @__PURE__ */ (() => module.${name})()\nexport { export${i} as ${name} }`,
    ),
  ].join('\n')
}

/** The modules of one run of esbuild, by their paths from the entry's folder. */
export class ImportedModules {
  readonly #modules = new Map<string, ModuleFile>()
  readonly #memoryBytes: number
  /** Why one of them cannot be carried. */
  failure: MeshError | undefined

  /** `memoryBytes`: the memory that the function has. */
  constructor(memoryBytes = MEMORY_BYTES_DEFAULT) {
    this.#memoryBytes = memoryBytes
  }

  plugin(folder: string, shown: (path: string) => string): Plugin {
    const share = Math.floor((this.#memoryBytes * MEMORY_SHARE) / PAGE_BYTES) * PAGE_BYTES
    return {
      name: 'modules',
      setup: ({ onLoad }) => {
        onLoad({ filter: MODULE_FILE }, async ({ path }) => {
          const name = stablePath(relative(folder, path).replaceAll('\\', '/'))
          try {
            const module = await readModuleFile(path, shown(name), share)
            this.#modules.set(name, module)
            return { contents: glueOf(name, module), loader: 'js', resolveDir: dirname(path) }
          } catch (cause) {
            if (!(cause instanceof MeshError)) throw cause
            this.failure ??= cause
            return { errors: [{ text: cause.message }] }
          }
        })
      },
    }
  }

  /** Paths of what they were made of. */
  get files(): string[] {
    return [...this.#modules.values()].flatMap(({ files }) => files)
  }

  /** The code with the numbers of the modules that it uses, and these, in order. Throws MeshError E_BUNDLE. */
  carriedBy(code: string): { code: string; modules: Uint8Array[] } {
    const used = [...new Set([...code.matchAll(PLACEHOLDER)].map(([, name]) => name as string))].toSorted()
    const modules = used.map((name) => this.#modules.get(name) as ModuleFile)
    const memory = modules.reduce((sum, { facts }) => sum + (facts.memory?.maximumBytes ?? 0), 0)
    if (used.length > MODULES_MAX || this.#memoryBytes - memory < MEMORY_BYTES_MIN) {
      const message =
        `its ${used.length} WebAssembly modules (${used.join(', ')}) may take ${memory} of its ${this.#memoryBytes} bytes ` +
        `of memory, and JavaScript needs ${MEMORY_BYTES_MIN}: raise limits.memory in wayside.json; ${MODULES_MAX} modules at most`
      throw new MeshError('E_BUNDLE', { message, modules: used })
    }
    const numbered = code.replace(PLACEHOLDER, (_, name: string) => String(used.indexOf(name)))
    return { code: numbered, modules: modules.map((module) => module.code) }
  }
}
