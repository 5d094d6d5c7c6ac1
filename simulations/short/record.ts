/** What was seen of a short world: all that its checkers look at. */
import type { CallResult } from '../../peer/calls.ts'
import type { TrustState } from '../../peer/trust.ts'
import type { CID } from '../../protocol/cid.ts'
import type { MeshError } from '../../protocol/errors.ts'
import type { LogEventName, LogFields } from '../../protocol/log.ts'
import type { Value } from '../../protocol/values.ts'
import type { LeftOver } from '../checkers/quiet.ts'
import type { Book } from '../checkers/usage.ts'
import type { Asked, Plan } from './plan.ts'

/** One task of a call, as its caller was told. */
export interface Told {
  index: number
  result?: CallResult
  /** What a durable one came to. */
  done?: Value
  error?: MeshError
  atMs: number
}

export interface Called {
  asked: Asked
  beganMs: number
  /** Everything that came, also what should not have. */
  told: Told[]
  /** Undefined: it never ended. */
  endedMs?: number
  /** Its caller died meanwhile, or stood still until then, ms. */
  callerDied: boolean
  callerStoodUntilMs: number
  /** Of a durable one, once its home has said that it is kept. */
  id?: string
}

/** What stands in the state in the end: the value under each key, and the revision that it is of. */
export type Entries = ReadonlyMap<string, { value: number; version: number }>

/** What a peer has of another in the end. */
export interface Standing {
  state: TrustState
  /** Wrong receipts of it. */
  caught: number
  roundTripMs: number
}

/** One peer in the end; of those who are there. */
export interface Left extends LeftOver {
  /** Of the others that it knows, by their number. */
  trust: ReadonlyMap<number, Standing>
  events: readonly { name: LogEventName; fields: LogFields }[]
}

/** An errand at an executor: one that has begun there, or is at a checkpoint, behind so many answers. */
export interface Errand {
  peer: number
  number: number
  answers: number
  atMs: number
}

/** A secret that a home has shown to one who executed for it. */
export interface Shown {
  /** To whom. */
  peer: number
  invocation: CID
  /** To what it comes as a commitment. */
  commitment: Uint8Array
}

export interface Record {
  plan: Plan
  names: readonly string[]
  called: readonly Called[]
  entries: Entries
  /** How often each errand was paid for, by its number. */
  paid: ReadonlyMap<number, number>
  left: readonly Left[]
  /** What those who are there have agreed with each other. */
  books: readonly Book[]
  /** Each time that one began, or came to a checkpoint, in this order. */
  errandRuns: readonly Errand[]
  errandRests: readonly Errand[]
  /** Of whoever was compared with others. */
  secrets: readonly Shown[]
  /** Peers that were put out of the mesh. */
  revoked: ReadonlySet<number>
  /** The most that ran or waited at one peer at any time. */
  runningMax: number
  /** Runs of the function that computes, at all of them, whatever came of it. */
  runs: number
  /** Timers that were set when all was quiet. */
  timers: number
  /** When the plan began, ms. */
  beganMs: number
  /** Over every frame: between whom, when, its bytes. */
  hash: number
}
