/** One instance of a metered module: its gas, its memory, and calls of its exports. */
import { INSTANCE_GAS, PAGE_GAS, STACK_BYTES_MAX } from '../wasm/constants.ts'
import { REACTOR_ENTRY } from '../wasm/entries.ts'
import { GAS_EXPORT, MEMORY_EXPORT, NO_MEMORY_MARK, STACK_EXPORT, START_EXPORT } from '../wasm/form.ts'
import { PAUSE_EXPORT } from '../wasm/giving-way.ts'
import { PAGE_BYTES } from '../wasm/limits.ts'
import { ProgramEnd } from './end.ts'
import type { Program } from './program.ts'
import { tableEntry } from './table-entry.ts'
import { trapWords } from './traps.ts'

export type Imports = Record<string, Record<string, (...args: never[]) => unknown>>

const TOO_DEEP = `its calls are nested deeper than ${STACK_BYTES_MAX} bytes of stack`
const tooDeep = (): ProgramEnd => new ProgramEnd('E_FUNCTION_THREW', TOO_DEEP)
const OUT_OF_GAS = new ProgramEnd('E_FUEL_LIMIT', 'it used up its fuel')

export class ProgramInstance {
  readonly program: Program
  readonly memory: WebAssembly.Memory | undefined
  readonly #exports: Record<string, unknown>
  readonly #gas: WebAssembly.Global
  readonly #stack: WebAssembly.Global
  readonly #paused: () => void
  /** Gas that the module does not have yet, but may. */
  #gasKept = 0n

  /**
   * Nothing of the module has run before `start`. Throws ProgramEnd if it cannot be made, and what the host throws.
   * `paused`: called between two slices of gas.
   */
  constructor(program: Program, imports: Imports, paused: () => void) {
    this.program = program
    this.#paused = paused
    this.#exports = instantiate(program, imports)
    this.memory = this.#exports[MEMORY_EXPORT] as WebAssembly.Memory | undefined
    this.#gas = this.#exports[GAS_EXPORT] as WebAssembly.Global
    this.#stack = this.#exports[STACK_EXPORT] as WebAssembly.Global
    const pause = this.#exports[PAUSE_EXPORT] as WebAssembly.Table | undefined
    pause?.set(
      0,
      tableEntry(() => this.#pause()),
    )
  }

  /** Below zero: it has run out. */
  get gas(): bigint {
    return this.#gas.value + this.#gasKept
  }

  set gas(left: bigint) {
    const { sliceGas = left } = this.program
    this.#gas.value = left < sliceGas ? left : sliceGas
    this.#gasKept = left - this.#gas.value
  }

  get memoryBytes(): number {
    return this.memory?.buffer.byteLength ?? 0
  }

  /** Its whole memory, until it grows. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0))
  }

  /** What a host does for it costs as well. Throws ProgramEnd. */
  charge(gas: number): void {
    // Of the slice, so that it ends however often this is called.
    this.#gas.value -= BigInt(gas)
    if (this.gas < 0n) throw OUT_OF_GAS
  }

  /** Pays for the instance, and runs what the module wants to have run first. Gas is set by then. Throws as `call`. */
  start(): void {
    this.charge(INSTANCE_GAS + this.program.codeBytes + (PAGE_GAS * this.memoryBytes) / PAGE_BYTES)
    if (this.program.facts.start) this.call(START_EXPORT, [])
    if (this.program.reactor) this.call(REACTOR_ENTRY, [])
  }

  /** Calls an export. Throws ProgramEnd, ProgramExit, and what is no outcome. */
  call(name: string, args: readonly unknown[]): unknown {
    this.#stack.value = BigInt(STACK_BYTES_MAX)
    try {
      return (this.#exports[name] as (...args: readonly unknown[]) => unknown)(...args)
    } catch (thrown) {
      throw this.#endOf(thrown)
    }
  }

  /** What a module that gets its gas in slices calls where another one traps. */
  #pause(): void {
    if (this.gas < 0n) throw OUT_OF_GAS
    if (this.#stack.value < 0n) throw tooDeep()
    const { gas } = this
    this.gas = gas
    this.#paused()
  }

  /** Out of gas, too deep, or a trap of its own. */
  #endOf(thrown: unknown): unknown {
    const words = trapWords(thrown)
    if (words === undefined) return thrown
    if (this.#stack.value === NO_MEMORY_MARK) return new Error('this machine has not the memory that it may have')
    if (this.gas < 0n) return OUT_OF_GAS
    if (this.#stack.value < 0n) return tooDeep()
    return new ProgramEnd('E_FUNCTION_THREW', words)
  }
}

const instantiate = ({ module }: Program, imports: Imports): Record<string, unknown> => {
  try {
    return new WebAssembly.Instance(module, imports).exports
  } catch (thrown) {
    if (!(thrown instanceof WebAssembly.RuntimeError)) throw thrown
    throw new ProgramEnd('E_FUNCTION_LOAD', 'a segment of its data or of its table does not fit where it belongs')
  }
}
