/** A program that must come out the same on every host, and what came out. Both cross to other processes as JSON. */

import type { EffectKind } from '../../protocol/effects.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Limits } from '../../protocol/outcome.ts'
import type { Binding } from '../../protocol/records.ts'
import type { CarriedProgram, CarriedRecord } from './carried.ts'

export interface Program {
  /** Unique among all. */
  name: string
  /** An ES module. */
  code: string
  exportName: string
  /** As `valueFromJson` reads it. */
  input: string
  effects: readonly EffectKind[]
  env: readonly Binding[]
  limits: Limits
  /** Its memory is hashed at each tick as well. */
  traced: boolean
}

/**
 * How a run began: in the engine that had just evaluated the module; in one that was reset after another run; in a new one
 * made of the bytes of the image; or with the journal of an earlier run. `loaded` is no run: the image itself.
 */
export type Way = 'cold' | 'reset' | 'restored' | 'replayed' | 'loaded'

/** How the program's requests were answered: at each wait, which of those that were open, counted from 0. */
export type Order = readonly number[]

export interface RunRecord {
  way: Way
  order: Order
  /** `outcome`; or the reason why there is none, which is a failure wherever it occurs. */
  kind: string
  /** In hex: the hash of the bytes of the outcome (or of the image), and the fingerprint of the engine after the run. */
  outcome: string
  memory: string
  /** In JSON; of a program that is traced. */
  trace?: string
  fuel: number
  /** The outcome in words, for who reads of a difference. */
  said: string
  /** Of a run that requested something: its canonical bytes, in base64. */
  journal?: string
}

/** A journal that was recorded with the answers in this order. */
export type Recorded = Required<Pick<RunRecord, 'order' | 'journal'>>

export interface ProgramRecord {
  name: string
  runs: RunRecord[]
}

/**
 * What a host is asked: to perform programs, to replay journals of one, to perform one with WebAssembly, or for the memory
 * that one run leaves, in base64.
 */
export type Question =
  | { perform: Program[] }
  | { replay: Program; recorded: Recorded[] }
  | { carried: CarriedProgram }
  | { stateOf: Program; way: Way; order: Order }
export type Reply = { records: ProgramRecord[] } | { carried: CarriedRecord[] } | { state: string }

export const LIMITS: Limits = { fuel: 5_000_000, memory_bytes: 32 * MIB, output_bytes: 1 * MIB }

export const programOf = (name: string, code: string, changes: Partial<Program> = {}): Program => ({
  name,
  code,
  exportName: 'default',
  input: 'null',
  effects: [],
  env: [],
  limits: LIMITS,
  traced: false,
  ...changes,
})
