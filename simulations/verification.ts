/**
 * What the levels cost and let through, by trials: one task after another over typed arrays, with the decisions of a home
 * as `peer/` takes them. Every verdict is there at once, and a draw is as good as its uniform chance; what links, queues
 * and answers under way add shows in `audit-scenario.ts`, where the peers are real.
 */
import { Charges } from '../peer/charges.ts'
import { Claims } from '../peer/claims.ts'
import { isCleared, isExpelled, isTakenOnTrust, probationLeft } from '../peer/trust.ts'
import { type VoteView, WITNESSES, winnerOf } from '../peer/verdict.ts'
import type { Random } from '../protocol/ports.ts'
import { type Family, type LetInBy, Lines, type PublicMesh, partOf } from './answering.ts'
import { seededRandom } from './random.ts'
import { Standing } from './standing-arrays.ts'

export interface Trial {
  /** 32 bits: the same trial gives the same tally. */
  seed: number
  /** Who lends. The home, which asks, is not among them. */
  peers: number
  /** All distinct. */
  tasks: number
  /** `quorum`: as many executions as must agree. */
  level: 'audit' | 'self' | { quorum: number }
  /** The first so many of the peers collude: they know of which tasks to lie, and tell the same lie. */
  colluders?: number
  /** The share of those tasks. A colluder behaves while all its receipts are checked, also when that begins anew. */
  lieRate?: number
  /** Colluders know when they verify somebody, and then lie only to confirm one another. */
  knowsVerifications?: boolean
  /** The share of executions that go wrong at honest machines, each in a way of its own. */
  errorRate?: number
  /** So many receipts after it came a peer leaves for good and another one takes its place; those there have half of it behind them on average. */
  lifeReceipts?: number
  /** Whoever is expelled comes back at once as somebody else. */
  reenters?: boolean
  /** Who let them in, whoever comes back included. Undefined: nobody answers for anybody. */
  letInBy?: LetInBy | undefined
  /** It is a public mesh. */
  open?: PublicMesh | undefined
}

export interface Tally {
  results: number
  /** All of them: first ones, verifications, runs of the home to settle what differs and to check again what it took on trust. */
  executions: number
  /** Of these, those to check again. */
  rechecks: number
  /** Wrong as released: by a lie, and by a slip of a machine that nobody looked at. */
  wrongByIntent: number
  wrongByError: number
  /** Of the lies released, those that a later check found. */
  corrected: number
  /** Colluding identities that were ever trusted, or lied. */
  badIdentities: number
  badExpelled: number
  honestExpelled: number
  /** Lies told by who was asked first; of these, those that another contradicted, and those that were found before they were released. */
  lies: number
  liesContradicted: number
  liesFound: number
  /** Of a public mesh: results of honest newcomers for whom an operator vouches, or nobody does, and all executions for these. */
  guestResults: number
  guestExecutions: number
  aloneResults: number
  aloneExecutions: number
}

const RIGHT = 0
const LIE = 1
/** And all above it: each error is one of a kind. */
const ERROR = 2

/** A receipt taken on trust; its outcome is known to the simulator only. */
interface Claim {
  readonly bytes: number
  readonly outcome: number
}
/** Of the size of a small task, so that the count of claims is the bound, not their bytes. */
const CLAIM_BYTES = 1024

const CHANCE_PARTS = 2 ** 32

/** The outcomes of one task so far. */
class Votes implements VoteView {
  readonly outcomes: number[] = []
  readonly voters: number[] = []

  get count(): number {
    return this.outcomes.length
  }

  same(i: number, j: number): boolean {
    return this.outcomes[i] === this.outcomes[j]
  }
}

class Home {
  readonly #trial: Omit<Trial, 'tasks'>
  readonly #random: Random
  readonly #standing: Standing
  /** Of those that have not been expelled: which peers they are. */
  readonly #present: number[]
  readonly #isBad: Uint8Array
  readonly #wasTrusted: Uint8Array
  readonly #receipts: Int32Array
  readonly #claims: Claims<Claim>[]
  readonly #liedAlike: Uint8Array
  readonly #charges = new Charges()
  readonly #family: Family
  readonly #lines: Lines
  /** Of its identity of now something was released that was then found wrong. */
  readonly #isCorrected: Uint8Array
  #errors = ERROR
  readonly tally: Tally = {
    ...{ results: 0, executions: 0, rechecks: 0, wrongByIntent: 0, wrongByError: 0, corrected: 0 },
    ...{
      badIdentities: 0,
      badExpelled: 0,
      honestExpelled: 0,
      lies: 0,
      liesContradicted: 0,
      liesFound: 0,
      guestResults: 0,
    },
    ...{ guestExecutions: 0, aloneResults: 0, aloneExecutions: 0 },
  }

