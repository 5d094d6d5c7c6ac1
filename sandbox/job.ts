/** What a sandbox is asked to do, and what comes of it. */

import type { EffectKind } from '../protocol/effects.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import type { ConsoleLine, Limits, Outcome } from '../protocol/outcome.ts'
import type { Binding, Trace } from '../protocol/records.ts'
import type { Tier } from '../protocol/tiers.ts'
import type { Tracer } from './tracer.ts'

/** What a function's code is. A manifest says it. */
export interface CodeForm {
  readonly tier: Tier
  /** Bytes of each WebAssembly module at its end. */
  readonly modules: readonly number[]
  /** What it may request. */
  readonly effects?: readonly EffectKind[]
  /** What it finds in its `env`. */
  readonly env?: readonly Binding[]
}

/** One ES module and nothing else. */
export const PLAIN_MODULE: CodeForm = { tier: 'javascript', modules: [] }

/** One run of a function whose image is at hand. */
export interface Run {
  /** On whose behalf: memory that was one owner's is never another's. */
  owner: string
  exportName: string
  /** What the function's manifest lets it request. */
  effects: readonly EffectKind[]
  /** An encoded Value. */
  input: Uint8Array
  /** 32 bytes, from the task's ID: what Math.random and ctx.invocationId come from, the same in every run of the task. */
  seed: Uint8Array
  limits: Limits
  /** Replayed first; then the run goes on with the answers it is given. */
  journal: readonly JournalEntry[]
  /** A checkpoint of such a run, which it goes on from; one that does not fit is none. */
  from?: Uint8Array | undefined
  /** It ends before it makes this request, and no other outcome comes of it. */
  until?: number | undefined
}

export interface RunEvents {
  /** The function made a request that its journal does not hold. */
  requested?(request: EffectRequest): void
  /** One of the blocks that its next request names, also where its journal holds that. */
  block?(bytes: Uint8Array): void
  /** Now and then while the guest computes. */
  progress?(fuel: number): void
  /** The guest is at rest after so many answers, and has computed enough since the last checkpoint for one more. */
  rested?(answers: number, checkpoint: () => Uint8Array | undefined): void
  /** It ends, inconclusive, before the request that it was to end before. */
  stopped?(stop: Stop): void
  /** Takes the run's trace. */
  tracer?: Tracer | undefined
}

export type SandboxResult =
  /** The canonical bytes of an Outcome, and what they say. `trace`: as a pool gives it to whoever asked. */
  | { kind: 'outcome'; outcome: Uint8Array; decoded: Outcome; trace?: Trace | undefined }
  /** No outcome: killed by the wall clock, or the engine or its host failed. Never a vote. */
  | { kind: 'inconclusive'; reason: string }
  /** At request `n` the function did something else than its journal says. */
  | { kind: 'diverged'; n: number; expected: string; found: string }

/** Where a run was that was to end before a request. */
export interface Stop {
  /** What it would have requested. */
  request: EffectRequest
  /** All that it had printed. */
  console: readonly ConsoleLine[]
  fuel: number
}
