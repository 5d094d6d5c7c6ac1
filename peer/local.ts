/** Runs items in this peer's own sandbox: to verify at `self`, and when no peer is in reach. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { type Envelope, type SignedKind, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { type JournalEntry, orderJournal } from '../protocol/journal.ts'
import type { Ports } from '../protocol/ports.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { type Item, isPure, type Performed, timedOut } from './calls.ts'
import type { BeginEffects } from './effects/effects.ts'
import { type AnswerSink, Home } from './home.ts'
import type { HomeKit } from './home-kit.ts'
import { headBytes } from './journal-heads.ts'
import { type Execution, headOf, receiptBytes } from './receipts.ts'
import type { Rehearsals } from './rehearsals.ts'
import type { LoadedFunction, Runner, RunRequest } from './runner.ts'

type LocalPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network'>
type Ended = Extract<SandboxResult, { kind: 'outcome' }>
/** What says something of a function. */
type Told = Exclude<SandboxResult, { kind: 'inconclusive' }>

export class LocalExecutor {
  readonly #ports: LocalPorts
  readonly #mesh: CID
  readonly #runner: Runner
  readonly #effects: BeginEffects
  /** Undefined: it rehearses nothing. */
  readonly rehearsals: Rehearsals | undefined

  constructor(ports: LocalPorts, mesh: CID, runner: Runner, effects: BeginEffects, kit?: Pick<HomeKit, 'Rehearsals'>) {
    this.#ports = ports
    this.#mesh = mesh
    this.#runner = runner
    this.#effects = effects
    this.rehearsals =
      kit &&
      new kit.Rehearsals({
        load: (...of) => this.#load(...of),
        run: (...of) => this.#run(...of),
        ended: (...of) => this.#ended(...of),
      })
  }

  /** The first execution of an item: its effects are performed as they are requested. */
  perform(item: Item): Promise<Performed> {
    const home = isPure(item.manifest) ? undefined : new Home(item, this.#effects)
    home?.goOn()
    return this.#execute(item, item.journal, home).finally(() => home?.close())
  }

  /** A re-execution with the journal that another execution left: what was rehearsed of it is not run again. */
  async repeat(item: Item, journal: readonly JournalEntry[]): Promise<Performed> {
    const outcome = await this.rehearsals?.outcomeOf(item, journal)
    if (outcome) return this.#performed(item, orderJournal(journal), outcome)
    return this.#execute(item, orderJournal(journal), undefined)
  }

  async #execute(item: Item, journal: readonly JournalEntry[], home: Home | undefined): Promise<Performed> {
    const loaded = await this.#load(item)
    const result = home
      ? await this.#ended(item, this.#runFor(home, item, loaded))
      : await this.#untilItWaits(item, (onWait) => this.#run(item, loaded, journal, { onWait }))
    if (result?.kind === 'outcome') return this.#performed(item, journal, result)
    const { n, expected, found } = result ?? {
      n: journal.filter(({ entry }) => entry === 'request').length,
      expected: 'the end of the run',
      found: 'that it waits for an answer',
    }
    throw new MeshError('E_REPLAY_DIVERGED', `request ${n}: the journal has ${expected}, found ${found}`)
  }

  #runFor(home: Home, item: Item, loaded: LoadedFunction): SandboxRun {
    const sink: AnswerSink = {
      answer: (n, answer) => run.answer(n, answer),
      refuse: (reason) => run.kill(reason),
    }
    home.attach(sink)
    const run = this.#run(item, loaded, item.journal, { onRequest: (effect) => home.onRequest(sink, effect) })
    return run
  }

  /** What comes of a run that nobody answers; undefined if it waits for that, having gone through its journal. */
  async #untilItWaits(item: Item, start: (onWait: () => void) => SandboxRun): Promise<Told | undefined> {
    const waits = Promise.withResolvers<undefined>()
    const run = start(() => waits.resolve(undefined))
    const ended = this.#ended(item, run)
    try {
      return await Promise.race([waits.promise, ended])
    } finally {
      ended.catch(() => {})
      run.kill('nobody answers it')
    }
  }

  #load({ request, candidates }: Item): Promise<LoadedFunction> {
    return this.#runner.load(request.function, candidates, request.signal)
  }

  #run(
    item: Item,
    loaded: LoadedFunction,
    journal: readonly JournalEntry[],
    events: Pick<RunRequest, 'onRequest' | 'onWait' | 'onRest'>,
  ): SandboxRun {
    return this.#runner.run({
      loaded,
      party: this.#ports.network.peerId,
      template: item.template,
      task: item.task,
      input: item.request.input,
      journal,
      timeoutMs: Math.max(1, item.deadlineMs - this.#ports.clock.monotonic()),
      traceTicks: item.request.traceTicks,
      ...item.request.durable?.resuming(item, journal),
      ...events,
    })
  }

  /** Throws MeshError for a run that says nothing of its function. */
  async #ended(item: Item, run: SandboxRun): Promise<Told> {
    const { signal } = item.request
    const abort = () => run.kill('cancelled')
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    const result = await run.result
    signal?.removeEventListener('abort', abort)
    if (result.kind === 'outcome') return result
    if (signal?.aborted) throw new MeshError('E_CANCELLED', 'the caller cancelled')
    if (result.kind === 'diverged') return result
    if (this.#ports.clock.monotonic() < item.deadlineMs) throw new MeshError('E_INCONCLUSIVE', result.reason)
    throw timedOut(item)
  }

  #performed(item: Item, journal: readonly JournalEntry[], ended: Ended): Performed {
    const { crypto, network } = this.#ports
    const { outcome: outcomeBytes, decoded: outcome, trace } = ended
    const self = network.peerId
    const execution = {
      ...item,
      mesh: this.#mesh,
      inputBytes: item.request.input.length,
      attempt: 1,
      epoch: 0,
      executor: self,
      home: self,
      // Answers that nobody waited for may still come.
      journal: [...journal],
      outcomeBytes,
      outcome,
      outcomeCid: recordCid(crypto, outcomeBytes),
      traceTicks: item.request.traceTicks,
      trace,
    }
    return {
      item,
      executor: self,
      attempt: 1,
      epoch: 0,
      outcomeBytes,
      outcome,
      outcomeCid: execution.outcomeCid,
      invocation: () => this.#sign('invocation', item.invocationBytes),
      receipt: () => this.#sign('receipt', receiptBytes(crypto, execution)),
      head: () => this.#head(execution),
    }
  }

  async #head(execution: Execution): Promise<Envelope | undefined> {
    if (execution.journal.length === 0) return undefined
    const journal = headOf(this.#ports.crypto, execution.invocation, execution.journal)
    return this.#sign('journal-head', headBytes({ ...execution, journal }))
  }

  async #sign(kind: SignedKind, payload: Uint8Array): Promise<Envelope> {
    const { crypto, signer, network } = this.#ports
    const [signed] = await signBatch(crypto, signer, network.peerId, kind, [payload])
    return signed as Envelope
  }
}
