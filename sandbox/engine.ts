/**
 * One instance of the engine: its memory, its imports, and calls with every pointer checked. The guest is assumed to
 * own all of this memory; nothing read from it is trusted beyond being bytes.
 */
import { GROWTH_BYTES_MIN, GROWTH_SHARE, INSTANT_MS } from './constants.ts'
import { EXPORTS, LAYOUT } from './wasm-names.ts'

export const WASM_PAGE_BYTES = 65_536

/** Thrown through the guest's frames where the run has its end already: none of its code runs any more. */
export const STOP = { stop: true } as const

/** Thrown through the guest's frames where it recursed to the end of its stack, and QuickJS has no check. */
export const STACK_END = { stackEnd: true } as const

/** The engine could not get memory for what the glue gives it. */
export const NO_MEMORY = { noMemory: true } as const

/** Nothing that a sound engine does: the instance is dropped, the run is inconclusive. */
export class EngineFault extends Error {}

/** What the guest can cause outside. Each may throw STOP. */
export interface GuestEvents {
  /** The interrupt handler was called. */
  tick(): void
  /** The prelude called host function `id` with the values at `args`. Returns where the result is, or 0 for undefined. */
  hostCall(id: number, args: readonly number[]): number
}

type EngineExports = Record<keyof typeof EXPORTS, (...args: number[]) => number>

const JS_VALUE_BYTES = 8
/** Up to here a loop over ASCII beats TextEncoder and TextDecoder, whose calls cost as much as some 100 characters. */
const SHORT_CHARS_MAX = 128

