/** Runs functions in this thread: images by function, and the engines that stand ready for them. */
import { MeshError } from '../protocol/errors.ts'
import type { Answer } from '../protocol/journal.ts'
import { MEMORY_BYTES_MAX, MEMORY_BYTES_MIN, MIB } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import { encodeOutcome } from '../protocol/outcome-bytes.ts'
import { Bases } from './base.ts'
import type { Engine } from './engine.ts'
import { Execution } from './execution.ts'
import { IdleEngines } from './idle-engines.ts'
import { differenceFromImage, type Image, ownCopies, wholePages } from './image.ts'
import { decodeImage, encodeImage } from './image-file.ts'
import { type CodeForm, PLAIN_MODULE, type Run, type RunEvents, type SandboxResult } from './job.ts'
import type { CutPut } from './large-puts.ts'
import { type Loaded, type LoadFailure, loadFunction, loadProgram, openCarried } from './load.ts'
import { runProgram } from './program/trace.ts'

/** Images kept, by what they hold. A small function has 0.3 MB, one with 100 kB of code 2 MB. */
const IMAGES_BYTES_MAX = 64 * MIB
const IMAGES_MAX = 64

/** A run in progress. */
export interface RunHandle {
  /** Undefined while it waits for an answer. */
  readonly result: SandboxResult | undefined
  readonly fuel: number
  /** Delivers the answer to request `n`, and runs on. */
  answer(n: number, answer: Answer): void
  /** Lets a waiting run go: it ends inconclusive, and no answer reaches it any more. */
  abandon(): void
}

export interface Sandbox {
  /** Whether `run` can do without `load`. */
  has(functionId: string, memoryBytes: number): boolean
  /**
   * Makes the function `code` ready, unless that has been done: evaluates an ES module, checks and compiles a WebAssembly
   * module. `memoryBytes`: the limit that its runs will have. `owner`: of the first of them, whose memory may be used.
   */
  load(functionId: string, code: Uint8Array, memoryBytes: number, form?: CodeForm, owner?: string): void
  /**
   * The same with an image that `exported` gave, in another process perhaps; `file` must not change until `rest`. Throws
   * MeshError E_MESSAGE.
   */
  restore(functionId: string, memoryBytes: number, file: Uint8Array): void
  /** The image of a function that is loaded; undefined for one that is not, or did not load. */
  exported(functionId: string, memoryBytes: number): Uint8Array | undefined
  /** Begins a run of a loaded function; it has ended, or waits for an answer, when this returns. */
  run(functionId: string, run: Run, events?: RunEvents): RunHandle
  /** Lets go of what was restored from. With `isIdle`, makes what may come next ready to begin at once. */
  rest(isIdle?: boolean): void
}

interface Entry {
  functionId: string
  memoryBytes: number
  loaded: Loaded
}

export interface SandboxOptions {
  /** The engine's binary (wasm-names.ts says which). */
  wasm: WebAssembly.Module
  /** Of that binary; those in one thread may share them. Default: its own. */
  bases?: Bases | undefined
  /** For tests: compare the whole memory with the image before each run, and throw where it differs. */
  compare?: boolean
  /**
   * Gas that a WebAssembly module gets at a time: in between, `progress` of its run is called. Undefined: all at once, which
   * is a little faster, and nothing is told. Outcomes are the same.
   */
  sliceGas?: number | undefined
  /** Undefined: what a function puts has to fit a request. */
  cutPut?: CutPut | undefined
}

/** The memory that a run with this limit gets. */
const memoryFor = (limit: number): number => wholePages(Math.min(Math.max(limit, MEMORY_BYTES_MIN), MEMORY_BYTES_MAX))

export const createSandbox = (options: SandboxOptions): Sandbox => new ImageSandbox(options)

class ImageSandbox implements Sandbox {
  readonly #bases: Bases
  readonly #idle: IdleEngines
  readonly #compare: boolean
  readonly #sliceGas: number | undefined
  readonly #cutPut: CutPut | undefined
  /** The longest unused first. */
  readonly #entries = new Map<string, Entry>()
  #last: Entry | undefined
  /** Images that refer to a file. */
  #borrowed: Image[] = []

  constructor({ wasm, bases = new Bases(wasm), compare = false, sliceGas, cutPut }: SandboxOptions) {
    this.#cutPut = cutPut
    this.#bases = bases
    this.#idle = new IdleEngines(wasm)
    this.#compare = compare
    this.#sliceGas = sliceGas
  }

  has(functionId: string, memoryBytes: number): boolean {
    return this.#find(functionId, memoryBytes) !== undefined
  }

