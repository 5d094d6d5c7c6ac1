/** How calls of modules cross: numbers as they are, bigints and failures as text, bytes as ArrayBuffers. */
import { MODULE_CALL_STACK_BYTES_MAX } from './constants.ts'
import type { Engine } from './engine.ts'
import { HOST } from './host-calls.ts'
import type { Roots } from './image.ts'
import { crossingExports, type ModuleExport, ModuleFailure, type RunModules } from './modules.ts'
import type { Program } from './program/program.ts'

/** A bigint in decimal. */
const DIGITS_MAX = 32
/** What one `write` may hand over. */
const WRITE_BYTES_MAX = 64 * 1024 * 1024

export class ModuleCalls {
  readonly #engine: Engine
  readonly #context: number
  readonly #stackTop: number
  readonly #exports: readonly ModuleExport[][]
  /** None while the function's own module is evaluated. */
  readonly #modules: RunModules | undefined

  constructor(engine: Engine, roots: Roots, programs: readonly Program[], modules?: RunModules) {
    this.#engine = engine
    this.#context = roots.context
    this.#stackTop = roots.stackTop
    this.#exports = programs.map(crossingExports)
    this.#modules = modules
  }

  /** Is host function `id` one of these? */
  static serves(id: number): boolean {
    return id >= HOST.module && id <= HOST.moduleWrite
  }

  /** Carries out host function `id`; returns where its result is. Throws what `RunModules` throws, but ModuleFailure. */
  hostCall(id: number, args: readonly number[]): number {
    const [first = 0, ...rest] = args
    try {
      const index = this.#number(first)
      const exports = this.#exports[index]
      if (!exports) throw new ModuleFailure(`the function was bundled with ${this.#exports.length} modules`)
      if (id === HOST.module)
        return this.#text(JSON.stringify(exports.map(({ name, type }) => [name, type.params, type.results])))
      if (!this.#modules) throw new ModuleFailure('a WebAssembly module can be used once the function is called')
      return this.#answer(id, this.#modules, index, exports, rest)
    } catch (thrown) {
      if (thrown instanceof ModuleFailure) return this.#text(`!${thrown.message}`)
      throw thrown
    }
  }

  #answer(id: number, modules: RunModules, index: number, exports: ModuleExport[], args: readonly number[]): number {
    const [first = 0, second = 0] = args
    const at = this.#number(first)
    if (id === HOST.moduleRead)
      return this.#engine.newBuffer(this.#context, modules.read(index, at >>> 0, this.#number(second) >>> 0))
    if (id === HOST.moduleWrite) {
      const bytes = this.#engine.buffer(this.#context, second, WRITE_BYTES_MAX)
      if (!bytes) throw new ModuleFailure(`more than ${WRITE_BYTES_MAX} bytes at once`)
      modules.write(index, at >>> 0, bytes)
      return 0
    }
    const called = exports[at]
    if (!called) throw new ModuleFailure('no such export')
    if (this.#stackTop - this.#engine.exports.stackPointer() > MODULE_CALL_STACK_BYTES_MAX)
      throw new ModuleFailure('it was called from too deep a recursion')
    const given = called.type.params.map((type, i) => this.#argument(type, args[i + 1] ?? 0))
    return this.#result(modules.call(index, called.name, given))
  }

  #argument(type: string, value: number): number | bigint {
    if (type !== 'i64') return this.#number(value)
    const text = this.#engine.text(this.#context, value, DIGITS_MAX)
    return text !== undefined && /^-?\d+$/.test(text) ? BigInt(text) : 0n
  }

  #result(value: unknown): number {
    if (value === undefined) return 0
    if (typeof value === 'bigint') return this.#text(`n${value}`)
    return this.#engine.owned(this.#engine.exports.newFloat64(this.#context, value as number))
  }

  #number(value: number): number {
    return value === 0 ? 0 : this.#engine.exports.getFloat64(this.#context, value)
  }

  #text(text: string): number {
    return this.#engine.newString(this.#context, text)
  }
}
