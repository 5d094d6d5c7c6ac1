/**
 * An image: the memory of an engine in which a function's module has been evaluated, kept as its non-zero pages. Each
 * call starts in memory that is equal to it, byte for byte.
 */
import { STACK_BYTES_MAX, STACK_SLACK_BYTES } from './constants.ts'
import { Engine, WASM_PAGE_BYTES } from './engine.ts'
import { LAYOUT, METER } from './wasm-names.ts'

export const PAGE_BYTES = 4096

/** Addresses that stay the same in every instance of one image. */
export interface Roots {
  context: number
  runtime: number
  /** Of the engine's stack, at rest. */
  stackTop: number
  undefinedValue: number
  /** Room for the arguments of one call. */
  scratch: number
  /** Functions of the prelude. */
  load: number
  run: number
  settle: number
  fail: number
  turn: number
  use: number
}

export interface Region {
  at: number
  end: number
}

export interface Image {
  readonly roots: Roots
  readonly memoryBytes: number
  readonly memoryBytesMax: number
  /** What keeping it costs. */
  readonly dataBytes: number
  readonly copies: readonly { at: number; bytes: Uint8Array }[]
  /** Parts below `heapEnd` that are zero in the image and that a call may have written. */
  readonly gaps: readonly Region[]
  readonly heapEnd: number
}

/** What its limit lets a guest reach. */
export const stackOf = (roots: Roots): Region => ({
  at: roots.stackTop - STACK_BYTES_MAX - STACK_SLACK_BYTES,
  end: roots.stackTop,
})

/** Four words a step, and no index that Firefox would count as a double: it is called on megabytes of zeros. */
const isZero = (words: Int32Array, from: number, to: number): boolean => {
  for (let i = from; i < to; i += 4)
    if (((words[i] as number) | (words[i + 1] as number) | (words[i + 2] as number) | (words[i + 3] as number)) !== 0)
      return false
  return true
}

/** Runs of pages that hold anything but zeros. */
export const usedRegions = (memory: Uint8Array, end: number, start = 0): Region[] => {
  const words = new Int32Array(memory.buffer)
  const regions: Region[] = []
  for (let at = start; at < end; at += PAGE_BYTES) {
    if (isZero(words, at >>> 2, (at + PAGE_BYTES) >>> 2)) continue
    const open = regions.at(-1)
    if (open?.end === at) open.end = at + PAGE_BYTES
    else regions.push({ at, end: at + PAGE_BYTES })
  }
  return regions
}

/** Between the used regions; of the engine's stack, which is far larger, only what its limit lets a guest reach. */
const gapsBetween = (regions: readonly Region[], stack: Region, end: number): Region[] => {
  const gaps: Region[] = []
  let from = 0
  for (const used of [...regions, { at: end, end }]) {
    const holdsStack = from <= stack.at && stack.at < used.at
    const gap = holdsStack ? { at: stack.at, end: used.at } : { at: from, end: used.at }
    if (gap.at < gap.end) gaps.push(gap)
    from = used.end
  }
  return gaps
}

/** Gives the image memory of its own, where it refers to that of a file. */
export const ownCopies = (image: Image): void => {
  // Not `slice`, which copies nothing where the bytes are a Buffer of Node.
  for (const copy of image.copies) copy.bytes = new Uint8Array(copy.bytes)
}

/** The image whose used pages are `copies`, in order. */
export const imageOf = (
  roots: Roots,
  memory: Pick<Image, 'memoryBytes' | 'memoryBytesMax' | 'heapEnd' | 'copies'>,
): Image => {
  const used = memory.copies.map(({ at, bytes }) => ({ at, end: at + bytes.length }))
  return {
    roots,
    ...memory,
    dataBytes: memory.copies.reduce((sum, { bytes }) => sum + bytes.length, 0),
    gaps: gapsBetween(used, stackOf(roots), memory.heapEnd),
  }
}

