/** Which receipts are audited, what is kept of the others, and what follows when one is proven wrong. */
import type { CID } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import { type CallRequest, type Item, isPure, type Performed } from './calls.ts'
import { Claims } from './claims.ts'
import type { LocalExecutor } from './local.ts'
import type { Memo } from './memo.ts'
import type { NeighbourTable } from './neighbours.ts'
import type { PublicProofs } from './public-proofs.ts'
import { AROUND_BYTES, journalBytes } from './sizes.ts'
import type { Standings } from './standings.ts'
import { isTakenOnTrust } from './trust.ts'
import { isHomeAlone } from './verdict.ts'
import { WITNESS_MS_MAX, type WitnessParts, witnessesOf } from './witnesses.ts'

/** An audit is drawn in so many parts of a whole. */
const DRAW_PARTS = 10_000
/** Those who wait for a verdict look so often whether they have been cancelled. */
const WAIT_MS = 100

/** What an executor has signed for, with all that is needed to check it by re-execution. */
interface Claim {
  readonly executor: string
  readonly request: CallRequest
  readonly manifest: Manifest
  readonly journal: readonly JournalEntry[]
  readonly task: CID
  readonly outcomeCid: CID
  readonly bytes: number
  /** What others are shown, should it be wrong and public. */
  readonly shown: Performed | undefined
}

const claimOf = (performed: Performed): Claim => {
  const { executor, item, outcomeCid } = performed
  const { signal: _, onWait: __, ...request } = item.request
  // A copy: the caller's bytes may be a view of far more.
  const input = request.input.slice()
  const shown = request.public ? performed : undefined
  const shownBytes = shown ? input.length + shown.outcomeBytes.length : 0
  const bytes = AROUND_BYTES + input.length + journalBytes(item.journal) + shownBytes
  const about = { executor, manifest: item.manifest, task: item.task, outcomeCid, bytes, shown }
  return { ...about, request: { ...request, input }, journal: [...item.journal] }
}

/** What came out here: an outcome, or other requests than the journal has. */
type Repeated = CID | 'diverged'

const matches = (own: Repeated, { outcomeCid }: Claim): boolean => own !== 'diverged' && own.equals(outcomeCid)

export interface AuditorParts {
  standings: Standings
  neighbours: NeighbourTable
  invoker: WitnessParts['invoker']
  local: Pick<LocalExecutor, 'repeat'>
  memo: Pick<Memo, 'drop'>
  proofs: Pick<PublicProofs, 'tell'>
  prepare(request: CallRequest, manifest: Manifest, deadlineMs: number): Item
}

type AuditorPorts = Pick<Ports, 'clock' | 'random' | 'log'>

export class Auditor {
  readonly #ports: AuditorPorts
  readonly #parts: AuditorParts
  /** By executor, the one longest unheard of first. */
  readonly #unaudited = new Map<string, Claims<Claim>>()
  /** Re-executions come one after another: they take one slot of this machine at most. */
  #queue: Promise<void> = Promise.resolve()
  /** Audits, by executor. */
  readonly #underWay = new Map<string, number>()
  /** Those who wait for verdicts on an executor. */
  readonly #waiting = new Map<string, { promise: Promise<void>; resolve(): void; cancel(): void }>()
  #stopped = false

