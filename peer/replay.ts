/** A recorded execution, run again here with its journal: as it was, up to a request, or with changed code. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { RecordedInvocation } from '../protocol/durable.ts'
import { MeshError } from '../protocol/errors.ts'
import { type EffectRequest, type JournalEntry, journalFault, orderJournal } from '../protocol/journal.ts'
import { type ConsoleLine, Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { type Invocation, type Receipt, ReceiptFile, Task } from '../protocol/records.ts'
import { sameBytes } from '../protocol/same-bytes.ts'
import { runsTier } from '../protocol/tiers.ts'
import { openBlockStore } from '../registry/block-store.ts'
import { type FunctionBundle, publishFunction } from '../registry/functions.ts'
import { requestWords } from '../sandbox/replay.ts'
import { Blocks, ensureCarried, type Read, ReceiptReader, templateOf } from './receipt-reading.ts'
import { runAgain } from './rerun.ts'
import { createRunner, type LoadedFunction } from './runner.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { isSameTrace } from './traces.ts'
import type { VerifySandbox } from './verify-file.ts'

export interface Recording {
  invocation: string
  /** A receipt's; of what its home recorded nobody signs. */
  signed: { receipt: Receipt; invocation: Invocation } | undefined
  /** A durable invocation's, of which each entry has its time, in milliseconds since 1970. */
  kept: Pick<RecordedInvocation, 'state' | 'created_ms' | 'error'> | undefined
  times: ReadonlyMap<JournalEntry, number>
  task: Task
  taskId: CID
  /** Undefined: it has none, or none yet. */
  outcome: CID | undefined
  /** What came of it, if that is there. */
  says: Outcome | undefined
  /** In the order in which the function made its requests and was answered. */
  journal: readonly JournalEntry[]
  /** Throws MeshError E_BLOCK_MISSING. */
  block(cid: CID): Uint8Array
}

/** Code to be run in the place of that which was recorded. */
export interface Changed {
  bundle: FunctionBundle
  exportName: string
}

export interface ReplayOptions {
  /** It ends before it makes this request, counted from 0. */
  until?: number | undefined
  changed?: Changed | undefined
}

/** In which of its parts an execution is another than the recorded one. */
export type Difference =
  | { part: 'request'; n: number; expected: string; found: string }
  /** Of changed code only what comes of it counts; else every bit of the outcome. */
  | { part: 'outcome' }
  /** The outcome is the same, and the memory was not, as its hashes say. */
  | { part: 'memory' }

export interface Replay {
  /** Of the manifest that was run. */
  functionName: string
  /** Undefined: the same, as far as it went. */
  difference: Difference | undefined
  /** What came of it; undefined where it did not come so far. */
  gives: Outcome | undefined
  /** Were its hashes those of the receipt? Undefined: it has none (`run --trace`). */
  isSameMemory: boolean | undefined
  /** It came to the end of a journal without an outcome: to this request, or, undefined, it waits for an answer. */
  pending: { request: EffectRequest | undefined } | undefined
  /** Where it was ended. `console`, `fuel`: undefined where its engine does not tell. */
  stopped: { request: EffectRequest; console?: readonly ConsoleLine[]; fuel?: number } | undefined
}

export type ReplayPorts = Pick<Ports, 'clock' | 'crypto' | 'log'>

/** Of what is published here for one run. */
const STORE_BYTES = 64 * 1024 * 1024

/**
 * That of the first receipt of an encoded ReceiptFile: the answer's. Throws MeshError E_MESSAGE or E_MESSAGE_LIMIT if the
 * bytes are none, and for what is wrong in it E_RECEIPT, E_SIGNATURE, E_BLOCK_MISSING, E_ENGINE_UNAVAILABLE.
 */
export const openRecording = async (
  crypto: Ports['crypto'],
  engines: readonly string[],
  bytes: Uint8Array,
): Promise<Recording> => {
  const file = ReceiptFile.decode(bytes)
  if (file.receipts.length === 0) throw new MeshError('E_MESSAGE', 'receipt file: it has no receipt')
  const reader = new ReceiptReader(crypto, file, engines)
  const statement: Read = {}
  const { receipt, invocation, task, journal } = await reader.read(0, statement)
  return {
    ...{
      invocation: receipt.invocation.toString(),
      signed: { receipt, invocation },
      kept: undefined,
      times: new Map(),
    },
    ...{ task, taskId: receipt.task, outcome: receipt.outcome, says: statement.says, journal },
    block: (cid) => reader.block(cid),
  }
}

/**
 * That of a durable invocation, as its home hands it out. Throws MeshError E_MESSAGE if the bytes are none or its journal is
 * not whole, E_BLOCK_MISSING, E_ENGINE_UNAVAILABLE.
 */
