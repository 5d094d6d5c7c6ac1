/** Evaluates a function's module in a base image, once; each call then starts from the image of that. */
import { FUEL_TICK, MEMORY_BYTES_MIN, MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import type { ConsoleLine, OutcomeErrorCode } from '../protocol/outcome.ts'
import type { Binding } from '../protocol/records.ts'
import type { Bases } from './base.ts'
import { GuestConsole } from './console.ts'
import { LOAD_FUEL_MAX, MODULE_NAME } from './constants.ts'
import { type Engine, EngineFault, NO_MEMORY, STACK_END, STOP } from './engine.ts'
import { callOwn, evaluate, evaluateGroup } from './evaluate.ts'
import { groupsFor } from './guest/web.ts'
import { HOST } from './host-calls.ts'
import { captureImage, engineFromImage, type Image, type Roots } from './image.ts'
import { type CodeForm, PLAIN_MODULE } from './job.ts'
import { ModuleCalls } from './module-calls.ts'
import { plainText, stackText } from './plain-text.ts'
import { openProgram, type Program, type Refused } from './program/program.ts'

/** A flag of JS_Eval. */
const MODULE = 1

const PROMISE_PENDING = 0
const PROMISE_REJECTED = 2

/** A message with its stack, or what is printed at once. */
const TEXT_BYTES_MAX = 512 * 1024

const AT_TOP_LEVEL =
  'its module sets a timer with a delay at the top level: nothing waits while a module is evaluated; set it in the function'

/** Why no call of this function can begin. The same on every machine. */
export interface LoadFailure {
  code: OutcomeErrorCode
  message: string
  stack: string
}

interface About {
  console: readonly ConsoleLine[]
  memoryBytes: number
  /** WebAssembly modules that a JavaScript function was bundled with. */
  programs?: readonly Program[]
}
export type Evaluated = About & ({ image: Image } | { failure: LoadFailure })
export type Loaded = Evaluated | (About & { program: Program })

/** Thrown within this file: the load ends with this failure. */
class Failed extends Error {
  readonly failure: LoadFailure
  constructor(code: OutcomeErrorCode, message: string, stack = '') {
    super(message)
    this.failure = { code, message: plainText(message, 4096), stack: stackText(stack) }
  }
}

class Loader {
  readonly engine: Engine
  readonly roots: Roots
  readonly console = new GuestConsole()
  readonly #modules: ModuleCalls
  #ticks = 0
  #turns = 0
  #outOfFuel = false

  constructor(engine: Engine, roots: Roots, programs: readonly Program[]) {
    this.engine = engine
    this.roots = roots
    this.#modules = new ModuleCalls(engine, roots, programs)
    engine.events = { tick: () => this.#tick(), hostCall: (id, args) => this.#hostCall(id, args) }
  }

  #tick(): void {
    if (++this.#ticks * FUEL_TICK <= LOAD_FUEL_MAX) return
    this.#outOfFuel = true
    throw STOP
  }

  #hostCall(id: number, args: readonly number[]): number {
    const { context, runtime } = this.roots
    const [first = 0, second = 0, third = 0] = args
    if (ModuleCalls.serves(id)) return this.#modules.hostCall(id, args)
    if (id === HOST.group) return evaluateGroup(this.engine, context, runtime, this.#text(first))
    if (id === HOST.request) throw new Failed('E_FUNCTION_LOAD', AT_TOP_LEVEL)
    if (id === HOST.turn) this.#turns++
    if (id === HOST.log) this.console.add(this.#text(first), JSON.parse(this.#text(second)))
    if (id === HOST.fail)
      throw new Failed('E_FUNCTION_LOAD', JSON.parse(this.#text(second)), JSON.parse(this.#text(third)))
    return 0
  }

  #text(value: number): string {
    return this.engine.text(this.roots.context, value, TEXT_BYTES_MAX) ?? ''
  }

  /** Runs `step`; whatever the function can cause in it becomes a Failed. */
  attempt<T>(step: () => T): T {
    try {
      return step()
    } catch (thrown) {
      if (this.#outOfFuel) throw new Failed('E_FUNCTION_LOAD', `its module used more than ${LOAD_FUEL_MAX} fuel`)
      if (this.engine.refused) throw this.#outOfMemory()
      if (thrown === STACK_END)
        throw new Failed('E_STACK_LIMIT', 'its module recursed too deep, where that cannot be caught')
      throw thrown === NO_MEMORY ? new EngineFault('no memory, though none was refused') : thrown
    }
  }

  #outOfMemory(): Failed {
    return new Failed('E_MEMORY_LIMIT', `its module needs more than the ${this.engine.bytesMax} bytes of memory it has`)
  }

  /** `value`, unless it says that code of the function threw. */
  value(value: number): number {
    const error = this.engine.exports.resolveException(this.roots.context, value)
    return error === 0 ? value : this.#fail(error)
  }

  /** The same where only code of ours ran. */
  #sound(value: number): number {
    const error = this.engine.exports.resolveException(this.roots.context, value)
    if (error === 0) return value
    if (this.engine.refused) throw this.#outOfMemory()
    throw new EngineFault(`the prelude failed: ${this.#text(error)}`)
  }

  #fail(error: number): never {
    if (this.engine.refused) throw this.#outOfMemory()
    this.#sound(this.#call(this.roots.fail, error))
    throw new EngineFault('the prelude did not say what was thrown')
  }

  #call(target: number, ...args: number[]): number {
    return callOwn(this.engine, this.roots.context, this.roots.scratch, target, args)
  }

  loadModule(code: Uint8Array, env: readonly Binding[]): void {
    const { context, load } = this.roots
    const evaluated = this.#settled(this.value(evaluate(this.engine, context, code, MODULE_NAME, MODULE)))
    const bindings = env.map(({ name, kind }) => [name, kind])
    const listed = env.length > 0 ? [this.engine.newString(context, JSON.stringify(bindings))] : []
    this.#sound(this.#call(load, evaluated, ...listed))
    for (const text of listed) this.engine.exports.freeValue(context, text)
    this.#pump()
  }

  /** A module with a top-level await is evaluated once the jobs it waits for have run. */
  #settled(evaluated: number): number {
    const { exports } = this.engine
    const isPromise = exports.promiseState(this.roots.context, evaluated) >= 0
    if (!isPromise) return evaluated
    this.#pump()
    const state = exports.promiseState(this.roots.context, evaluated)
    if (state === PROMISE_PENDING)
      throw new Failed('E_FUNCTION_LOAD', 'its module waits, at the top level, for a promise that nothing will settle')
    const result = this.engine.owned(exports.promiseResult(this.roots.context, evaluated))
    return state === PROMISE_REJECTED ? this.#fail(result) : result
  }

  #pump(): void {
    const { exports } = this.engine
    const { context, runtime, scratch, turn, undefinedValue } = this.roots
    for (;;) {
      while (exports.isJobPending(runtime) !== 0)
        exports.freeValue(context, this.engine.owned(exports.executePendingJob(runtime, 1, scratch)))
      if (this.#turns === 0) return
      this.#turns--
      this.#sound(this.engine.owned(exports.call(context, turn, undefinedValue, 0, scratch)))
    }
  }
}