  constructor(trial: Omit<Trial, 'tasks'>) {
    const { seed, peers, colluders = 0, letInBy, open } = trial
    this.#trial = trial
    this.#random = seededRandom(seed)
    this.#standing = new Standing(peers)
    this.#present = Array.from({ length: peers }, (_, i) => i)
    this.#isBad = Uint8Array.from({ length: peers }, (_, i) => (i < colluders ? 1 : 0))
    this.#wasTrusted = new Uint8Array(peers)
    this.#family = { colluders, letInBy, open }
    this.#receipts = Int32Array.from({ length: peers }, (_, i) => {
      const life = this.#lifeOf(i)
      return life > 0 ? this.#random.below(life) : 0
    })
    this.#liedAlike = new Uint8Array(peers)
    this.#isCorrected = new Uint8Array(peers)
    this.#lines = new Lines(this.#family, this.#charges, peers)
    this.#claims = Array.from({ length: peers }, () => new Claims())
  }

  get isAlone(): boolean {
    return this.#present.length === 0
  }

  perform(): void {
    const { level } = this.#trial
    this.tally.results++
    // All colluders alike would lie about it, or none.
    const isLie = this.#chance(this.#trial.lieRate ?? 0)
    if (level === 'audit') this.#audit(isLie)
    else if (level === 'self') this.#self(isLie)
    else this.#quorum(isLie, level.quorum)
  }

  #chance(share: number): boolean {
    return share > 0 && this.#random.below(CHANCE_PARTS) < share * CHANCE_PARTS
  }

  #view(i: number): Standing {
    this.#standing.i = i
    return this.#standing
  }

  #probationLeft(i: number): number {
    const answering = this.#lines.of(i)
    const wanted = this.#charges.wanted(answering, (one) => this.#rightsOf(one))
    const view = this.#view(i)
    return probationLeft(view, view.rights, this.#charges.on(answering), wanted)
  }

  /** Of one of the peers; operators that only vouch have none. */
  #rightsOf(peer: string): number {
    const i = Number(peer)
    return Number.isInteger(i) ? this.#standing.rightsOf(i) : 0
  }

  #lifeOf(i: number): number {
    const { lifeReceipts = 0, open } = this.#trial
    if (!open) return lifeReceipts
    return i < this.#family.colluders || partOf(i, this.#family) === 'operator' ? 0 : open.lifeReceipts
  }

  /**
   * One of those present that has not voted, and that has not told the same lie as another before, if one who has votes
   * already; -1: there is none.
   */
  #draw(votes: Votes): number {
    const isFree = (i: number) => !votes.voters.includes(i) && !(this.#liedAlike[i] === 1 && hasLiedAlike)
    const hasLiedAlike = votes.voters.some((i) => this.#liedAlike[i] === 1)
    return this.#drawOf(isFree)
  }

  #drawOf(isFree: (i: number) => boolean): number {
    if (!this.#present.some(isFree)) return -1
    for (;;) {
      const i = this.#present[this.#random.below(this.#present.length)] as number
      if (isFree(i)) return i
    }
  }

  /** What `i` signs, as the first to be asked or after `votes`. */
  #execute(i: number, isLie: boolean, votes: Votes): void {
    this.tally.executions++
    this.#receipts[i] = (this.#receipts[i] as number) + 1
    const outcome = this.#outcomeOf(i, isLie, votes)
    if (outcome === LIE && votes.count === 0) this.tally.lies++
    votes.voters.push(i)
    votes.outcomes.push(outcome)
  }

  #outcomeOf(i: number, isLie: boolean, { outcomes }: Votes): number {
    if (this.#isBad[i] === 1) {
      const mayLie = this.#probationLeft(i) === 0 && !(this.#trial.knowsVerifications && outcomes.length > 0)
      if (isLie && (mayLie || outcomes.includes(LIE))) {
        this.#meet(i)
        return LIE
      }
    }
    return this.#chance(this.#trial.errorRate ?? 0) ? this.#errors++ : RIGHT
  }

  /** A colluding identity counts once it has been trusted, or has lied. */
  #meet(i: number): void {
    if (this.#wasTrusted[i] === 1) return
    this.#wasTrusted[i] = 1
    if (this.#isBad[i] === 1) this.tally.badIdentities++
  }

  #release(outcome: number): void {
    if (outcome === LIE) this.tally.wrongByIntent++
    else if (outcome !== RIGHT) this.tally.wrongByError++
  }

  #self(isLie: boolean): void {
    const votes = new Votes()
    const first = this.#draw(votes)
    if (first >= 0) this.#execute(first, isLie, votes)
    this.#settle(votes)
    this.#release(RIGHT)
    this.#leave(votes)
  }

  #audit(isLie: boolean): void {
    const votes = new Votes()
    const first = this.#draw(votes)
    const before = this.tally.executions
    this.#auditOf(first, isLie, votes)
    const part = partOf(first, this.#family)
    if (part !== 'guest' && part !== 'alone') return
    this.tally[`${part}Results`]++
    this.tally[`${part}Executions`] += this.tally.executions - before
  }

  #auditOf(first: number, isLie: boolean, votes: Votes): void {
    this.#execute(first, isLie, votes)
    const outcome = votes.outcomes[0] as number
    const left = this.#probationLeft(first)
    if (isTakenOnTrust(left, this.#random.below(CHANCE_PARTS) / CHANCE_PARTS)) {
      this.#claims[first]?.add({ bytes: CLAIM_BYTES, outcome })
      this.#release(outcome)
      return this.#leave(votes)
    }
    const second = this.#draw(votes)
    if (second >= 0) this.#execute(second, isLie, votes)
    if (second >= 0 && votes.same(0, 1)) {
      for (const voter of votes.voters) this.#right(voter)
      this.#release(outcome)
    } else {
      if (outcome === LIE) {
        this.tally.liesContradicted++
        this.tally.liesFound++
      }
      this.#settle(votes)
    }
    this.#leave(votes)
  }

  #quorum(isLie: boolean, n: number): void {
    const votes = new Votes()
    let winner = -1
    while (winner < 0) {
      const next = this.#draw(votes)
      if (next < 0) break
      this.#execute(next, isLie, votes)
      winner = winnerOf(votes, n)
    }
    const outcome = winner < 0 ? RIGHT : (votes.outcomes[winner] as number)
    if (votes.outcomes[0] === LIE && votes.count > n) this.tally.liesContradicted++
    if (votes.outcomes[0] === LIE && outcome !== LIE) this.tally.liesFound++
    this.#release(outcome)
    if (votes.count > n || winner < 0) {
      this.#witness(isLie, votes)
      this.#settle(votes)
    } else for (const voter of votes.voters) this.#right(voter)
    this.#leave(votes)
  }

  /** The home runs the task itself, and never errs: what is exact at `self` is so by definition. */
  #settle({ voters, outcomes }: Votes): void {
    this.tally.executions++
    for (const [at, voter] of voters.entries()) {
      if (outcomes[at] === RIGHT) this.#right(voter)
      else this.#wrong(voter, outcomes.filter((one) => one === outcomes[at]).length > 1)
    }
  }

  /** Others are asked for the same before it is settled. */
  #witness(isLie: boolean, votes: Votes): void {
    for (let i = 0; i < WITNESSES; i++) {
      const next = this.#drawOf((one) => !votes.voters.includes(one))
      if (next >= 0) this.#execute(next, isLie, votes)
    }
  }

  #right(i: number): void {
    this.#view(i).found(false, false)
    this.#charges.right(this.#lines.of(i))
    if (this.#probationLeft(i) === 0) this.#meet(i)
  }

  #wrong(i: number, shared = false): void {
    const standing = this.#view(i)
    standing.found(true, false)
    if (shared) this.#liedAlike[i] = 1
    const claims = this.#claims[i] as Claims<Claim>
    while (!isCleared(standing)) {
      const claim = claims.takeNewest()
      if (!claim) break
      this.tally.executions++
      this.tally.rechecks++
      const isWrong = claim.outcome !== RIGHT
      standing.found(isWrong, true)
      if (isWrong) this.#isCorrected[i] = 1
      if (claim.outcome === LIE) this.tally.corrected++
    }
  }

  /** Those who are expelled go, and those whose time has come. */
  #leave({ voters }: Votes): void {
    const { reenters = false } = this.#trial
    for (const i of voters) {
      const life = this.#lifeOf(i)
      if (isExpelled(this.#view(i))) {
        if (this.#isCorrected[i] === 1) this.#charges.expelled(this.#lines.of(i))
        if (this.#isBad[i] === 1) this.tally.badExpelled++
        else this.tally.honestExpelled++
        if (reenters) this.#replace(i)
        else this.#present.splice(this.#present.indexOf(i), 1)
      } else if (life > 0 && (this.#receipts[i] as number) >= life) this.#replace(i)
    }
  }

  #replace(i: number): void {
    this.#view(i).clear()
    this.#receipts[i] = 0
    this.#wasTrusted[i] = 0
    this.#isCorrected[i] = 0
    this.#liedAlike[i] = 0
    this.#lines.renew(i)
    this.#claims[i] = new Claims()
  }
}

/**
 * The tallies of one trial after so many tasks as each of `marks`, ascending, says. Where nobody is left to ask it ends before, and what
 * it has come to by then stands for what was to come.
 */
export const talliesOf = (trial: Omit<Trial, 'tasks'>, marks: readonly number[]): Tally[] => {
  const home = new Home(trial)
  let task = 0
  return marks.map((mark) => {
    for (; task < mark && !home.isAlone; task++) home.perform()
    return { ...home.tally }
  })
}

export const runTrial = ({ tasks, ...trial }: Trial): Tally => talliesOf(trial, [tasks])[0] as Tally
