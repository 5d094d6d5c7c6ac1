/** Runs items in this peer's own sandbox: to verify at `self`, and when no peer is in reach. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { type Envelope, type SignedKind, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { type Answer, type JournalEntry, orderJournal } from '../protocol/journal.ts'
import type { Ports } from '../protocol/ports.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { type Item, isPure, type Performed, timedOut } from './calls.ts'
import type { BeginEffects } from './effects/effects.ts'
import { Home } from './home.ts'
import { headBytes } from './journal-heads.ts'
import { type Execution, headOf, receiptBytes } from './receipts.ts'
import type { Runner } from './runner.ts'

type LocalPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network'>
type Ended = Extract<SandboxResult, { kind: 'outcome' }>

export class LocalExecutor {
  readonly #ports: LocalPorts
  readonly #mesh: CID
  readonly #runner: Runner
  readonly #effects: BeginEffects

  constructor(ports: LocalPorts, mesh: CID, runner: Runner, effects: BeginEffects) {
    this.#ports = ports
    this.#mesh = mesh
    this.#runner = runner
    this.#effects = effects
  }

  /** The first execution of an item: its effects are performed as they are requested. */
  perform(item: Item): Promise<Performed> {
    const home = isPure(item.manifest) ? undefined : new Home(item, this.#effects)
    return this.#execute(item, item.journal, home).finally(() => home?.close())
  }

  /** A re-execution with the journal that another execution left. */
  repeat(item: Item, journal: readonly JournalEntry[]): Promise<Performed> {
    return this.#execute(item, orderJournal(journal), undefined)
  }

  async #execute(item: Item, journal: readonly JournalEntry[], home: Home | undefined): Promise<Performed> {
    const loaded = await this.#runner.load(item.request.function, item.candidates, item.request.signal)
    const leftMs = Math.max(1, item.deadlineMs - this.#ports.clock.monotonic())
    const sink = { answer: (n: number, answer: Answer) => run.answer(n, answer) }
    home?.attach(sink)
    const run: SandboxRun = this.#runner.run({
      loaded,
      party: this.#ports.network.peerId,
      template: item.template,
      task: item.task,
      input: item.request.input,
      journal,
      timeoutMs: leftMs,
      traceTicks: item.request.traceTicks,
      ...(home ? { onRequest: (effect) => home.onRequest(sink, effect) } : {}),
    })
    return this.#performed(item, journal, await this.#resultOf(item, run))
  }

  async #resultOf(item: Item, run: SandboxRun): Promise<Ended> {
    const { signal } = item.request
    const abort = () => run.kill('cancelled')
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    const result = await run.result
    signal?.removeEventListener('abort', abort)
    if (result.kind === 'outcome') return result
    if (signal?.aborted) throw new MeshError('E_CANCELLED', 'the caller cancelled')
    if (result.kind === 'diverged') {
      throw new MeshError(
        'E_REPLAY_DIVERGED',
        `request ${result.n}: the journal has ${result.expected}, found ${result.found}`,
      )
    }
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