/** The whole stack of an error found before the module began: a position without a frame, or none. */
const PARSER_STACK = /^(?:\s*at function\.js:\d+:\d+)?\s*$/

const asSyntaxFailure = (failure: LoadFailure): LoadFailure =>
  failure.message.startsWith('SyntaxError: ') && PARSER_STACK.test(failure.stack)
    ? { ...failure, code: 'E_FUNCTION_SYNTAX' }
    : failure

const isRefused = (opened: Program | Refused): opened is Refused => 'code' in opened

/** The program that `code` is, a WebAssembly module; or why it is none that may run. */
export const loadProgram = (code: Uint8Array, memoryBytesMax: number, sliceGas?: number): Loaded => {
  const opened = openProgram(code, memoryBytesMax, sliceGas)
  const nothingRan = { console: [], memoryBytes: 0 }
  if (!isRefused(opened)) return { ...nothingRan, program: opened }
  return { ...nothingRan, failure: { ...opened, message: plainText(opened.message, MESSAGE_CHARS_MAX), stack: '' } }
}

/** An ES module, the WebAssembly modules behind it, and the memory that those leave to it. */
interface Carried {
  source: Uint8Array
  programs: Program[]
  memoryBytesLeft: number
}

/** `sizes`: of the modules at the end of `code`. */
export const openCarried = (
  code: Uint8Array,
  sizes: readonly number[],
  memoryBytesMax: number,
  sliceGas?: number,
): Carried | Extract<Evaluated, { failure: LoadFailure }> => {
  const programs: Program[] = []
  const refuse = (failure: Refused) => ({ console: [], memoryBytes: 0, failure: { ...failure, stack: '' } })
  let at = code.length - sizes.reduce((sum, size) => sum + size, 0)
  const source = code.subarray(0, at)
  let memoryBytesLeft = memoryBytesMax
  for (const [i, size] of sizes.entries()) {
    const opened = openProgram(code.subarray(at, at + size), memoryBytesMax, sliceGas)
    if (isRefused(opened)) return refuse({ ...opened, message: `module ${i}: ${opened.message}` })
    programs.push(opened)
    memoryBytesLeft -= opened.facts.memory?.maximumBytes ?? 0
    at += size
  }
  if (memoryBytesLeft >= MEMORY_BYTES_MIN) return { source, programs, memoryBytesLeft }
  const message = `its modules leave less than ${MEMORY_BYTES_MIN} of its ${memoryBytesMax} bytes of memory`
  return refuse({ code: 'E_MEMORY_LIMIT', message })
}

/** Gives an engine that is equal to `image`, whose memory may grow to `bytesMax`. */
type TakeEngine = (image: Image, bytesMax: number) => Engine

/**
 * The image of `code`, an ES module that imports nothing, or why there is none; and the engine that it was evaluated in,
 * equal to the image. Throws EngineFault, or what the host throws.
 */
export const loadFunction = (
  bases: Bases,
  code: Uint8Array,
  memoryBytesMax: number,
  programs: readonly Program[] = [],
  take: TakeEngine = (image, bytesMax) => engineFromImage(bases.wasm, image, bytesMax),
  form: CodeForm = PLAIN_MODULE,
): Evaluated & { engine: Engine } => {
  const base = bases.of(groupsFor(new TextDecoder().decode(code), form))
  const engine = take(base, memoryBytesMax)
  engine.holds = undefined
  const loader = new Loader(engine, base.roots, programs)
  const kept = () => ({ console: loader.console.lines, memoryBytes: engine.bytes.length, programs, engine })
  try {
    loader.attempt(() => loader.loadModule(code, form.env ?? []))
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    return { ...kept(), failure: asSyntaxFailure(error.failure) }
  }
  return { ...kept(), image: captureImage(engine, loader.roots, base) }
}
