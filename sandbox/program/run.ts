/**
 * One run of a WebAssembly function, from its input to its outcome. The instance is made for it and dropped after it:
 * nothing of one run is there in the next.
 */
import { MESSAGE_CHARS_MAX, OUTPUT_BYTES_MAX } from '../../protocol/limits.ts'
import type { Outcome, OutcomeErrorCode } from '../../protocol/outcome.ts'
import { encodeOutcome } from '../../protocol/outcome-bytes.ts'
import { decodeValue, encodeValue, valueToJson } from '../../protocol/values.ts'
import { GuestConsole } from '../console.ts'
import type { Run, RunEvents, SandboxResult } from '../job.ts'
import { plainText } from '../plain-text.ts'
import { Replay } from '../replay.ts'
import { GAS_PER_FUEL } from '../wasm/constants.ts'
import { ALLOC, COMMAND_ENTRY, callableExports } from '../wasm/entries.ts'
import { isProgramEnd, isProgramExit, ProgramEnd } from './end.ts'
import type { ProgramInstance } from './instance.ts'
import { ConsoleLines } from './line-reader.ts'
import type { Program } from './program.ts'

const utf8 = new TextEncoder()

/** Bytes as they are, all else as its JSON. */
const inputBytes = (encoded: Uint8Array): Uint8Array => {
  const value = decodeValue(encoded)
  return value instanceof Uint8Array ? value : utf8.encode(valueToJson(value))
}

export class ProgramRun {
  readonly result: SandboxResult
  readonly fuel: number
  readonly #program: Program
  readonly #run: Run
  readonly #progress: RunEvents['progress']
  readonly #console = new GuestConsole()
  readonly #lines = new ConsoleLines((level, line) => this.#console.add(level, line))
  readonly #output: Uint8Array[] = []
  #outputBytes = 0
  #instance: ProgramInstance | undefined

