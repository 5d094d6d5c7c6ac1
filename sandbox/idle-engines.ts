/** Engines at rest in one thread, and whose run may have which of them next. */
import { MEMORY_BYTES_MIN } from '../protocol/limits.ts'
import type { Engine } from './engine.ts'
import { engineFromImage, type Image, resetToImage } from './image.ts'

/**
 * Of memory that engines at rest can write, together: eight that have not grown. V8 counts it like objects of its heap, and
 * beyond a limit collects all of them whenever another engine is made, 10 ms each time (decision 35).
 */
export const IDLE_BYTES_MAX = 8 * MEMORY_BYTES_MIN

interface Idle {
  engine: Engine
  /** Of its last run, or what it was made with. */
  image: Image
  /** The one whose runs it has had. Undefined: it has had none, and evaluated nothing but what is in its image. */
  owner: string | undefined
}

export class IdleEngines {
  readonly #wasm: WebAssembly.Module
  /** The longest unused first. */
  readonly #idle: Idle[] = []
  #bytes = 0
  /** One in which nothing has run: the first run of a new owner need not wait until it is made. */
  #spare: Engine | undefined

  constructor(wasm: WebAssembly.Module) {
    this.#wasm = wasm
  }

  /**
   * An engine that is equal to `image`, and may grow to `bytesMax`. Whatever ran in it before was this owner's: the last that
   * had the image, else the longest unused, else a fresh one.
   */
  take(image: Image, bytesMax: number, owner: string | undefined): Engine {
    const engine =
      this.#remove(this.#idle.findLastIndex((one) => one.image === image && (one.owner ?? owner) === owner)) ??
      this.#remove(this.#idle.findIndex((one) => isOwn(one, owner) && fits(one.engine, image, bytesMax))) ??
      this.#takeSpare(image, bytesMax) ??
      engineFromImage(this.#wasm, image, bytesMax)
    resetToImage(engine, image)
    return engine
  }

  #remove(at: number): Engine | undefined {
    const [removed] = at < 0 ? [] : this.#idle.splice(at, 1)
    if (removed) this.#bytes -= removed.engine.bytes.length
    return removed?.engine
  }

  #takeSpare(image: Image, bytesMax: number): Engine | undefined {
    const spare = this.#spare
    // One that does not fit makes room for one that would have.
    this.#spare = undefined
    return spare && fits(spare, image, bytesMax) ? spare : undefined
  }

  /** Keeps an engine that was taken, unless its memory has grown since. */
  give(engine: Engine, image: Image, owner: string | undefined): void {
    if (engine.bytes.length !== image.memoryBytes) return
    this.#idle.push({ engine, image, owner })
    this.#bytes += engine.bytes.length
    while (this.#bytes > IDLE_BYTES_MAX && this.#idle.length > 1) this.#remove(0)
  }

  /** Prepares for what may come: each engine for another run like its last, and one for a new owner, maybe of `image`. */
  rest(image: Image): void {
    for (const one of this.#idle) resetToImage(one.engine, one.image)
    if (image.memoryBytes === MEMORY_BYTES_MIN) this.#spare ??= engineFromImage(this.#wasm, image)
  }
}

const isOwn = (one: Idle, owner: string | undefined): boolean => owner !== undefined && one.owner === owner

const fits = (engine: Engine, image: Image, bytesMax: number): boolean =>
  engine.bytes.length === image.memoryBytes && engine.bytesMax === bytesMax
