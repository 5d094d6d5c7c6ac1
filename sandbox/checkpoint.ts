/**
 * A checkpoint: where a run stands when its guest is at rest and waits for an answer, as bytes. Equal for equal runs, on any
 * machine, and so its hash. A run of the same function, input and journal goes on from it in any engine of the same build.
 *
 * It says what the glue knows, and then those pages of memory that are not as in the function's image, which whoever goes on
 * has of its own. What the glue would have to trust, such as an address, is in that image alone: a stranger's checkpoint is
 * memory of a guest, and nothing else.
 */
import type { JournalEntry } from '../protocol/journal.ts'
import {
  CHECKPOINT_ANSWERS,
  CHECKPOINT_BYTES_MAX,
  CHECKPOINT_TICKS,
  CONSOLE_BYTES_MAX,
  CONSOLE_LINES_MAX,
  REQUESTS_MAX,
  TICKS_MAX,
} from '../protocol/limits.ts'
import type { ConsoleLine } from '../protocol/outcome.ts'
import { Asked } from './asked.ts'
import { type Engine, WASM_PAGE_BYTES } from './engine.ts'
import { type Image, PAGE_BYTES, type Region, resetToImage, stackOf } from './image.ts'
import { decodeRegions, encodeRegions, type RegionHead } from './region-file.ts'
import { LAYOUT } from './wasm-names.ts'

/** What there is to know of a run at rest, beside its memory and its journal. */
export interface Standing {
  /** Answers that it was given, and requests that it has made by then. */
  answers: number
  requests: number
  ticks: number
  /** It was refused memory. */
  refused: boolean
  console: readonly ConsoleLine[]
}

type Head = RegionHead & Standing

/** How many a run is to have had by now, wherever it began. */
export const checkpointsDue = (ticks: number, answers: number): number =>
  Math.floor(ticks / CHECKPOINT_TICKS) + Math.floor(answers / CHECKPOINT_ANSWERS)

/** What a run can have written: all but the part of the stack that is beyond its limit. */
const written = ({ roots }: Image, heapEnd: number): Region[] => [
  { at: 0, end: roots.stackTop - LAYOUT.stackBytes },
  { at: stackOf(roots).at - (stackOf(roots).at % PAGE_BYTES), end: heapEnd },
]

/** The words of one page of the image; undefined: they are zero. */
const pageOf = (image: Image, at: number): Int32Array | undefined => {
  const copy = image.copies.find((one) => one.at <= at && at < one.at + one.bytes.length)
  // A copy, since the image may refer to a file, where it need not begin at a word.
  return copy && new Int32Array(new Uint8Array(copy.bytes.subarray(at - copy.at, at - copy.at + PAGE_BYTES)).buffer)
}

const isPage = (words: Int32Array, from: number, wanted: Int32Array | undefined): boolean => {
  for (let i = 0; i < PAGE_BYTES / 4; i++) if (words[from + i] !== (wanted?.[i] ?? 0)) return false
  return true
}

/** Runs of pages in which the engine's memory is not the image's. */
const changedIn = (engine: Engine, image: Image): Region[] => {
  const words = new Int32Array(engine.bytes.buffer)
  const regions: Region[] = []
  for (const { at: from, end } of written(image, engine.heapEnd())) {
    for (let at = from; at < end; at += PAGE_BYTES) {
      if (isPage(words, at >>> 2, pageOf(image, at))) continue
      const open = regions.at(-1)
      if (open?.end === at) open.end = at + PAGE_BYTES
      else regions.push({ at, end: at + PAGE_BYTES })
    }
  }
  return regions
}

/** Of a run in `engine`, which began with `image` and is at rest; undefined: it would be too large. */
export const encodeCheckpoint = (engine: Engine, image: Image, standing: Standing): Uint8Array | undefined => {
  const head: Omit<Head, 'regions'> = { ...standing, memory_bytes: engine.bytes.length }
  const copies = changedIn(engine, image).map(({ at, end }) => ({ at, bytes: engine.bytes.subarray(at, end) }))
  const bytes = encodeRegions(head, copies)
  return bytes.length <= CHECKPOINT_BYTES_MAX ? bytes : undefined
}

/** A checkpoint that fits its function and journal. */
export interface Resumption {
  standing: Standing
  asked: Asked
  /** Entries of the journal that lie before it. */
  entries: number
  /** Makes an engine that is to have the function's image as it was. */
  restore(engine: Engine): boolean
}

const isCount = (x: unknown, max: number): boolean =>
  Number.isSafeInteger(x) && (x as number) >= 0 && (x as number) <= max

const LEVELS: ReadonlySet<unknown> = new Set<ConsoleLine['level']>(['debug', 'log', 'info', 'warn', 'error'])

const isConsole = (x: unknown): boolean =>
  Array.isArray(x) &&
  x.length <= CONSOLE_LINES_MAX &&
  x.every((line) => LEVELS.has(line?.level) && typeof line.text === 'string' && line.text.length <= CONSOLE_BYTES_MAX)

const isStanding = ({ answers, requests, ticks, refused, console }: Standing): boolean =>
  isCount(answers, REQUESTS_MAX) &&
  isCount(requests, REQUESTS_MAX) &&
  isCount(ticks, TICKS_MAX) &&
  ticks > 0 &&
  typeof refused === 'boolean' &&
  isConsole(console)

/** How many entries, in order, lie before the rest behind so many answers. */
const entriesBefore = (ordered: readonly JournalEntry[], answers: number): number => {
  let given = 0
  const end = ordered.findIndex((one) => one.entry === 'answer' && ++given > answers)
  return end === -1 ? ordered.length : end
}

/** Undefined: it is none of a run with this image and journal, which then begins at its start. `journal` is in order. */
export const openCheckpoint = (
  bytes: Uint8Array,
  image: Image,
  journal: readonly JournalEntry[],
): Resumption | undefined => {
  try {
    const { head: read, copies } = decodeRegions(bytes)
    const head = read as Head
    const { memory_bytes: memoryBytes, regions: _, ...standing } = head
    const fits = memoryBytes >= image.memoryBytes && memoryBytes <= image.memoryBytesMax
    if (!fits || memoryBytes % WASM_PAGE_BYTES !== 0 || !isStanding(standing)) return undefined
    const entries = entriesBefore(journal, standing.answers)
    const asked = Asked.in(journal.slice(0, entries))
    if (asked.answers !== standing.answers || asked.requests.length !== standing.requests) return undefined
    const restore = (engine: Engine): boolean => {
      if (!resetToImage(engine, image)) return false
      engine.growTo(memoryBytes)
      for (const copy of copies) engine.bytes.set(copy.bytes, copy.at)
      engine.refused = standing.refused
      return true
    }
    return { standing, asked, entries, restore }
  } catch {
    return undefined
  }
}
