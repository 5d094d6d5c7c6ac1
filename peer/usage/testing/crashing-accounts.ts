/** Peers that work for each other and count it, with disks, messages and crashes between all steps; signatures are modelled. */
import type { Random } from '../../../protocol/ports.ts'
import { type Book, checkUsage } from '../../../simulations/checkers/usage.ts'
import {
  type AccountState,
  newAccount,
  noWork,
  type Stated,
  UserAccount,
  type Work,
  WorkerAccount,
} from '../account.ts'

const PEERS = 6
/** A message is sent again at most so many later. */
const REMEMBERED = 8
/** Rounds: one for what was sent last, one for what was shown instead, one for what was counted meanwhile. */
const SETTLED_WITHIN = 3

const copy = ({ sequence, stated, counted }: AccountState): AccountState => ({
  sequence,
  stated: { ...stated },
  counted: { ...counted },
})

const isEqual = (a: Work, b: Work): boolean => a.fuel === b.fuel && a.gib_fuel === b.gib_fuel && a.bytes === b.bytes

/** What one peer does for another. */
class Direction {
  /** Its user may lose the newest of what is on its disk. */
  readonly isSetBack: boolean
  user = new UserAccount(newAccount(), true)
  worker = new WorkerAccount(newAccount())
  #userDisk = { state: newAccount(), isAgreed: true }
  #backup = this.#userDisk
  #workerDisk = newAccount()
  /** All that the user has counted, and what of it is on no disk; and what it has lost so. In fuel. */
  made = 0
  #unsaved = 0
  lost = 0
  #owes: Stated[] = []
  #stands: Stated[] = []
  readonly #seen: Stated[] = []
  wrong: string[] = []

  constructor(isSetBack: boolean) {
    this.isSetBack = isSetBack
  }

  work(fuel: number, isReceived: boolean): void {
    const work = { fuel, gib_fuel: fuel & 7, bytes: fuel & 63 }
    this.worker.count(work)
    if (!isReceived) return
    this.user.count(work)
    this.made += fuel
    this.#unsaved += fuel
  }

  save(): void {
    this.#userDisk = { state: copy(this.user.state), isAgreed: this.user.isAgreed }
    this.#unsaved = 0
    this.#workerDisk = copy(this.worker.state)
  }

  /** Signs, and comes no further if it crashes before it stored. */
  sign(crashes: boolean): void {
    if (!this.user.isDue) return
    const stated = this.user.next()
    if (crashes) return this.crashUser()
    this.save()
    this.#owes.push(stated)
    if (this.#seen.length < REMEMBERED) this.#seen.push(stated)
    else this.#seen[stated.sequence % REMEMBERED] = stated
  }

  take(crashes: boolean): void {
    const stated = this.#owes.shift()
    if (!stated) return
    const before = this.worker.state.stated.fuel
    const taken = this.worker.takes(stated)
    if (this.worker.state.stated.fuel < before) this.wrong.push('a tally fell')
    if (this.worker.state.stated.fuel > this.made) this.wrong.push('booked twice')
    if (taken === 'less') return void this.wrong.push('an honest user was taken for a liar')
    if (crashes) return this.crashWorker()
    if (taken === 'newer') this.#workerDisk = copy(this.worker.state)
    this.#stands.push({ ...this.worker.state.stated, sequence: this.worker.state.sequence })
  }

  hear(): void {
    const stated = this.#stands.shift()
    if (stated) this.user.hears(stated)
  }

  lose(): void {
    this.#owes.shift()
    this.#stands.shift()
  }

  /** What was sent before comes again. */
  replay(which: number): void {
    const stated = this.#seen[which % REMEMBERED]
    if (stated) this.#owes.push(stated)
  }

  crashUser(): void {
    this.lost += this.#unsaved
    this.#restart()
  }

  crashWorker(): void {
    this.worker = new WorkerAccount(copy(this.#workerDisk))
    this.#owes = []
    this.#stands = []
  }

  backUp(): void {
    this.#backup = { state: copy(this.#userDisk.state), isAgreed: this.#userDisk.isAgreed }
  }

  setBack(): void {
    if (!this.isSetBack) return
    this.#userDisk = { state: copy(this.#backup.state), isAgreed: this.#backup.isAgreed }
    this.#seen.length = 0
    this.#restart()
  }

  /** Until both agree. */
  settle(): void {
    for (let i = 0; i < SETTLED_WITHIN && this.user.isDue; i++) {
      this.sign(false)
      while (this.#owes.length > 0) this.take(false)
      while (this.#stands.length > 0) this.hear()
    }
    const { stated, counted } = this.user.state
    if (this.user.isDue || !isEqual(stated, counted)) this.wrong.push('not settled')
    if (stated.fuel > this.made) this.wrong.push('more was signed than was done')
    if (!this.isSetBack && stated.fuel !== this.made - this.lost)
      this.wrong.push(`of ${this.made} fuel done, ${this.lost} of it lost, ${stated.fuel} is signed`)
  }

  #restart(): void {
    this.#unsaved = 0
    this.user = new UserAccount(copy(this.#userDisk.state), this.#userDisk.isAgreed)
    this.#owes = []
    this.#stands = []
  }
}

/** By `worker * PEERS + user`. Nobody works for itself: those are not used. */
const createDirections = (): Direction[] =>
  Array.from({ length: PEERS * PEERS }, (_, i) => new Direction((Math.floor(i / PEERS) + (i % PEERS)) % 2 === 1))

const bookOf = (directions: readonly Direction[], worker: number, user: number): Book => ({
  ...{ peer: `${worker}`, other: `${user}` },
  lent: directions[worker * PEERS + user]?.worker.state.stated ?? noWork(),
  used: directions[user * PEERS + worker]?.user.state.stated ?? noWork(),
})

const pairs = Array.from({ length: PEERS * PEERS }, (_, i) => [Math.floor(i / PEERS), i % PEERS] as const).filter(
  ([worker, user]) => worker !== user,
)

const step = (one: Direction, kind: number, detail: number): void => {
  if (kind < 620) return one.work(detail >>> 4, (detail & 15) > 0)
  if (kind < 740) return one.sign((detail & 15) === 0)
  if (kind < 850) return one.take((detail & 15) === 0)
  if (kind < 940) return one.hear()
  if (kind < 955) return one.lose()
  if (kind < 965) return one.replay(detail)
  if (kind < 975) return one.crashUser()
  if (kind < 985) return one.crashWorker()
  if (kind < 993) return one.save()
  return kind < 997 ? one.backUp() : one.setBack()
}

/** Sentences of what is wrong after so many random operations: all settle, now and then and in the end. */
export const crashAccounts = (
  random: Random,
  operations: number,
  settleEvery: number,
): { wrong: string[]; fuel: number } => {
  const directions = createDirections()
  const wrong: string[] = []
  const check = () => {
    for (const [worker, user] of pairs) directions[worker * PEERS + user]?.settle()
    wrong.push(...checkUsage(pairs.map(([worker, user]) => bookOf(directions, worker, user))))
    wrong.push(...directions.flatMap((one) => one.wrong))
  }
  for (let i = 0; i < operations && wrong.length === 0; i++) {
    const [worker, user] = pairs[random.below(pairs.length)] as readonly [number, number]
    step(directions[worker * PEERS + user] as Direction, random.below(1000), random.below(4096))
    if (i % settleEvery === settleEvery - 1) check()
  }
  check()
  return { wrong, fuel: directions.reduce((sum, { user }) => sum + user.state.stated.fuel, 0) }
}