  load(functionId: string, code: Uint8Array, memoryBytes: number, form = PLAIN_MODULE, owner?: string): void {
    if (this.has(functionId, memoryBytes)) return
    const bytesMax = memoryFor(memoryBytes)
    if (form.tier === 'webassembly')
      return this.#add(functionId, memoryBytes, loadProgram(code, bytesMax, this.#sliceGas))
    const carried = openCarried(code, form.modules, bytesMax, this.#sliceGas)
    if ('failure' in carried) return this.#add(functionId, memoryBytes, carried)
    const { source, programs, memoryBytesLeft } = carried
    const take = (base: Image, bytes: number) => this.#idle.take(base, bytes, owner)
    const { engine, ...loaded } = loadFunction(this.#bases, source, memoryBytesLeft, programs, take, form)
    if ('image' in loaded) this.#idle.give(engine, loaded.image, owner)
    this.#add(functionId, memoryBytes, loaded)
  }

  restore(functionId: string, memoryBytes: number, file: Uint8Array): void {
    if (this.has(functionId, memoryBytes)) return
    const { image, console } = decodeImage(file)
    if (image.memoryBytesMax !== memoryFor(memoryBytes))
      throw new MeshError('E_MESSAGE', `the image is one for ${image.memoryBytesMax} bytes of memory`)
    this.#borrowed.push(image)
    this.#add(functionId, memoryBytes, { image, console, memoryBytes: image.memoryBytes })
  }

  exported(functionId: string, memoryBytes: number): Uint8Array | undefined {
    const loaded = this.#entries.get(keyOf(functionId, memoryBytes))?.loaded
    // Without its modules an image is of no use, and they are not in it.
    return loaded && 'image' in loaded && !loaded.programs?.length ? encodeImage(loaded) : undefined
  }

  #add(functionId: string, memoryBytes: number, loaded: Loaded): void {
    this.#entries.set(keyOf(functionId, memoryBytes), { functionId, memoryBytes, loaded })
    this.#last = undefined
    this.#evict()
  }

  /** Mostly the same as the last time. */
  #find(functionId: string, memoryBytes: number): Entry | undefined {
    const last = this.#last
    if (last?.functionId === functionId && last.memoryBytes === memoryBytes) return last
    const key = keyOf(functionId, memoryBytes)
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    this.#last = entry
    return entry
  }

  run(functionId: string, run: Run, events: RunEvents = {}): RunHandle {
    const entry = this.#find(functionId, run.limits.memory_bytes)
    if (!entry) throw new MeshError('E_INTERNAL', `run: the function ${functionId} has not been loaded`)
    const { loaded } = entry
    if ('failure' in loaded) return failedRun(loaded, loaded.failure)
    if ('program' in loaded) return runProgram(loaded.program, run, events)
    const { image, console, programs } = loaded
    const engine = this.#idle.take(image, image.memoryBytesMax, run.owner)
    if (this.#compare) ensurePristine(engine, image)
    return new EngineRun(new Execution(engine, image, run, console, events, programs, this.#cutPut), () =>
      this.#idle.give(engine, image, run.owner),
    )
  }

  rest(isIdle = true): void {
    for (const image of this.#borrowed) ownCopies(image)
    this.#borrowed = []
    if (!isIdle) return
    const loaded = this.#last?.loaded
    if (!loaded) this.#idle.rest(this.#bases.of([]))
    else if ('image' in loaded) this.#idle.rest(loaded.image)
  }

  #evict(): void {
    let bytes = 0
    for (const { loaded } of this.#entries.values()) bytes += keptBytes(loaded)
    for (const [key, { loaded }] of this.#entries) {
      if (this.#entries.size === 1 || (bytes <= IMAGES_BYTES_MAX && this.#entries.size <= IMAGES_MAX)) return
      bytes -= keptBytes(loaded)
      this.#entries.delete(key)
    }
  }
}

/** A run in an engine of its own, which it gives back when it is over. */
class EngineRun implements RunHandle {
  readonly #execution: Execution
  #release: (() => void) | undefined

  constructor(execution: Execution, release: () => void) {
    this.#execution = execution
    this.#release = release
    this.#ended()
  }

  get result(): SandboxResult | undefined {
    return this.#execution.result
  }

  get fuel(): number {
    return this.#execution.fuel
  }

  answer(n: number, answer: Answer): void {
    this.#execution.answer(n, answer)
    this.#ended()
  }

  abandon(): void {
    this.#execution.abandon()
    this.#ended()
  }

  #ended(): void {
    if (!this.#execution.result) return
    if (!this.#execution.spoilt) this.#release?.()
    this.#release = undefined
  }
}

/** Machine code of an optimising compiler beside a module. */
const COMPILED = 4

const keptBytes = (loaded: Loaded): number => {
  const programs = (loaded.programs ?? []).reduce((sum, { codeBytes }) => sum + COMPILED * codeBytes, 0)
  if ('image' in loaded) return loaded.image.dataBytes + programs
  return 'program' in loaded ? COMPILED * loaded.program.codeBytes : 0
}

const keyOf = (functionId: string, memoryBytes: number): string => `${functionId}/${memoryFor(memoryBytes)}`

/** The run of a function that did not load: over before it began, and charged nothing. */
const failedRun = ({ console, memoryBytes }: Loaded, { code, message, stack }: LoadFailure): RunHandle => {
  const result = { ok: false as const, code, message, stack }
  const decoded: Outcome = {
    v: 1,
    result,
    requests: [],
    console: [...console],
    fuel: 0,
    memory_bytes: memoryBytes,
  }
  const outcome = encodeOutcome(decoded)
  return { result: { kind: 'outcome', outcome, decoded }, fuel: 0, answer() {}, abandon() {} }
}

const ensurePristine = (engine: Engine, image: Image): void => {
  const at = differenceFromImage(engine, image)
  if (at !== -1)
    throw new MeshError('E_INTERNAL', { message: `after a reset, byte ${at} is not that of the image`, at })
}