const HEX_DIGITS = '0123456789abcdef'

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export class Engine {
  readonly memory: WebAssembly.Memory
  readonly bytesMax: number
  readonly exports: EngineExports
  bytes: Uint8Array
  view: DataView
  events: GuestEvents | undefined
  /** Counts the runs begun here: one that is not the last must not touch this engine. */
  generation = 0
  /** The image that its memory is equal to: nothing has run since. */
  holds: object | undefined
  /** Memory that malloc has never given out stays so. */
  #sealed = false
  /** The guest asked for more memory than it may have, since this was last set to false. */
  refused = false

  /** Memory of `bytesInitial`, which may grow to `bytesMax`; both are whole pages of 64 KiB. */
  constructor(wasm: WebAssembly.Module, bytesInitial: number, bytesMax: number) {
    this.bytesMax = bytesMax
    this.memory = new WebAssembly.Memory({
      initial: bytesInitial / WASM_PAGE_BYTES,
      maximum: bytesMax / WASM_PAGE_BYTES,
    })
    this.bytes = new Uint8Array(this.memory.buffer)
    this.view = new DataView(this.memory.buffer)
    const { exports } = new WebAssembly.Instance(wasm, { a: this.#imports() })
    const named = Object.entries(EXPORTS).map(([name, minified]) => [name, exports[minified]])
    this.exports = Object.fromEntries(named) as EngineExports
  }

  /** The functions that the binary imports, by their minified names; `wasm-names.test.ts` tells them apart. */
  #imports(): WebAssembly.ModuleImports {
    const fault = (what: string) => () => {
      throw new EngineFault(what)
    }
    const zeroAt = (...addresses: number[]) => {
      for (const address of addresses) this.view.setUint32(this.place(address, 4), 0, true)
      return 0
    }
    const nothing = () => 0
    const noEntry = () => 52
    return {
      a: this.memory,
      b: fault('the engine failed an assertion'),
      q: fault('the engine aborted'),
      r: fault('the engine exited'),
      i: () => {
        this.events?.tick()
        return 0
      },
      s: (_context: number, _this: number, count: number, values: number, id: number) => {
        this.place(values, count * JS_VALUE_BYTES)
        const args = Array.from({ length: count }, (_, i) => values + i * JS_VALUE_BYTES)
        return this.events?.hostCall(id, args) ?? 0
      },
      k: (bytes: number) => this.#grow(bytes >>> 0),
      u: () => {
        throw STACK_END
      },
      // The time zone is UTC: the fields that the engine reads of `struct tm` stay zero.
      p: () => INSTANT_MS,
      m: (_time: bigint, tm: number) => this.bytes.fill(0, this.place(tm, 44), tm + 44) && undefined,
      n: nothing,
      // No timers, no environment, no modules to load, no host references to free. Not all builds import all of these.
      j: nothing,
      l: nothing,
      e: nothing,
      f: zeroAt,
      h: nothing,
      g: nothing,
      t: nothing,
      // No files: whatever the engine prints is dropped.
      c: (_file: number, _vectors: number, _count: number, written: number) => zeroAt(written),
      d: noEntry,
      o: noEntry,
    }
  }

  #grow(bytes: number): number {
    if (this.#sealed) return 0
    if (bytes > this.bytesMax) {
      this.refused = true
      return 0
    }
    const current = this.bytes.length
    const wanted = Math.max(bytes, current + Math.max(GROWTH_BYTES_MIN, current * GROWTH_SHARE))
    this.growTo(Math.min(Math.ceil(wanted / WASM_PAGE_BYTES) * WASM_PAGE_BYTES, this.bytesMax))
    return 1
  }

  /** `bytes`: whole pages, up to `bytesMax`, no fewer than it has. */
  growTo(bytes: number): void {
    try {
      this.memory.grow((bytes - this.bytes.length) / WASM_PAGE_BYTES)
    } catch (cause) {
      throw new EngineFault('this machine has no memory left', { cause })
    }
    this.bytes = new Uint8Array(this.memory.buffer)
    this.view = new DataView(this.memory.buffer)
  }

  /** The state of Math.random, 64 bits. */
  seedRandom(address: number, seed: Uint8Array): void {
    this.bytes.set(seed.subarray(0, 8), address)
    // xorshift never leaves zero, so zero is no state.
    if (this.view.getBigUint64(address, true) === 0n) this.bytes[address] = 1
  }

  /** `address`, if `length` bytes fit behind it. */
  place(address: number, length: number): number {
    const from = address >>> 0
    if (from === 0 || from + length > this.bytes.length) throw new EngineFault('a pointer out of bounds')
    return from
  }

  /** What a function of the engine returned, if it is not null, which means that it got no memory. */
  owned(address: number): number {
    if (address === 0) throw NO_MEMORY
    return this.place(address, JS_VALUE_BYTES)
  }

  allocate(length: number): number {
    const address = this.exports.malloc(length)
    if (address === 0) throw NO_MEMORY
    return this.place(address, length)
  }

  /** A C string; the caller frees it. */
  cString(text: string): number {
    if (text.length > SHORT_CHARS_MAX) return this.cBytes(utf8Encoder.encode(text))
    const address = this.allocate(text.length + 1)
    for (let i = 0; i < text.length; i++) {
      const char = text.charCodeAt(i)
      if (char > 127) {
        this.exports.free(address)
        return this.cBytes(utf8Encoder.encode(text))
      }
      this.bytes[address + i] = char
    }
    this.bytes[address + text.length] = 0
    return address
  }

  cBytes(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length + 1)
    this.bytes.set(bytes, address)
    this.bytes[address + bytes.length] = 0
    return address
  }

  newString(context: number, text: string): number {
    return this.#stringOf(context, this.cString(text))
  }

  /** A string: `bytes` in hex. */
  newHex(context: number, bytes: Uint8Array): number {
    const address = this.allocate(2 * bytes.length + 1)
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      this.bytes[address + 2 * i] = HEX_DIGITS.charCodeAt(byte >> 4)
      this.bytes[address + 2 * i + 1] = HEX_DIGITS.charCodeAt(byte & 15)
    }
    this.bytes[address + 2 * bytes.length] = 0
    return this.#stringOf(context, address)
  }

  /** The string of a C string, which is freed. */
  #stringOf(context: number, address: number): number {
    const value = this.owned(this.exports.newString(context, address))
    this.exports.free(address)
    return value
  }

  /** An ArrayBuffer that holds a copy of `bytes`. */
  newBuffer(context: number, bytes: Uint8Array): number {
    const address = this.allocate(Math.max(1, bytes.length))
    this.bytes.set(bytes, address)
    return this.owned(this.exports.newArrayBuffer(context, address, bytes.length))
  }

  /** The text of a string value; undefined if it has more than `bytesMax` bytes. */
  text(context: number, value: number, bytesMax: number): string | undefined {
    const address = this.exports.getString(context, value)
    if (address === 0) throw NO_MEMORY
    const text = this.#shortText(address) ?? this.#longText(address, bytesMax)
    this.exports.freeString(context, address)
    return text
  }

  #shortText(address: number): string | undefined {
    const end = this.place(address, 1) + SHORT_CHARS_MAX
    let text = ''
    for (let i = address; i < end; i++) {
      const byte = this.bytes[i]
      if (byte === 0) return text
      if (byte === undefined || byte > 127) return undefined
      text += String.fromCharCode(byte)
    }
    return undefined
  }

  #longText(address: number, bytesMax: number): string | undefined {
    const end = this.bytes.indexOf(0, address)
    if (end < 0) throw new EngineFault('a string without an end')
    return end - address > bytesMax ? undefined : utf8Decoder.decode(this.bytes.subarray(address, end))
  }

  /** A copy of the bytes of an ArrayBuffer value; undefined if there are more than `bytesMax`. */
  buffer(context: number, value: number, bytesMax: number): Uint8Array | undefined {
    const length = this.exports.getArrayBufferLength(context, value) >>> 0
    if (length > bytesMax) return undefined
    const address = this.exports.getArrayBuffer(context, value)
    if (address === 0) throw NO_MEMORY
    const from = this.place(address, length)
    const bytes = this.bytes.slice(from, from + length)
    this.exports.free(address)
    return bytes
  }

  /**
   * Fills with zeros what has been freed, as far as it is larger than a page, so that it is no part of an image: a parser
   * leaves as much behind as what it made.
   */
  zeroFreed(pageBytes: number): void {
    const { malloc, free } = this.exports
    const end = this.view.getUint32(LAYOUT.sbrkPointer, true)
    // As if there were no more than this: malloc then gives what it has, or nothing.
    this.view.setUint32(LAYOUT.sbrkPointer, this.bytes.length, true)
    this.#sealed = true
    const held: number[] = []
    for (let size = this.#largestFree(pageBytes); size > 0; size = this.#largestFree(pageBytes)) {
      const address = this.place(malloc(size), size)
      this.bytes.fill(0, address, address + size)
      held.push(address)
    }
    for (const address of held) free(address)
    this.#sealed = false
    this.view.setUint32(LAYOUT.sbrkPointer, end, true)
  }

  /** How much malloc can give at once without more memory; 0 if that is less than `least`. */
  #largestFree(least: number): number {
    const { malloc, free } = this.exports
    let [fits, over] = [0, this.bytes.length]
    for (let size = least; size < over && over - fits > 16; size = fits === 0 ? over : (fits + over) >>> 1) {
      const address = malloc(size)
      if (address === 0) over = size
      else {
        free(address)
        fits = size
      }
    }
    return fits
  }

  /** Where malloc's memory ends now, within bounds. */
  heapEnd(): number {
    return Math.min(this.view.getUint32(LAYOUT.sbrkPointer, true), this.bytes.length)
  }
}