export const openInvocation = (
  crypto: Ports['crypto'],
  engines: readonly string[],
  id: string,
  bytes: Uint8Array,
): Recording => {
  const { task: taskId, journal: recorded, blocks: carried, outcome, ...kept } = RecordedInvocation.decode(bytes)
  const journal = orderJournal(recorded.map(({ entry }) => entry))
  const fault = journalFault(journal)
  if (fault !== undefined) {
    const message = `the journal of invocation ${id} is not whole: ${fault}; while it runs an executor may have made that up, and its home finds it out: ask again`
    throw new MeshError('E_MESSAGE', { message, invocation: id })
  }
  const blocks = new Blocks(crypto, carried)
  const task = Task.decode(blocks.get(taskId))
  ensureCarried(task.environment.engine, engines)
  return {
    ...{ invocation: id, signed: undefined, kept, task, taskId },
    times: new Map(recorded.map(({ entry, at_ms }) => [entry, at_ms])),
    outcome: outcome && recordCid(crypto, outcome),
    says: outcome && Outcome.decode(outcome),
    journal,
    block: (cid) => blocks.get(cid),
  }
}

const load = async (ports: ReplayPorts, recording: Recording, changed: Changed | undefined, sandbox: VerifySandbox) => {
  if (!changed) {
    const runner = createRunner({ fetch: async (cid) => recording.block(cid) }, sandbox.pool)
    return { runner, loaded: await runner.load(recording.task.function, []) }
  }
  const store = await openBlockStore({ ...ports, storage: createMemoryStorage() }, { budgetBytes: STORE_BYTES })
  const { cid } = await publishFunction(ports.crypto, store, changed.bundle)
  const runner = createRunner({ fetch: async (wanted) => (await store.get(wanted)) as Uint8Array }, sandbox.pool)
  return { runner, loaded: await runner.load(cid, []) }
}

const ensureRuns = (engine: string, { manifest }: LoadedFunction): void => {
  if (runsTier(engine, manifest.tier)) return
  const message = `what was recorded ran on the engine ${engine}, which runs no ${manifest.tier}: give code for the same tier`
  throw new MeshError('E_USAGE', { message, engine })
}

const isSameResult = ({ result: a }: Outcome, { result: b }: Outcome): boolean => {
  if (!a.ok || !b.ok) return !a.ok && !b.ok && a.code === b.code && a.message === b.message
  return sameBytes(a.value, b.value)
}

/** Throws MeshError E_USAGE, E_BUNDLE, E_BLOCK_MISSING, E_MESSAGE, or E_INCONCLUSIVE if it comes to no end here. */
export const replay = async (
  ports: ReplayPorts,
  sandbox: VerifySandbox,
  recording: Recording,
  { until, changed }: ReplayOptions,
): Promise<Replay> => {
  const { signed, task, taskId, outcome, says, journal } = recording
  // Without it nobody can say whether the same comes of other code.
  if (changed && outcome && !says) recording.block(outcome)
  const { runner, loaded } = await load(ports, recording, changed, sandbox)
  ensureRuns(task.environment.engine, loaded)
  const rerun = await runAgain(runner, {
    ...{ loaded, task: taskId, input: recording.block(task.input), journal, timeoutMs: sandbox.timeoutMs, until },
    template: { ...templateOf(task), ...(changed && { export: changed.exportName }) },
    traceTicks: changed ? undefined : signed?.invocation.trace_ticks,
  })
  const none = {
    ...{ functionName: loaded.manifest.name, difference: undefined, gives: undefined },
    ...{ isSameMemory: undefined, pending: undefined, stopped: undefined },
  }
  const differs = (n: number, expected: string, found: string): Replay => ({
    ...{ ...none, difference: { part: 'request', n, expected, found } },
  })
  const requests = journal.filter(({ entry }) => entry === 'request').length
  switch (rerun.kind) {
    case 'stopped':
      return { ...none, stopped: rerun }
    case 'diverged':
      return differs(rerun.n, rerun.expected, rerun.found)
    case 'asks':
      if (!outcome) return { ...none, pending: { request: rerun.request } }
      return differs(rerun.request.n, 'no further request', requestWords(rerun.request))
    case 'waits':
      if (!outcome) return { ...none, pending: { request: undefined } }
      return differs(requests, 'the end of the run', 'that it waits for an answer which never came')
  }
  const gives = rerun.outcome
  // What has not ended has an outcome as soon as its home has recorded it.
  if (!outcome) return { ...none, gives }
  const isSame = changed
    ? says !== undefined && isSameResult(says, gives)
    : recordCid(ports.crypto, rerun.outcomeBytes).equals(outcome)
  const trace = changed ? undefined : signed?.receipt.trace
  const isSameMemory = trace && isSameTrace(trace, rerun.trace ?? [])
  const part = isSame ? (isSameMemory === false ? 'memory' : undefined) : 'outcome'
  return { ...none, gives, isSameMemory, difference: part && { part } }
}
