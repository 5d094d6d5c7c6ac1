/** What carries out an SDK's or command's wishes: a peer in this process, or the local agent over its socket. */

import type { StandingDelegations } from '../peer/durable/delegation-rules.ts'
import type { Inputs } from '../peer/inputs.ts'
import type { DurableState } from '../protocol/durable.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { Grants } from '../protocol/grants.ts'
import type { Limits, Outcome } from '../protocol/outcome.ts'
import type { Manifest, VerificationRecord } from '../protocol/records.ts'
import type { FunctionBundle } from '../registry/functions.ts'

export interface BackendOptions {
  /** A verification level as text, such as `self` or `quorum:2`; the function's default, unless given. */
  verify?: string | undefined
  timeoutMs: number
  /** Those of the manifest, unless given. */
  limits?: Limits | undefined
  /** Never execute on this machine in place of a peer, nor answer from the memo. */
  remote: boolean
  /** Code, input and journal may be shown to anybody. */
  public?: boolean | undefined
  /** What the function may ask for, by the names in its `env`: nothing, unless given. */
  grants?: Grants | undefined
  signal?: AbortSignal | undefined
  /** Told what the call waits for, when that takes over 2 s. */
  onWait?: ((reason: string) => void) | undefined
}

export interface BackendCall extends BackendOptions {
  /** CID text. */
  function: string
  export: string
  /** Encoded Value. */
  input: Uint8Array
  /** Return an encoded ReceiptFile with the result, which is not taken from the memo then. */
  receipt: boolean
  /** Its receipts are to carry traces, with a hash of the memory every so many ticks. */
  traceTicks?: number | undefined
}

/**
 * An executor that signed another outcome than the answer. At `audit` and `self` that is wrong: a run at home had the
 * answer. At `quorum:N` it was outvoted, which proves nothing.
 */
export interface BackendDispute {
  liar: string
  /** Encoded envelopes of its receipt, and of one for the answer. */
  wrong: Uint8Array
  right: Uint8Array
  /**
   * Encoded ReceiptFile of its receipt: whoever runs the function again sees whether it is wrong. There in a call with
   * `receipt`, and the first time that it differs in a map.
   */
  proof?: Uint8Array | undefined
}

export interface BackendResult {
  outcome: Outcome
  /** PeerIds of those whose executions were compared or answered; the first gave the answer. None from the memo. */
  executors: string[]
  /** Ran on this machine, because no peer was in reach. */
  local: boolean
  /** Nothing was executed: the outcome of an earlier call, verified at the level of this one or above. */
  memo: boolean
  /** How the answer was checked: `by` nobody (`none`), a machine of one's own, an audit, a quorum, this machine, earlier. */
  verification: VerificationRecord
  executions: number
  /** Executions that made up for a lost, failed or slow one. */
  recovered: number
  disputes: BackendDispute[]
  receiptFile?: Uint8Array | undefined
}

export interface BackendMap extends BackendOptions {
  function: string
  export: string
  /** Encoded Values. The map takes them as there is room, and closes them when it ends. */
  inputs: Inputs<Uint8Array>
  /** Results in the order in which they come. */
  unordered: boolean
}

export type BackendMapItem =
  | { index: number; result: BackendResult }
  | { index: number; error: { code: ErrorCode; message: string } }

/**
 * A durable invocation, as its home lists it: `failed` also where its function has ended with an error. Instants are of the
 * wall clock. Of one whose record is damaged only id and state are known.
 */
export interface BackendInvocation {
  id: string
  /** CID text. */
  function?: string | undefined
  export?: string | undefined
  state: DurableState
  createdMs?: number | undefined
  endedMs?: number | undefined
}

/** How one ended: `done` with an outcome, `failed` with an error, or `cancelled`. */
export interface BackendEnd {
  state: Exclude<DurableState, 'running'>
  outcome?: Outcome | undefined
  error?: { code: ErrorCode; message: string } | undefined
}

/** Every method throws MeshError E_NO_HOME where nothing durable is kept, and E_USAGE for an id that is not known there. */
export interface BackendDurable {
  /** The id, once it is kept. */
  start(call: Omit<BackendCall, 'receipt' | 'traceTicks' | 'signal' | 'onWait'>): Promise<string>
  /** Those that run, the oldest first; with `all` those that have ended too. */
  list(all: boolean): Promise<BackendInvocation[]>
  /** Undefined: it runs. */
  end(id: string): Promise<BackendEnd | undefined>
  wait(id: string, signal?: AbortSignal): Promise<BackendEnd>
  /** False: it had ended. */
  cancel(id: string): Promise<boolean>
  /** Its home, of another machine, goes on with it no more, until it is renewed. E_USAGE where the home acts by no delegation. */
  revoke(id: string): Promise<void>
  /** As it was signed before. E_USAGE for one that has ended, too. */
  renew(id: string): Promise<void>
  /** By which something goes on, or may again: here for others, or at homes of other machines for this one. */
  delegations(): Promise<StandingDelegations>
  /** Encoded RecordedInvocation: what is kept of it, to be run again. */
  recorded(id: string): Promise<Uint8Array>
}

export interface Backend {
  /** Stores the function's blocks where executors find them. Same bundle, same CID. */
  publish(bundle: FunctionBundle): Promise<{ cid: string; manifest: Manifest }>
  manifest(functionCid: string): Promise<Manifest>
  /** Outcomes are results, errors of the function included; all else is thrown as MeshError. */
  call(call: BackendCall): Promise<BackendResult>
  /** Items as they come, those that come together in one list. */
  map(map: BackendMap): AsyncIterable<BackendMapItem[]>
  readonly durable: BackendDurable
  close(): Promise<void>
}
