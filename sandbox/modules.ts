/**
 * The WebAssembly modules of one run of a JavaScript function. Each is instantiated when it is first used and dropped
 * with the run; what they compute is charged to the run's fuel.
 */
import type { Run } from './job.ts'
import { isProgramEnd, isProgramExit } from './program/end.ts'
import type { ProgramInstance } from './program/instance.ts'
import type { Program } from './program/program.ts'
import { GAS_PER_FUEL, IMPORT_GAS, IMPORT_GAS_A_BYTE } from './wasm/constants.ts'
import type { FunctionType } from './wasm/form.ts'

/** What JavaScript and WebAssembly can hand each other. */
const CROSSING: readonly string[] = ['i32', 'i64', 'f32', 'f64']

export interface ModuleExport {
  name: string
  type: FunctionType
}

/** Exports that JavaScript can call, in the order of the module. */
export const crossingExports = ({ facts }: Program): ModuleExport[] =>
  facts.exports.filter(
    ({ name, type: { params, results } }) =>
      name !== 'memory' && results.length <= 1 && [...params, ...results].every((type) => CROSSING.includes(type)),
  )

export interface ModuleEvents {
  /** Fuel that is left to the run now. */
  fuelLeft(): number
  /** Between two slices of a module's gas. */
  paused(): void
  /** What a module prints. */
  printed(level: string, bytes: Uint8Array): void
}

/** A trap or an exit: the function is told. */
export class ModuleFailure extends Error {}

export class RunModules {
  readonly #programs: readonly Program[]
  readonly #instances: (ProgramInstance | undefined)[] = []
  readonly #seed: Uint8Array
  readonly #events: ModuleEvents
  #gasUsed = 0n

  constructor(programs: readonly Program[], { seed }: Run, events: ModuleEvents) {
    this.#programs = programs
    this.#seed = seed
    this.#events = events
  }

  /** What the modules have used, rounded up. */
  get fuel(): number {
    return Number((this.#gasUsed + BigInt(GAS_PER_FUEL - 1)) / BigInt(GAS_PER_FUEL))
  }

  /** Of those that the run has used, in their order. */
  get memories(): Uint8Array[] {
    return this.#instances.flatMap((instance) => (instance ? [instance.bytes] : []))
  }

  get memoryBytes(): number {
    return this.#instances.reduce((sum, instance) => sum + (instance?.memoryBytes ?? 0), 0)
  }

  /** Throws ModuleFailure; ProgramEnd if there is no fuel left; and what is no outcome. */
  call(index: number, name: string, args: readonly (number | bigint)[]): unknown {
    return this.#paid(index, IMPORT_GAS, (instance) => instance.call(name, args))
  }

  /** A copy. Throws as `call`. */
  read(index: number, at: number, length: number): Uint8Array {
    return this.#paid(index, IMPORT_GAS + length * IMPORT_GAS_A_BYTE, (instance) => {
      ensureInside(instance, at, length)
      return instance.bytes.slice(at, at + length)
    })
  }

  write(index: number, at: number, bytes: Uint8Array): void {
    this.#paid(index, IMPORT_GAS + bytes.length * IMPORT_GAS_A_BYTE, (instance) => {
      ensureInside(instance, at, bytes.length)
      instance.bytes.set(bytes, at)
    })
  }

  #paid<T>(index: number, gas: number, act: (instance: ProgramInstance) => T): T {
    const isNew = this.#instances[index] === undefined
    const instance = this.#instances[index] ?? this.#instantiate(index)
    const given = BigInt(this.#events.fuelLeft()) * BigInt(GAS_PER_FUEL)
    instance.gas = given
    try {
      if (isNew) instance.start()
      instance.charge(gas)
      return act(instance)
    } catch (thrown) {
      if (isProgramExit(thrown)) throw new ModuleFailure(`the module exited with ${thrown.status}`)
      if (isProgramEnd(thrown) && thrown.code !== 'E_FUEL_LIMIT') throw new ModuleFailure(thrown.message)
      throw thrown
    } finally {
      this.#gasUsed += given - (instance.gas < 0n ? 0n : instance.gas)
    }
  }

  #instantiate(index: number): ProgramInstance {
    const program = this.#programs[index] as Program
    const streams = {
      input: new Uint8Array(0),
      output: (bytes: Uint8Array) => this.#events.printed('log', bytes),
      errors: (bytes: Uint8Array) => this.#events.printed('error', bytes),
    }
    const instance = program.instantiate(streams, this.#seed, this.#events.paused)
    this.#instances[index] = instance
    return instance
  }
}

const ensureInside = ({ memoryBytes }: ProgramInstance, at: number, length: number): void => {
  const isInside = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && length >= 0
  if (!isInside || at + length > memoryBytes)
    throw new ModuleFailure(`${length} bytes at ${at} are outside the module's ${memoryBytes} bytes of memory`)
}