  constructor(ports: AuditorPorts, parts: AuditorParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /**
   * Is this answer, whose receipt has just come, to be audited? Then `ended` is called after it. If not, it is kept to be
   * checked should that change. Those that come during a probation, and are more than it needs, wait for its end.
   */
  async draws(performed: Performed): Promise<boolean> {
    const { executor } = performed
    for (;;) {
      const probationLeft = this.#parts.standings.probationLeft(executor)
      const underWay = this.#underWay.get(executor) ?? 0
      const isOver = probationLeft === 0
      if (isTakenOnTrust(probationLeft, this.#ports.random.below(DRAW_PARTS) / DRAW_PARTS)) break
      // Whoever has no time left hears so from the audit.
      if (isOver || underWay < probationLeft || this.#hasNoTime(performed)) {
        this.#underWay.set(executor, underWay + 1)
        return true
      }
      await this.#verdict(executor)
    }
    this.keep(performed)
    return false
  }

  /** It is released unaudited, and checked should its signer be caught. */
  keep(performed: Performed): void {
    const { executor } = performed
    const claims = this.#unaudited.get(executor) ?? new Claims<Claim>()
    this.#unaudited.delete(executor)
    this.#unaudited.set(executor, claims)
    claims.add(claimOf(performed))
    if (this.#unaudited.size > NEIGHBOURS_MAX) this.#unaudited.delete(this.#unaudited.keys().next().value as string)
  }

  /** An audit that was drawn is over, with a verdict or without. */
  ended(executor: string): void {
    const left = (this.#underWay.get(executor) ?? 1) - 1
    if (left > 0) this.#underWay.set(executor, left)
    else this.#underWay.delete(executor)
    if (left < this.#parts.standings.probationLeft(executor)) this.#wake(executor)
  }

  /** Another execution had the same outcome. */
  right(executor: string): void {
    this.#parts.standings.right(executor, false)
    if (this.#parts.standings.probationLeft(executor) === 0) this.#wake(executor)
  }

  /** Re-execution here had another outcome than its executor signed. */
  caught(performed: Performed): void {
    this.#parts.proofs.tell(performed)
    this.wrong(performed.executor)
  }

  /** One of its receipts was proven wrong here: of those that are unaudited the newest are checked before it is asked again. */
  wrong(executor: string, shared = false): void {
    const { standings } = this.#parts
    this.#convict(executor, false, shared)
    this.#suspend(executor)
    this.#later(async () => {
      const claims = this.#unaudited.get(executor)
      while (!this.#stopped && !standings.isCleared(executor)) {
        const claim = claims?.takeNewest()
        if (!claim) break
        await this.#checkReleased(claim)
      }
      standings.restore(executor)
    })
  }

  /** As a home it has signed two different journals where there is one. */
  twoFaced(home: string): void {
    this.#parts.memo.drop(home)
    this.#parts.standings.proven(home)
    this.#expel(home, 'it signed two different journals of one invocation')
  }

  /** Executors have signed different outcomes: re-execution here shows who was wrong; `suspects` are not asked until then. */
  settle(performed: readonly Performed[], suspects: readonly string[]): void {
    const claims = performed.map(claimOf)
    for (const suspect of suspects) this.#suspend(suspect)
    this.#moreOf(claims)
      .catch((cause: Error) => {
        this.#ports.log.event('internal.error', { reason: cause.message })
        return []
      })
      .then((more) => this.#later(() => this.#judge([...claims, ...more.map(claimOf)], suspects)))
  }

  stop(): void {
    this.#stopped = true
  }

  /** Of a function that requests something the journal is that of those who voted: nobody else is asked. */
  async #moreOf([claim, ...others]: readonly Claim[]): Promise<Performed[]> {
    if (this.#stopped || !claim || !isPure(claim.manifest)) return []
    const { clock } = this.#ports
    const deadlineMs = clock.monotonic() + Math.min(claim.request.timeoutMs, WITNESS_MS_MAX)
    const asked = new Set([claim, ...others].map(({ executor }) => executor))
    const prepare = () => this.#parts.prepare(claim.request, claim.manifest, deadlineMs)
    return witnessesOf(this.#ports, this.#parts, asked, prepare)
  }

  async #judge(claims: readonly Claim[], suspects: readonly string[]): Promise<void> {
    const rights: (boolean | undefined)[] = []
    let own: Repeated | undefined
    for (const claim of claims) {
      // Where nothing was requested, one run judges all.
      if (own === undefined || claim.journal.length > 0) own = await this.#repeat(claim)
      rights.push(own && matches(own, claim))
    }
    const sharedBy = ({ outcomeCid }: Claim) => claims.filter((one) => one.outcomeCid.equals(outcomeCid)).length
    const isAlone = isHomeAlone(rights, claims.map(sharedBy))
    if (isAlone) this.#ports.log.event('home.alone', { task: claims[0]?.task })
    for (const [i, claim] of claims.entries()) {
      const { executor } = claim
      if (rights[i]) this.right(executor)
      if (rights[i] === false && !isAlone) this.#wrongClaim(claim, sharedBy(claim) > 1)
      if (suspects.includes(executor)) this.#parts.standings.restore(executor)
    }
  }

  #hasNoTime({ item }: Performed): boolean {
    return this.#stopped || item.request.signal?.aborted === true || item.deadlineMs <= this.#ports.clock.monotonic()
  }

  /** Settles when more may be known of `executor`, or a moment has passed. */
  #verdict(executor: string): Promise<void> {
    let waiting = this.#waiting.get(executor)
    if (!waiting) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cancel = this.#ports.clock.after(WAIT_MS, () => this.#wake(executor))
      waiting = { promise, resolve, cancel }
      this.#waiting.set(executor, waiting)
    }
    return waiting.promise
  }

  #wake(executor: string): void {
    const waiting = this.#waiting.get(executor)
    this.#waiting.delete(executor)
    waiting?.cancel()
    waiting?.resolve()
  }

  #later(run: () => Promise<void>): void {
    this.#queue = this.#queue.then(run).catch((cause: Error) => {
      this.#ports.log.event('internal.error', { reason: cause.message })
    })
  }

  /** A caller has had this outcome, unchecked. */
  async #checkReleased(claim: Claim): Promise<void> {
    const { executor, task } = claim
    const own = await this.#repeat(claim)
    if (own === undefined) return
    if (matches(own, claim)) return this.#parts.standings.right(executor, true)
    this.#ports.log.event('call.corrected', { task, peer: executor })
    if (claim.shown) this.#parts.proofs.tell(claim.shown)
    this.#convict(executor, true, false)
  }

  /** Undefined: nothing comes out. */
  async #repeat({ request, manifest, journal }: Claim): Promise<Repeated | undefined> {
    if (this.#stopped) return undefined
    const { local, prepare } = this.#parts
    try {
      const item = prepare(request, manifest, this.#ports.clock.monotonic() + request.timeoutMs)
      return (await local.repeat(item, journal)).outcomeCid
    } catch (cause) {
      if (!(cause instanceof MeshError)) throw cause
      return cause.code === 'E_REPLAY_DIVERGED' ? 'diverged' : undefined
    }
  }

  #wrongClaim({ executor, shown }: Claim, shared: boolean): void {
    if (shown) this.#parts.proofs.tell(shown)
    this.wrong(executor, shared)
  }

  #suspend(executor: string): void {
    this.#parts.standings.suspend(executor)
    this.#parts.memo.drop(executor)
  }

  #convict(executor: string, released: boolean, shared: boolean): void {
    const { standings } = this.#parts
    const wasExpelled = standings.isExpelled(executor)
    standings.wrong(executor, released, shared)
    if (!wasExpelled && standings.isExpelled(executor))
      this.#expel(executor, 'too many of its signed outcomes were wrong')
  }

  #expel(peer: string, reason: string): void {
    this.#ports.log.event('peer.expelled', { peer, reason })
    this.#parts.neighbours.get(peer)?.link.bye('E_VERIFICATION_FAILED', reason)
  }
}
