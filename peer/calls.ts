/** A call as this peer makes it: what is asked, what is prepared for it, what comes of it. */
import { type CID, rawCid, recordCid } from '../protocol/cid.ts'
import type { LargePut } from '../protocol/effects.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Grants } from '../protocol/grants.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import type { Limits, Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import {
  type Checkpoint,
  Invocation,
  type Manifest,
  type TaskTemplate,
  taskIdOf,
  type VerificationRecord,
} from '../protocol/records.ts'
import type { Block } from '../protocol/split.ts'
import { engineFor } from '../protocol/tiers.ts'
import type { StateReads } from './effects/state.ts'
import { mustBeVerified } from './grants.ts'
import type { AnswerSink, Home } from './home.ts'
import { Proven } from './proven.ts'
import type { RunRequest } from './runner.ts'
import type { Transaction } from './state/engine.ts'
import type { Foresight } from './state/foresight.ts'

export type Level = { level: 'none' } | { level: 'audit' } | { level: 'self' } | { level: 'quorum'; n: number }

const QUORUM = /^quorum:([0-9]+)$/
/** More agreeing executions than this buy nothing. */
const QUORUM_MAX = 16

/** Throws MeshError E_USAGE. */
export const ensureLevel = (text: string): Level => {
  if (text === 'none' || text === 'audit' || text === 'self') return { level: text }
  const n = Number(QUORUM.exec(text)?.[1])
  if (n >= 2 && n <= QUORUM_MAX) return { level: 'quorum', n }
  throw new MeshError(
    'E_USAGE',
    `unknown verification level ${text}; use none, audit, self or quorum:N with N from 2 to ${QUORUM_MAX}`,
  )
}

/** The level of calls that name none: a sample is enough where nothing but the answer depends on it. */
export const defaultLevel = (effects: readonly string[]): 'audit' | 'self' => (effects.length === 0 ? 'audit' : 'self')

/** The steps of one call, each read at one revision and committed as one. */
export interface CallSteps {
  /** The caller's, which ends the call; what ends a run of it alone, since that is in vain, is none of its children's business. */
  readonly signal: AbortSignal | undefined
  /** What of its journal is its function's own. That of the steps that are committed stays, whatever the others come to. */
  readonly proven: Proven
  /** It has taken its turn: no other step in its namespaces ends before this one. */
  readonly inTurn: boolean
  /**
   * The step of a request that is made now, once all barriers before it have ended theirs: where it reads, and from which
   * request on nothing is committed.
   */
  current(): Promise<{ reads: StateReads; from: number }>
  /**
   * A barrier: request `n` ends a step, once `reached` resolves: it is the function's own, and what it read before is
   * answered. Resolves when all before it is committed. False: this run is in vain, and nobody is answered any more.
   */
  end(item: Item, n: number, reached: Promise<void>): Promise<boolean>
  /** Keeps an answer as blocks for whoever runs the call, until it has ended; of a durable one with its journal. */
  keepBlocks(value: Uint8Array): Promise<CID[]>
  /** What it puts, by these blocks, is kept here until it has ended, once there is some of it. */
  expect(put: LargePut): void
  /** The encoded value. Throws MeshError E_BLOCK_MISSING where it is not here, E_MESSAGE if it is none. */
  putBytes(put: LargePut): Promise<Uint8Array>
}

/** How far a durable invocation is committed: so many steps, and requests. */
export interface Committed {
  steps: number
  requests: number
}

/** What is kept of a durable invocation while it runs. */
export interface KeptRun {
  /** CID of its first invocation, by which it is known. */
  readonly id: string
  /** By which its home runs it for somebody else; undefined: it is the home's own. */
  readonly delegation: Envelope | undefined
  /** By the steps that were committed. */
  readonly committed: Committed
  /** The journal of those, and what was done for them, however often it is begun here. */
  readonly proven: Proven
  /** What it has requested and been answered so far. */
  readonly journal: readonly JournalEntry[]
  requested(effect: EffectRequest): void
  /** Resolves once all that was requested is kept. False: it cannot be. */
  intends(): Promise<boolean>
  /** Request `n` was recorded before this home began with it, and not answered: whether it was performed nobody knows. */
  isDoubtful(n: number): boolean
  /** Resolves once the answer may be given: one that could not be given again is kept by then. False: it cannot be kept. */
  answered(entry: Extract<JournalEntry, { entry: 'answer' }>): Promise<boolean>
  /** When request `n` was recorded, by the wall clock of the home that recorded it. */
  askedMs(n: number): number | undefined
  /** The checkpoint at which this attempt at `item` begins: the newest, when it is first asked for. */
  begins(item: Item, attempt: number): { at: Checkpoint } | undefined
  /** `sink` executes `item` now, and `home` answers it. */
  attached(item: Item, home: Home, sink: AnswerSink): void
  /**
   * Who executes it now says that its run came to `checkpoint`. If this home's own run of the function does, it is kept, and all that
   * was requested before is the function's own; else the executor is refused, and what is not proven is forgotten.
   */
  onRested(checkpoint: Checkpoint): Promise<void>
  /** Of a run here that begins with `journal`: where it goes on, and what becomes of its checkpoints, which are verified. */
  resuming(item: Item, journal: readonly JournalEntry[]): Pick<RunRequest, 'from' | 'onRest'>
  /** Its journal begins anew, with what is left of it. */
  startOver(journal: readonly JournalEntry[]): void
  /** Blocks of an answer that is recorded next. */
  keepBlocks(blocks: readonly Block[]): void
  /** Of what was read since the last commit all would be answered the same by `reads`. */
  stands(reads: StateReads, manifest: Manifest, steps: Pick<CallSteps, 'putBytes'>): Promise<boolean>
  /** Kept with the commit of a step that ends before request `requests`. */
  stepping(requests: number): Promise<Pick<Transaction, 'id' | 'reads' | 'writes'>>
  /** That was committed. */
  stepped(requests: number): void
  /** What ends it, in the commit of its outcome. */
  ending(outcome: Uint8Array): Promise<Pick<Transaction, 'id' | 'reads' | 'writes'>>
}

export interface CallRequest {
  function: CID
  export: string
  /** Encoded Value. */
  input: Uint8Array
  level: Level
  /** Those of the manifest, unless given. */
  limits?: Limits | undefined
  /** The one on which it began; the newest of its tier, unless given. */
  engine?: string | undefined
  timeoutMs: number
  /** Never run here in place of a peer, nor answered from the memo. */
  remote: boolean
  /** Not answered from the memo: its receipts are wanted. */
  fresh?: boolean | undefined
  signal?: AbortSignal | undefined
  /** Code, input and journal may be shown to anybody; else a proof of a wrong receipt stays here. */
  public?: boolean | undefined
  /** Its receipts are to carry traces, with a hash of the memory every so many ticks. They are `fresh`. */
  traceTicks?: number | undefined
  /** What the function may ask for, by the names in its `env`: nothing, unless given. */
  grants?: Grants | undefined
  /** Its steps, where a home keeps state: it reads nothing, unless given. */
  steps?: CallSteps | undefined
  /** What its function is likely to read. */
  foresight?: Foresight | undefined
  /** It is a durable invocation. */
  durable?: KeptRun | undefined
  /** Nested calls above this one. */
  depth: number
  /**
   * By which others know what it does: servers, and what it calls in turn. The CID of its invocation, unless given. A nested
   * call that has one is no part of its caller's step: it is committed for itself.
   */
  id?: string | undefined
  /** Told once what the call waits for, when that takes over 2 s. */
  onWait?: ((reason: string) => void) | undefined
}

/** What has been fixed about one call before anybody is asked. One per execution that may count as a vote. */
export interface Item {
  readonly request: CallRequest
  readonly manifest: Manifest
  readonly functionId: string
  readonly template: TaskTemplate
  /** Raw CID of the input. */
  readonly input: CID
  readonly task: CID
  readonly invocation: CID
  readonly invocationBytes: Uint8Array
  /** Behind the invocation's commitment; revealed with the verdict. */
  readonly secret: Uint8Array
  /** PeerIds, sorted, as committed to. */
  readonly candidates: readonly string[]
  readonly deadlineMs: number
  /** Requests and answers so far, as the home recorded them. */
  readonly journal: JournalEntry[]
  /** What of the call's journals is its function's own. All items of a call have one. */
  readonly proven: Proven
  /** Where the journal is kept: of a durable invocation, in the item of its first execution. */
  readonly kept?: KeptRun | undefined
}

/** One execution that has ended with an outcome. */
export interface Performed {
  readonly item: Item
  readonly executor: string
  readonly attempt: number
  readonly epoch: number
  readonly outcomeBytes: Uint8Array
  readonly outcome: Outcome
  readonly outcomeCid: CID
  /** The signed invocation that it answers. */
  invocation(): Promise<Envelope>
  /** Resolves with the executor's signed receipt, or rejects with MeshError E_RECEIPT or E_SIGNATURE. */
  receipt(): Promise<Envelope>
  /** The home's signature under the journal that the receipt names; undefined where nothing was requested. Rejects as `receipt`. */
  head(): Promise<Envelope | undefined>
}

/**
 * Two receipts for one task that cannot both be right: `right` is for the answer. A run here has had it too, except at a
 * quorum: there `liar` was outvoted, and the auditor finds out later who was wrong.
 */
export interface Dispute {
  liar: string
  receipts: [wrong: Envelope, right: Envelope]
  /** The execution that its receipt is of. */
  execution: Performed
}

/** What a caller may leave to the function: the level of those that name none is the function's default. */
export type CallWish = Omit<CallRequest, 'level'> & { level?: Level | undefined }

/** Throws MeshError E_USAGE for a level at which what the function does would be done unverified. */
export const requestOf = ({ level, ...wish }: CallWish, manifest: Manifest): CallRequest => {
  const request = { ...wish, level: level ?? { level: defaultLevel(manifest.effects) } }
  const { level: name } = request.level
  if ((name !== 'none' && name !== 'audit') || !mustBeVerified(manifest, wish.grants)) return request
  const message = `what this function writes or sends is done once its answer has been verified, which ${name} does not; use self or quorum:N`
  throw new MeshError('E_USAGE', { message, level: name })
}

export interface CallResult {
  outcome: Outcome
  /** Every execution that was compared or answered; the first agrees with `outcome`. */
  performed: Performed[]
  level: Level
  /** How the answer was checked: at `audit` most are not, and where nobody else could, this peer ran it again. */
  verification: VerificationRecord
  /** Ran here, because no peer was in reach. */
  local: boolean
  /** Nothing was executed: the outcome of an earlier call, verified at the level of this one or above. */
  memo: boolean
  /** Executions started, those that failed or were cancelled included. */
  executions: number
  /** Executions started because an executor was lost, failed or was slow. */
  recovered: number
  disputes: Dispute[]
}

/** What names the work of a request. */
export type TaskName = Pick<Item, 'template' | 'input' | 'task'>

export interface Preparation {
  mesh: CID
  named: TaskName
  self: string
  candidates: { list: readonly string[]; cid: CID }
}

/**
 * Performs a nested call and returns its outcome. `parent`: the durable invocation that makes it, with which it is kept, and
 * found again by its ID; then it settles as long as this home runs, and not as it stops.
 */
export type NestedCall = (request: CallRequest, parent?: string) => Promise<Outcome>

/** By which others know what `item` does. */
export const idOf = ({ request, invocation }: Pick<Item, 'request' | 'invocation'>): string =>
  request.id ?? invocation.toString()

/** Names the work of a request, whoever does it. */
export const taskOf = (
  crypto: Pick<Ports['crypto'], 'hash'>,
  engines: readonly string[],
  manifest: Manifest,
  request: CallRequest,
): TaskName => {
  const limits = request.limits ?? manifest.limits
  const engine = request.engine ?? engineFor(engines, manifest.tier)
  const environment: TaskTemplate['environment'] = { engine, protocol: 1, limits }
  const template: TaskTemplate = { function: request.function, export: request.export, environment }
  const input = rawCid(crypto, request.input)
  return { template, input, task: taskIdOf(crypto, { v: 1, ...template, input }) }
}

/** Draws the secret and signs nothing yet. `deadlineMs` is monotonic. */
export const prepareItem = (
  ports: Pick<Ports, 'crypto' | 'random' | 'clock'>,
  preparation: Preparation,
  manifest: Manifest,
  request: CallRequest,
  deadlineMs: number,
): Item => {
  const { crypto, clock } = ports
  const { template, input, task } = preparation.named
  const fresh = ports.random.bytes(48)
  const secret = fresh.subarray(16)
  const invocationBytes = Invocation.encode({
    v: 1,
    mesh: preparation.mesh,
    task,
    invoker: preparation.self,
    home: preparation.self,
    nonce: fresh.subarray(0, 16),
    deadline_ms: Math.ceil(clock.now() + Math.max(0, deadlineMs - clock.monotonic())),
    draw: { commitment: crypto.hash(secret), candidates: preparation.candidates.cid },
    public: request.public ?? false,
    ...(request.traceTicks !== undefined && { trace_ticks: request.traceTicks }),
  })
  return {
    request,
    manifest,
    functionId: request.function.toString(),
    template,
    input,
    task,
    invocation: recordCid(crypto, invocationBytes),
    invocationBytes,
    secret,
    candidates: preparation.candidates.list,
    deadlineMs,
    journal: [],
    proven: new Proven(),
  }
}

export const isPure = (manifest: Manifest): boolean => manifest.effects.length === 0

export const timedOut = ({ request }: Item): MeshError =>
  new MeshError('E_TIMEOUT', `no answer within ${request.timeoutMs} ms; allow more with --timeout`)

/** What `promise` comes to before the item's deadline. Rejects as it does, or then with MeshError E_TIMEOUT. */
export const inTime = async <T>(clock: Ports['clock'], item: Item, promise: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const cancel = clock.after(item.deadlineMs - clock.monotonic(), () => late.reject(timedOut(item)))
  return Promise.race([promise, late.promise]).finally(cancel)
}

/** Hashes a request once, however often it is looked up in the memo and prepared. */
export const createNaming = (ports: Pick<Ports, 'crypto'>, engines: readonly string[]) => {
  const names = new WeakMap<CallRequest, TaskName>()
  return (request: CallRequest, manifest: Manifest): TaskName => {
    const name = names.get(request) ?? taskOf(ports.crypto, engines, manifest, request)
    names.set(request, name)
    return name
  }
}