/**
 * Keeps the memory of an engine that is at rest, and leaves it equal to the image. Its stack holds nothing then, and its
 * first work will be a tick. `base`: the image that it began with, where it began with one.
 */
export const captureImage = (engine: Engine, roots: Roots, base?: Image): Image => {
  engine.zeroFreed(PAGE_BYTES)
  const stack = stackOf(roots)
  engine.bytes.fill(0, stack.at, stack.end)
  engine.view.setInt32(METER.address, 0, true)
  engine.refused = false
  const heapEnd = engine.heapEnd()
  // Most of the engine's stack is beyond its limit: what is zero there in the base image is still zero.
  const below = base?.copies.findLast(({ at, bytes }) => at + bytes.length <= stack.at)
  const regions = below
    ? [
        ...usedRegions(engine.bytes, below.at + below.bytes.length),
        ...usedRegions(engine.bytes, heapEnd, stack.at - (stack.at % PAGE_BYTES)),
      ]
    : usedRegions(engine.bytes, heapEnd)
  const copies = regions.map(({ at, end }) => ({ at, bytes: engine.bytes.slice(at, end) }))
  const memory = { memoryBytes: engine.bytes.length, memoryBytesMax: engine.bytesMax, heapEnd, copies }
  const image = imageOf(roots, memory)
  engine.holds = image
  return image
}

/**
 * Makes the engine's memory equal to the image, whichever it had before. False: it cannot be, because the memory is of
 * another size, mostly since it has grown; drop the engine.
 */
export const resetToImage = (engine: Engine, image: Image): boolean => {
  if (engine.bytes.length !== image.memoryBytes) return false
  if (engine.holds === image) return true
  const { bytes } = engine
  const dirtyEnd = engine.heapEnd()
  for (const copy of image.copies) bytes.set(copy.bytes, copy.at)
  for (const gap of image.gaps) bytes.fill(0, gap.at, gap.end)
  if (dirtyEnd > image.heapEnd) bytes.fill(0, image.heapEnd, dirtyEnd)
  engine.exports.stackRestore(image.roots.stackTop)
  engine.refused = false
  engine.holds = image
  return true
}

/** A fresh engine with the image's memory, which may grow to `memoryBytesMax`. */
export const engineFromImage = (
  wasm: WebAssembly.Module,
  image: Image,
  memoryBytesMax: number = image.memoryBytesMax,
): Engine => {
  const engine = new Engine(wasm, image.memoryBytes, memoryBytesMax)
  // The binary's own data; the rest of a fresh memory is zero.
  engine.bytes.fill(0, 0, image.roots.stackTop - LAYOUT.stackBytes)
  for (const copy of image.copies) engine.bytes.set(copy.bytes, copy.at)
  engine.exports.stackRestore(image.roots.stackTop)
  engine.holds = image
  return engine
}

/** The first index from `from` to `to` at which `words` is not what `wanted` has from its start, or zero without it. */
const firstDifference = (words: Int32Array, from: number, to: number, wanted?: Int32Array): number => {
  if (wanted) for (let i = from; i < to; i++) if (words[i] !== wanted[i - from]) return i
  if (!wanted) for (let i = from; i < to; i++) if (words[i] !== 0) return i
  return -1
}

/** The first address, in steps of four, at which the engine's memory is not the image's; -1 if there is none. */
export const differenceFromImage = (engine: Engine, image: Image): number => {
  if (engine.bytes.length !== image.memoryBytes) return Math.min(engine.bytes.length, image.memoryBytes)
  const words = new Int32Array(engine.bytes.buffer)
  let from = 0
  for (const { at, bytes } of [...image.copies, { at: image.memoryBytes, bytes: new Uint8Array(0) }]) {
    const start = at >>> 2
    const end = start + (bytes.length >>> 2)
    const before = firstDifference(words, from, start)
    const wanted = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    const found = before >= 0 ? before : firstDifference(words, start, end, wanted)
    if (found >= 0) return 4 * found
    from = end
  }
  return -1
}

export const wholePages = (bytes: number): number => Math.ceil(bytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES
