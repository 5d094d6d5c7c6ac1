/** The base image: an engine in which the prelude has been evaluated, and groups of the web's interfaces. */
import { MEMORY_BYTES_MIN } from '../protocol/limits.ts'
import { STACK_BYTES_MAX } from './constants.ts'
import { Engine, EngineFault } from './engine.ts'
import { callOwn, evaluateGroup, evaluateOwn } from './evaluate.ts'
import { PRELUDE } from './guest/built.ts'
import type { WebGroup } from './guest/web.ts'
import { HOST, HOST_CALLS } from './host-calls.ts'
import { captureImage, type Image, type Roots } from './image.ts'

/** Base images kept, each of another set of groups: 0.2 to 1 MB. Most functions share a few sets. */
const BASES_MAX = 8

const SCRATCH_BYTES = 64
const NAME_BYTES_MAX = 64

const ensureSound = (engine: Engine, context: number, value: number): number => {
  const error = engine.exports.resolveException(context, value)
  if (error === 0) return value
  throw new EngineFault(`the prelude failed: ${engine.text(context, error, 4096)}`)
}

/** Evaluates the prelude in a fresh engine and hands it the host's functions. */
const prepare = (engine: Engine): Roots => {
  const { exports } = engine
  exports.initialize()
  const stackTop = exports.stackPointer()
  const runtime = exports.newRuntime()
  exports.setMaxStackSize(runtime, STACK_BYTES_MAX)
  const context = engine.owned(exports.newContext(runtime, 0))
  const scratch = engine.allocate(SCRATCH_BYTES)
  const prelude = ensureSound(engine, context, evaluateOwn(engine, context, runtime, PRELUDE))
  const functions = HOST_CALLS.map((name, i) =>
    engine.owned(exports.newFunction(context, engine.cString(name), 0, 0, i + 1)),
  )
  const entries = ensureSound(engine, context, callOwn(engine, context, scratch, prelude, functions))
  const entry = (name: string) => engine.owned(exports.getProp(context, entries, engine.newString(context, name)))
  return {
    ...{ context, runtime, stackTop, scratch, undefinedValue: exports.getUndefined() },
    ...{
      load: entry('load'),
      run: entry('run'),
      settle: entry('settle'),
      fail: entry('fail'),
      turn: entry('turn'),
      use: entry('use'),
    },
  }
}

const makeBase = (wasm: WebAssembly.Module, groups: readonly WebGroup[]): Image => {
  const engine = new Engine(wasm, MEMORY_BYTES_MIN, MEMORY_BYTES_MIN)
  const roots = prepare(engine)
  const { context, runtime, scratch, use } = roots
  engine.events = {
    tick() {},
    hostCall(id, [name = 0]) {
      if (id !== HOST.group) throw new EngineFault('the prelude calls outside')
      return evaluateGroup(engine, context, runtime, engine.text(context, name, NAME_BYTES_MAX) ?? '')
    },
  }
  for (const group of groups) {
    const name = engine.newString(context, group)
    const made = ensureSound(engine, context, callOwn(engine, context, scratch, use, [name]))
    for (const value of [made, name]) engine.exports.freeValue(context, value)
  }
  return captureImage(engine, roots)
}

/** The base images of one engine, by their groups. */
export class Bases {
  readonly wasm: WebAssembly.Module
  /** The longest unused first. */
  readonly #images = new Map<string, Image>()

  constructor(wasm: WebAssembly.Module) {
    this.wasm = wasm
  }

  /** `groups` in the order of WEB_GROUPS. */
  of(groups: readonly WebGroup[]): Image {
    const key = groups.join()
    const image = this.#images.get(key) ?? makeBase(this.wasm, groups)
    this.#images.delete(key)
    this.#images.set(key, image)
    if (this.#images.size > BASES_MAX)
      for (const oldest of [...this.#images.keys()].slice(0, 1)) this.#images.delete(oldest)
    return image
  }
}
