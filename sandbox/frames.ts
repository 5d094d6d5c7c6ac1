/**
 * What a pool and its workers say to each other: frames of canonical DAG-CBOR, each a list of records; and, from the pool,
 * images as they are (image-file.ts), each before the frame that speaks of it. What the pool says is trusted; a worker is not, since a guest may have broken out of its sandbox: its reports are checked field by field (reports.ts).
 */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import type { EffectKind } from '../protocol/effects.ts'
import type { Answer, JournalEntry } from '../protocol/journal.ts'
import { MIB } from '../protocol/limits.ts'
import type { ConsoleLine } from '../protocol/outcome.ts'
import type { Binding, Trace } from '../protocol/records.ts'
import type { Tier } from '../protocol/tiers.ts'
import { isImageFile } from './image-file.ts'

/** A worker sends what it has when it passes 64 KiB; one record more may be an outcome of full size. */
export const REPORT_FRAME_BYTES_MAX = 8 * MIB

/** An image that is larger stays in its process. A function with 100 kB of code has 2 MB. */
export const IMAGE_FILE_BYTES_MAX = 6 * MIB

/** id, input, seed, journal. */
export type RunRecord = [number, Uint8Array, Uint8Array, readonly JournalEntry[]]

/** From the pool. A worker does each `run` and `answer` as a step of its own, in order. */
export type Command =
  /** Function ID, tier, bytes of each WebAssembly module at the end of its code, code, bindings, effects. Comes before its first run. */
  | ['code', string, Tier, readonly number[], Uint8Array, readonly Binding[], readonly EffectKind[]]
  /** Function ID, memory bytes. The image that came is of this function: its module need not be evaluated. */
  | ['image', string, number]
  /** Function ID, export, effects, fuel, memory bytes, output bytes, runs, owner. */
  | ['runs', string, string, readonly EffectKind[], number, number, number, RunRecord[], string]
  /** Run, request, answer. */
  | ['answer', number, number, Answer]
  /** Run, ticks between two hashes: it is to be traced. Comes before it. */
  | ['trace', number, number]
  /** Run, the request that it is to end before. Comes before it; releases that know nothing of it go on. */
  | ['until', number, number]
  /** Run: it is to tell of its checkpoints. Comes before it; releases that know nothing of it always do. */
  | ['rests', number]
  /** Run, a checkpoint that it goes on from. Comes before it; releases that know nothing of it begin at the start. */
  | ['from', number, Uint8Array]
  /** A waiting run that nobody wants any more. */
  | ['drop', number]

/** From a worker. Each step ends with one of the first five. Releases differ in their kinds: only new ones are ever added. */
export type Report =
  /** Run, encoded Outcome, microseconds that the step took. */
  | ['done', number, Uint8Array, number]
  /** Run, reason. */
  | ['failed', number, string]
  /** Run, request, expected, found. */
  | ['diverged', number, number, string, string]
  /** Run: it waits for an answer. */
  | ['waiting', number]
  /** Run: the worker has neither an image that fits nor the code of its function. */
  | ['lacks', number]
  /** Run, then the fields of an EffectRequest. */
  | ['request', number, number, number, EffectKind, Uint8Array]
  /** Run, one of the blocks that its next request names: before that. */
  | ['block', number, Uint8Array]
  /** Run, fuel used so far. */
  | ['fuel', number, number]
  /** Run, answers given so far, a checkpoint of it there: at a rest that is due for one. */
  | ['rested', number, number, Uint8Array]
  /** Run, its trace: before `done`, of one that was to be traced. */
  | ['trace', number, Trace]
  /** Run, the fields of the EffectRequest that it was to end before, what it had printed, fuel so far: before `failed`. */
  | ['stopped', number, number, number, EffectKind, Uint8Array, readonly ConsoleLine[], number]
  /** Memory bytes, function ID, an encoded image of it: while there is nothing else to do. */
  | ['image', number, string, Uint8Array]

export const encodeFrame = (records: readonly (Command | Report)[]): Uint8Array => encodeCanonical(records)

export const decodeCommands = (frame: Uint8Array): Command[] => decodeCanonical(frame) as Command[]

/** Does a frame of the pool bring code that is WebAssembly, or has some of it? */
export const bringsWebAssembly = (frame: Uint8Array): boolean =>
  !isImageFile(frame) &&
  decodeCommands(frame).some(
    (command) => command[0] === 'code' && (command[2] === 'webassembly' || command[3].length > 0),
  )
