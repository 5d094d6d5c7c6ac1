/** The verification levels: how many executions a call needs, and what they mean together. */
import type { Envelope } from '../protocol/envelope.ts'
import { ERRORS, MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import type { Auditor } from './auditor.ts'
import { type CallRequest, type CallResult, type Dispute, type Item, inTime, type Performed } from './calls.ts'
import { drawVerifiers } from './draw.ts'
import { countIndependent, leastIndependence } from './independence.ts'
import { type Invoker, PEER_WAIT_MS } from './invoker.ts'
import type { LocalExecutor } from './local.ts'
import type { MembershipOffice } from './membership.ts'
import type { Memo } from './memo.ts'
import type { KeptLevel } from './memo-entry.ts'
import { leftAloneUntilMs, type NeighbourTable } from './neighbours.ts'
import { Proven } from './proven.ts'
import type { PursuitOptions } from './pursuit.ts'
import type { Roster } from './roster.ts'
import type { Standings } from './standings.ts'
import { noVerdict, type Verdict, type VoteView, verdictOf, winnerOf } from './verdict.ts'

export interface LevelParts {
  invoker: Invoker
  local: LocalExecutor
  neighbours: NeighbourTable
  memo: Pick<Memo, 'add'>
  auditor: Auditor
  standings: Pick<Standings, 'of' | 'received' | 'wasSuspendedSince'>
  office: Pick<MembershipOffice, 'genesis'>
  /** A fresh invocation of the request; one per execution that counts as a vote. */
  prepare(request: CallRequest, manifest: Manifest, deadlineMs: number): Item
  roster: Pick<Roster, 'expecting'>
}

const LENDERS_POLL_MS = 50
/**
 * A drawn verifier that is slow is passed over. If all were, they are asked again with more patience: not at once with
 * all there is, or what was drawn while the mesh was busy would wait in line at the slowest of them.
 */
const PATIENCE = [1, 4, 16, Number.POSITIVE_INFINITY]
const BY_NOBODY = { independence: 'none', verifiers: 0 } as const

/** An execution that its executor has signed for. */
interface Vote {
  performed: Performed
  receipt: Envelope
}

const sameOutcome = (a: Vote, b: Vote): boolean => a.performed.outcomeCid.equals(b.performed.outcomeCid)

type LevelPorts = Pick<Ports, 'clock' | 'crypto' | 'log' | 'network'>

/** One call at its level, from its first execution to its result. */
export class LevelledCall {
  readonly #ports: LevelPorts
  readonly #parts: LevelParts
  readonly #request: CallRequest
  readonly #manifest: Manifest
  readonly #begunMs: number
  /** Monotonic; all executions of the call share it. */
  readonly #deadlineMs: number
  readonly #performed: Performed[] = []
  readonly #disputes: Dispute[] = []
  readonly #proven: Proven
  #executions = 0
  #recovered = 0
  #local = false
  /** A verifier found another journal than that of the execution before it. */
  #isDoubted = false

  constructor(ports: LevelPorts, parts: LevelParts, request: CallRequest, manifest: Manifest, deadlineMs: number) {
    this.#ports = ports
    this.#parts = parts
    this.#request = request
    this.#proven = request.steps?.proven ?? new Proven()
    this.#manifest = manifest
    this.#begunMs = ports.clock.monotonic()
    this.#deadlineMs = deadlineMs
  }

  async run(): Promise<CallResult> {
    const { level } = this.#request
    if (level.level === 'quorum') return this.#quorum(level.n)
    const first = await this.#performAnywhere()
    if (level.level === 'none') return this.#result(first, 'none')
    if (this.#local) return this.#result(first, { level: 'self' })
    const receipt = await this.#receiptOf(first)
    if (!receipt) return this.#result(await this.#performAgain(first), { level: 'self' })
    const vote = { performed: first, receipt }
    return level.level === 'self' ? this.#verifyHere([vote]) : this.#audit(vote)
  }

  #result(first: Performed, checked: 'none' | 'own' | KeptLevel): CallResult {
    const isUnchecked = checked === 'none' || checked === 'own'
    return {
      outcome: first.outcome,
      performed: [first, ...this.#performed.filter((one) => one !== first)],
      level: this.#request.level,
      verification: isUnchecked ? { by: checked, ...BY_NOBODY } : this.#verified(first, checked),
      local: this.#local,
      memo: false,
      executions: this.#executions,
      recovered: this.#recovered,
      disputes: this.#disputes,
    }
  }

  #verified(answer: Performed, level: KeptLevel): CallResult['verification'] {
    const { neighbours } = this.#parts
    const agreeing = this.#performed.filter(({ outcomeCid }) => outcomeCid.equals(answer.outcomeCid))
    const signers = agreeing.map(({ executor }) => executor)
    this.#keep(answer, level, signers)
    const others = signers.filter((peer) => peer !== this.#ports.network.peerId)
    const independence = leastIndependence(others.map((peer) => neighbours.whereabouts(peer)))
    return { by: level.level, independence, verifiers: signers.length - 1 }
  }

  #keep(answer: Performed, level: KeptLevel, signers: readonly string[]): void {
    const { memo, standings } = this.#parts
    // Another call may have caught one of them meanwhile.
    if (signers.some((peer) => standings.wasSuspendedSince(peer, this.#begunMs))) return
    const { outcome, outcomeBytes } = answer
    memo.add(answer.item.task, { manifest: this.#manifest, outcome, outcomeBytes, level, signers })
  }

  #prepare(): Item {
    return { ...this.#parts.prepare(this.#request, this.#manifest, this.#deadlineMs), proven: this.#proven }
  }

  /** The first execution's: it goes on from the steps that were committed, a durable one from its journal, and keeps what comes. */
  #prepareFirst(): Item {
    const item = this.#prepare()
    const { durable } = this.#request
    item.journal.push(...(durable ?? this.#proven).journal)
    return { ...item, kept: durable }
  }

  async #perform(item: Item, options: PursuitOptions): Promise<Performed> {
    const performed = await this.#parts.invoker.perform(item, options, (pursuit) => {
      this.#executions += pursuit.attempts
      this.#recovered += pursuit.recovered
    })
    this.#performed.push(performed)
    return performed
  }

  /** At a peer, or here if none is in reach and the caller did not insist. */
  async #performAnywhere(): Promise<Performed> {
    const item = this.#prepareFirst()
    try {
      return await this.#perform(item, { exclude: new Set() })
    } catch (cause) {
      if (this.#request.remote || !this.#isAlone(cause)) throw cause
      this.#ports.log.event('call.local', { task: item.task.toString() })
      this.#local = true
      return this.#performHere(item)
    }
  }

  /** Nobody that lends is in reach: there was none, or the last has left; or none of them carries the engine. */
  #isAlone(cause: unknown): boolean {
    if (!(cause instanceof MeshError) || this.#parts.invoker.isStopped) return false
    // Or whoever is in reach made up what it requested.
    if (cause.code === 'E_ENGINE_UNAVAILABLE' || cause.code === 'E_VERIFICATION_FAILED') return true
    const mayGoOn = cause.code === 'E_NO_PEER' || ERRORS[cause.code].retry === 'elsewhere'
    return mayGoOn && this.#parts.neighbours.lenders().length === 0
  }

  async #performHere(item: Item): Promise<Performed> {
    this.#executions++
    const performed = await this.#parts.local.perform(item)
    this.#performed.push(performed)
    return performed
  }

  /** The home re-executes after it holds the receipts; its own outcome is the answer either way. */
  async #verifyHere(votes: readonly [Vote, ...Vote[]]): Promise<CallResult> {
    const own = await this.#performAgain(votes[0].performed)
    const right = votes.filter(({ performed }) => performed.outcomeCid.equals(own.outcomeCid))
    for (const { performed } of right) this.#confirm(performed)
    for (const vote of votes) {
      if (right.includes(vote)) continue
      this.#dispute(vote, await own.receipt())
      this.#parts.auditor.caught(vote.performed)
    }
    return this.#result(right[0]?.performed ?? own, { level: 'self' })
  }

  #confirm({ item, executor }: Performed): void {
    this.#ports.log.event('call.verified', { task: item.task, peer: executor })
    this.#parts.auditor.right(executor)
  }

  /** Most answers are released with their receipt; one that is drawn, once a peer drawn after it has had the same. */
  async #audit(first: Vote): Promise<CallResult> {
    const { auditor } = this.#parts
    if (this.#isOwn(first.performed)) {
      auditor.keep(first.performed)
      return this.#result(first.performed, 'own')
    }
    if (!(await auditor.draws(first.performed))) return this.#result(first.performed, 'none')
    try {
      return await this.#compare(first)
    } finally {
      auditor.ended(first.performed.executor)
    }
  }

  /** By a machine of this peer's owner, which needs no audit; unless it was caught: it may be broken, or stolen. */
  #isOwn({ executor }: Performed): boolean {
    const { neighbours, standings } = this.#parts
    return neighbours.get(executor)?.own === true && standings.of(executor).caught === 0
  }

  async #compare(first: Vote): Promise<CallResult> {
    const second = await this.#verifierOf(first)
    if (!second) return this.#verifyHere([first])
    const agree = sameOutcome(first, second)
    this.#tell([first, second], agree ? 'agreed' : 'disputed')
    if (!agree) return this.#verifyHere([first, second])
    this.#confirm(first.performed)
    this.#confirm(second.performed)
    return this.#result(first.performed, { level: 'audit' })
  }

  /** The next of those drawn that signs for what it did; undefined: nobody may verify this, or nobody would. */
  async #verifierOf(first: Vote): Promise<Vote | undefined> {
    const asked = new Set([first.performed.executor])
    for (;;) {
      const performed = await this.#nextVote(first.performed.item, [first], asked)
      if (!performed) return undefined
      asked.add(performed.executor)
      const receipt = await this.#receiptOf(performed)
      if (receipt) return { performed, receipt }
    }
  }

  /** With the journal that the first left; from what is proven of it, if that is not what the function does. */
  async #performAgain(first: Performed): Promise<Performed> {
    this.#executions++
    try {
      const own = await this.#parts.local.repeat(this.#prepare(), first.item.journal)
      this.#performed.push(own)
      return own
    } catch (cause) {
      if (!(cause instanceof MeshError) || cause.code !== 'E_REPLAY_DIVERGED') throw cause
      const item = this.#prepare()
      item.journal.push(...this.#proven.journal)
      const { durable } = this.#request
      durable?.startOver(item.journal)
      return this.#performHere({ ...item, kept: durable })
    }
  }

  /** A receipt that does not come is the executor's fault; its outcome then counts for nothing. */
  async #receiptOf(performed: Performed): Promise<Envelope | undefined> {
    try {
      const receipt = await inTime(this.#ports.clock, performed.item, performed.receipt())
      this.#parts.standings.received(performed.executor)
      return receipt
    } catch (cause) {
      if (this.#endsCall(cause)) throw cause
      this.#performed.splice(this.#performed.indexOf(performed), 1)
      return undefined
    }
  }

  #dispute({ performed, receipt }: Vote, right: Envelope): void {
    const { executor, item } = performed
    this.#ports.log.event('call.disputed', { task: item.task, peer: executor })
    this.#disputes.push({ liar: executor, receipts: [receipt, right], execution: performed })
  }

  /** Executions one after another, each verifier drawn after the receipt before it, until `n` agree. */
  async #quorum(n: number): Promise<CallResult> {
    const votes: Vote[] = []
    const asked = new Set<string>()
    const view: VoteView = {
      get count() {
        return votes.length
      },
      same: (i, j) => sameOutcome(votes[i] as Vote, votes[j] as Vote),
    }
    await this.#awaitLenders(n)
    const root = this.#prepareFirst()
    for (;;) {
      const performed = await this.#nextVote(root, votes, asked)
      if (!performed) break
      asked.add(performed.executor)
      const receipt = await this.#receiptOf(performed)
      if (receipt) votes.push({ performed, receipt })
      if (winnerOf(view, n) >= 0) break
    }
    const [first, ...others] = votes
    const isDoubted = this.#isDoubted || verdictOf(view, n) === 'disputed'
    // Of a journal that one of them made up no vote of others comes to be: this peer runs the function itself.
    if (first && winnerOf(view, n) < 0 && isDoubted && first.performed.item.journal.length > 0)
      return this.#verifyHere([first, ...others])
    return this.#conclude(n, votes, view)
  }

  /** The candidates are committed to before the first execution, so those still joining are waited for. */
  async #awaitLenders(n: number): Promise<void> {
    const { neighbours, roster } = this.#parts
    const { clock } = this.#ports
    const untilMs = Math.min(this.#deadlineMs, clock.monotonic() + PEER_WAIT_MS)
    const found = () =>
      countIndependent(
        this.#floor,
        neighbours.lenders().map(({ peer }) => neighbours.whereabouts(peer)),
      )
    while (found() < n && (roster.expecting || neighbours.hasSilent) && clock.monotonic() < untilMs) {
      await new Promise<void>((resolve) => clock.after(LENDERS_POLL_MS, resolve))
    }
    if (found() === 0) throw new MeshError('E_NO_PEER', `no peer that lends is in reach, and quorum:${n} needs ${n}`)
    if (found() < n) throw noVerdict(n, found(), 'insufficient')
  }

  /** The next execution, or undefined if nobody is left to draw. */
  async #nextVote(root: Item, votes: readonly Vote[], asked: Set<string>): Promise<Performed | undefined> {
    const last = votes.at(-1)?.receipt
    if (!last) return this.#perform(root, { exclude: asked }).catch((cause) => this.#nobodyLeft(cause, asked))
    const item = this.#prepare()
    item.journal.push(...root.journal)
    const voters = votes.map(({ performed }) => performed.executor)
    const draw = { root, voters, receipt: last, asked }
    const drawn = drawVerifiers(this.#ports.crypto, this.#parts.neighbours, this.#floor, draw)
    for (const patience of PATIENCE) {
      const performed = await this.#askDrawn(item, drawn, asked, patience)
      if (performed) return performed
    }
    return undefined
  }

  get #floor() {
    return this.#parts.office.genesis.policy.independence
  }

  /** The first of `drawn` that answers within its `patience`. One that is left alone for longer than after a refusal is slow. */
  async #askDrawn(
    item: Item,
    drawn: readonly string[],
    asked: Set<string>,
    patience: number,
  ): Promise<Performed | undefined> {
    for (const only of drawn) {
      const neighbour = this.#parts.neighbours.get(only)
      if (asked.has(only) || !neighbour || this.#parts.neighbours.isSuspended(only)) continue
      if (leftAloneUntilMs(neighbour) - this.#ports.clock.monotonic() > PEER_WAIT_MS * patience) continue
      try {
        return await this.#perform(item, { exclude: asked, only, patience })
      } catch (cause) {
        if (this.#endsCall(cause)) throw cause
        const { code } = cause as MeshError
        if (code === 'E_EXECUTOR_LOST' || code === 'E_INCONCLUSIVE') this.#recovered++
        if (code === 'E_REPLAY_DIVERGED') this.#isDoubted = true
        if (patience === Number.POSITIVE_INFINITY || code !== 'E_BUSY') asked.add(only)
      }
    }
    return undefined
  }

  #nobodyLeft(cause: unknown, asked: ReadonlySet<string>): undefined {
    if (this.#endsCall(cause) || asked.size === 0) throw cause
    return undefined
  }

  /** It was not for an executor that this failed: another would fail as well. */
  #endsCall(cause: unknown): boolean {
    if (!(cause instanceof MeshError) || this.#parts.invoker.isStopped) return true
    return cause.code === 'E_CANCELLED' || cause.code === 'E_TIMEOUT'
  }

  #conclude(n: number, votes: readonly Vote[], view: VoteView): CallResult {
    const verdict = verdictOf(view, n)
    this.#tell(votes, verdict)
    const winner = votes[winnerOf(view, n)]
    const outvoted = winner ? votes.filter((vote) => !sameOutcome(vote, winner)) : []
    if (winner && outvoted.length === 0) for (const { performed } of votes) this.#confirm(performed)
    // A majority proves nothing: liars can be one. Who was wrong, re-execution shows, once the caller has its answer.
    else if (verdict !== 'insufficient') {
      const executors = outvoted.map(({ performed }) => performed.executor)
      this.#parts.auditor.settle(
        votes.map(({ performed }) => performed),
        executors,
      )
    }
    if (!winner) throw noVerdict(n, votes.length, verdict)
    for (const vote of outvoted) this.#dispute(vote, winner.receipt)
    return this.#result(winner.performed, { level: 'quorum', n })
  }

  /** Reveals to each executor the secret of its own invocation, so that it can check how verifiers were drawn. */
  #tell(votes: readonly Vote[], verdict: Verdict): void {
    for (const { performed } of votes) {
      const { invocation, secret } = performed.item
      this.#parts.neighbours.get(performed.executor)?.link.send({ t: 'verdict', invocation, secret, verdict })
    }
  }
}