  constructor(program: Program, run: Run, progress?: RunEvents['progress']) {
    this.#program = program
    this.#run = run
    this.#progress = progress
    let result: Outcome['result']
    try {
      result = { ok: true, value: this.#encoded(this.#perform()) }
    } catch (thrown) {
      if (!isProgramEnd(thrown)) {
        this.fuel = 0
        this.result = { kind: 'inconclusive', reason: plainText(String(thrown), 1000) }
        return
      }
      result = { ok: false, code: thrown.code, message: plainText(thrown.message, MESSAGE_CHARS_MAX), stack: '' }
    }
    this.fuel = this.#fuelUsed()
    this.result = this.#conclude(result)
  }

  /** It has ended when it is there. */
  answer(): void {}
  abandon(): void {}

  /** The memory of the module as the run left it. */
  get memory(): Uint8Array {
    return this.#instance?.bytes ?? new Uint8Array(0)
  }

  #perform(): Uint8Array {
    const { exportName } = this.#run
    const callable = callableExports(this.#program.facts)
    if (!callable.includes(exportName)) throw new ProgramEnd('E_EXPORT_UNKNOWN', unknownExport(exportName, callable))
    const input = inputBytes(this.#run.input)
    const instance = this.#instantiate(input)
    return this.#program.command ? this.#command(instance) : this.#overBytes(instance, exportName, input)
  }

  #instantiate(input: Uint8Array): ProgramInstance {
    const { command } = this.#program
    const streams = {
      input: command ? input : new Uint8Array(0),
      output: (bytes: Uint8Array) => (command ? this.#write(bytes) : this.#lines.write('log', bytes)),
      errors: (bytes: Uint8Array) => this.#lines.write('error', bytes),
    }
    const paused = () => this.#progress?.(this.#fuelUsed())
    const instance = this.#program.instantiate(streams, this.#run.seed, paused)
    this.#instance = instance
    instance.gas = this.#gasGiven
    return instance
  }

  get #gasGiven(): bigint {
    return BigInt(this.#run.limits.fuel) * BigInt(GAS_PER_FUEL)
  }

  #write(bytes: Uint8Array): void {
    this.#outputBytes += bytes.length
    if (this.#outputBytes > this.#run.limits.output_bytes) throw this.#tooLarge()
    this.#output.push(bytes)
  }

  #tooLarge(): ProgramEnd {
    return new ProgramEnd('E_OUTPUT_LIMIT', `its result is larger than ${this.#run.limits.output_bytes} bytes`)
  }

  #command(instance: ProgramInstance): Uint8Array {
    const status = exitStatus(instance)
    if (status !== 0) throw this.#failed(`it exited with ${status}`)
    const all = new Uint8Array(this.#outputBytes)
    let at = 0
    for (const bytes of this.#output) {
      all.set(bytes, at)
      at += bytes.length
    }
    return all
  }

  #overBytes(instance: ProgramInstance, name: string, input: Uint8Array): Uint8Array {
    try {
      instance.start()
      const at = Number(instance.call(ALLOC, [input.length])) >>> 0
      if (at === 0 && input.length > 0) throw this.#failed(`alloc(${input.length}) found no room`)
      if (at + input.length > instance.memoryBytes) throw this.#failed(`alloc(${input.length}) is outside its memory`)
      instance.bytes.set(input, at)
      const packed = BigInt.asUintN(64, instance.call(name, [at, input.length]) as bigint)
      const [from, length] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)]
      if (length > this.#run.limits.output_bytes) throw this.#tooLarge()
      if (from + length > instance.memoryBytes)
        throw this.#failed(`its result of ${length} bytes is outside its memory`)
      return instance.bytes.slice(from, from + length)
    } catch (thrown) {
      throw isProgramExit(thrown) ? this.#failed(`it exited with ${thrown.status}`) : thrown
    }
  }

  #failed(message: string): ProgramEnd {
    return new ProgramEnd('E_FUNCTION_THREW', message)
  }

  #encoded(bytes: Uint8Array): Uint8Array {
    const value = encodeValue(bytes)
    if (value.length > Math.min(this.#run.limits.output_bytes, OUTPUT_BYTES_MAX)) throw this.#tooLarge()
    return value
  }

  #fuelUsed(): number {
    if (!this.#instance) return 0
    const left = this.#instance.gas < 0n ? 0n : this.#instance.gas
    return Number((this.#gasGiven - left + BigInt(GAS_PER_FUEL - 1)) / BigInt(GAS_PER_FUEL))
  }

  /** A program sees that it gets no memory, and gives up in its own way; where all it may have is used, that is why. */
  #isStarved(code: OutcomeErrorCode): boolean {
    const { memory } = this.#program.facts
    return (
      code === 'E_FUNCTION_THREW' &&
      memory !== undefined &&
      this.memory.length > memory.initialBytes &&
      this.memory.length === memory.maximumBytes
    )
  }

  #conclude(ended: Outcome['result']): SandboxResult {
    this.#lines.end()
    // It requests nothing, whatever a journal says.
    const missing = new Replay(this.#run.journal).missing()
    if (missing) return { kind: 'diverged', ...missing }
    const starved = !ended.ok && this.#isStarved(ended.code)
    const decoded: Outcome = {
      v: 1,
      result: starved
        ? {
            ...ended,
            code: 'E_MEMORY_LIMIT',
            message: `it used up its ${this.memory.length} bytes of memory, then: ${ended.message}`,
          }
        : ended,
      requests: [],
      console: this.#console.lines,
      fuel: this.fuel,
      memory_bytes: this.memory.length,
    }
    return { kind: 'outcome', outcome: encodeOutcome(decoded), decoded }
  }
}

/** Of a command that has run to its end, or has ended itself. */
const exitStatus = (instance: ProgramInstance): number => {
  try {
    instance.start()
    instance.call(COMMAND_ENTRY, [])
    return 0
  } catch (thrown) {
    if (isProgramExit(thrown)) return thrown.status
    throw thrown
  }
}

const unknownExport = (name: string, callable: readonly string[]): string =>
  `there is no export ${name} that can be called; callable exports: ${callable.join(', ') || 'none'}`
