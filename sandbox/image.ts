/**
 * An image: the memory of an engine in which a function's module has been evaluated, kept as its non-zero pages. Each
 * call starts in memory that is equal to it, byte for byte.
 */
import { STACK_BYTES_MAX, STACK_SLACK_BYTES } from './constants.ts'
import { Engine, EngineFault, WASM_PAGE_BYTES } from './engine.ts'
import { LAYOUT } from './wasm-names.ts'

const PAGE_BYTES = 4096

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
}

interface Region {
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

const stackOf = (roots: Roots): Region => ({
  at: roots.stackTop - STACK_BYTES_MAX - STACK_SLACK_BYTES,
  end: roots.stackTop,
})

/** Runs of pages that hold anything but zeros. */
const usedRegions = (memory: Uint8Array, end: number): Region[] => {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8)
  const regions: Region[] = []
  for (let at = 0; at < end; at += PAGE_BYTES) {
    let word = at / 8
    const last = word + PAGE_BYTES / 8
    while (word < last && words[word] === 0n) word++
    if (word === last) continue
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

/** Keeps the memory of an engine that is at rest. Its stack holds nothing then, and the next poll is set to be a tick. */
export const captureImage = (engine: Engine, roots: Roots): Image => {
  const stack = stackOf(roots)
  engine.bytes.fill(0, stack.at, stack.end)
  engine.view.setInt32(roots.context + LAYOUT.interruptCounter, 1, true)
  const heapEnd = engine.heapEnd()
  const regions = usedRegions(engine.bytes, engine.bytes.length)
  const used = regions.at(-1)
  if (used === undefined || used.end > heapEnd + PAGE_BYTES) throw new EngineFault('memory in use past the heap')
  const copies = regions.map(({ at, end }) => ({ at, bytes: engine.bytes.slice(at, end) }))
  return {
    roots,
    memoryBytes: engine.bytes.length,
    memoryBytesMax: engine.bytesMax,
    dataBytes: copies.reduce((sum, { bytes }) => sum + bytes.length, 0),
    copies,
    gaps: gapsBetween(regions, stack, Math.max(heapEnd, used.end)),
    heapEnd,
  }
}

/** Makes the engine's memory equal to the image. False: it cannot be, because the memory has grown; drop the engine. */
export const resetToImage = (engine: Engine, image: Image): boolean => {
  if (engine.bytes.length !== image.memoryBytes) return false
  const { bytes } = engine
  const dirtyEnd = engine.heapEnd()
  for (const copy of image.copies) bytes.set(copy.bytes, copy.at)
  for (const gap of image.gaps) bytes.fill(0, gap.at, gap.end)
  if (dirtyEnd > image.heapEnd) bytes.fill(0, image.heapEnd, dirtyEnd)
  engine.exports.stackRestore(image.roots.stackTop)
  engine.refused = false
  return true
}

/** A fresh engine with the image's memory. */
export const engineFromImage = (wasm: WebAssembly.Module, image: Image): Engine => {
  const engine = new Engine(wasm, image.memoryBytes, image.memoryBytesMax)
  engine.bytes.fill(0)
  for (const copy of image.copies) engine.bytes.set(copy.bytes, copy.at)
  engine.exports.stackRestore(image.roots.stackTop)
  return engine
}

/** The first address, in steps of eight, at which the engine's memory is not the image's; -1 if there is none. */
export const differenceFromImage = (engine: Engine, image: Image): number => {
  if (engine.bytes.length !== image.memoryBytes) return Math.min(engine.bytes.length, image.memoryBytes)
  const expected = new Uint8Array(image.memoryBytes)
  for (const copy of image.copies) expected.set(copy.bytes, copy.at)
  const [found, wanted] = [new BigUint64Array(engine.bytes.buffer), new BigUint64Array(expected.buffer)]
  for (let i = 0; i < found.length; i++) if (found[i] !== wanted[i]) return 8 * i
  return -1
}

export const wholePages = (bytes: number): number => Math.ceil(bytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES
