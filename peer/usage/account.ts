/**
 * The count of what one peer does for another, as each of the two keeps it. Pure. The user signs what the worker has done
 * for it in all, by its own count; the worker signs the same. What only grows and carries a sequence cannot be booked
 * twice, however often it is sent, lost or sent again.
 */
import type { Tally } from '../../protocol/tally.ts'

/** Fuel, GiB-fuel, bytes: as in a `Tally`. */
export interface Work {
  fuel: number
  gib_fuel: number
  bytes: number
}

const MIB = 1024 * 1024

/** Memory × fuel of one execution, exact: 2048 MiB of FUEL_MAX fit a safe integer. */
export const gibFuel = (fuel: number, memoryBytes: number): number =>
  Math.ceil((Math.ceil(memoryBytes / MIB) * fuel) / 1024)

export const noWork = (): Work => ({ fuel: 0, gib_fuel: 0, bytes: 0 })

/** A count stops where it would not be exact any more. */
const sum = (a: number, b: number): number => Math.min(Number.MAX_SAFE_INTEGER, a + b)

const add = (to: Work, more: Readonly<Work>): void => {
  to.fuel = sum(to.fuel, more.fuel)
  to.gib_fuel = sum(to.gib_fuel, more.gib_fuel)
  to.bytes = sum(to.bytes, more.bytes)
}

const set = (to: Work, from: Readonly<Work>): void => {
  to.fuel = from.fuel
  to.gib_fuel = from.gib_fuel
  to.bytes = from.bytes
}

const isSame = (a: Readonly<Work>, b: Readonly<Work>): boolean =>
  a.fuel === b.fuel && a.gib_fuel === b.gib_fuel && a.bytes === b.bytes

/** In every count. */
const isAtLeast = (a: Readonly<Work>, b: Readonly<Work>): boolean =>
  a.fuel >= b.fuel && a.gib_fuel >= b.gib_fuel && a.bytes >= b.bytes

/** What of a tally the account looks at. */
export type Stated = Readonly<Work> & Pick<Tally, 'sequence'>

/** As it is stored: `stated` is in the newest tally, `counted` is what this side knows of. */
export interface AccountState {
  sequence: number
  stated: Work
  counted: Work
}

export const newAccount = (): AccountState => ({ sequence: 0, stated: noWork(), counted: noWork() })

/** The side that was worked for. It counts what it has right receipts of. */
export class UserAccount {
  readonly state: AccountState
  /** The newest tally is signed by the worker, too. */
  isAgreed: boolean
  /** Counted since this started: no tally of before has it. */
  readonly #sinceStart = noWork()

  constructor(state: AccountState, isAgreed: boolean) {
    this.state = state
    this.isAgreed = isAgreed
  }

  count(work: Readonly<Work>): void {
    add(this.state.counted, work)
    add(this.#sinceStart, work)
  }

  /** There is something that the worker has not agreed to. */
  get isDue(): boolean {
    return !this.isAgreed || !isSame(this.state.counted, this.state.stated)
  }

  /**
   * The tally to be signed, kept durably before anybody sees it: the last one until the worker has agreed to it or shown
   * another, then all that is counted.
   */
  next(): Stated {
    const { state } = this
    if (this.isAgreed && this.isDue) {
      set(state.stated, state.counted)
      state.sequence++
      this.isAgreed = false
    }
    return { ...state.stated, sequence: state.sequence }
  }

  /**
   * What the worker says stands, signed by this side before. A newer one than is known here was lost from the disk: all
   * before the start is in it.
   */
  hears(said: Stated): 'agreed' | 'adopted' | 'old' {
    const { state } = this
    if (said.sequence < state.sequence) return 'old'
    if (said.sequence === state.sequence && isSame(said, state.stated)) {
      this.isAgreed = true
      return 'agreed'
    }
    state.sequence = said.sequence
    set(state.stated, said)
    set(state.counted, said)
    add(state.counted, this.#sinceStart)
    this.isAgreed = true
    return 'adopted'
  }
}

/** The side that worked. It counts what it has answered. */
export class WorkerAccount {
  readonly state: AccountState

  constructor(state: AccountState) {
    this.state = state
  }

  count(work: Readonly<Work>): void {
    add(this.state.counted, work)
  }

  /**
   * A tally that the user has signed. `newer`: it stands from now on, once it is kept durably. `same`: it stands already.
   * `old`: another stands, which the user has signed as well. `less`: the user takes back what it has signed.
   */
  takes(said: Stated): 'newer' | 'same' | 'old' | 'less' {
    const { state } = this
    if (said.sequence <= state.sequence)
      return said.sequence === state.sequence && isSame(said, state.stated) ? 'same' : 'old'
    if (!isAtLeast(said, state.stated)) return 'less'
    state.sequence = said.sequence
    set(state.stated, said)
    // The user knows of more: this side has lost what it had counted.
    state.counted.fuel = Math.max(state.counted.fuel, said.fuel)
    state.counted.gib_fuel = Math.max(state.counted.gib_fuel, said.gib_fuel)
    state.counted.bytes = Math.max(state.counted.bytes, said.bytes)
    return 'newer'
  }

  /** Fuel that the user has not signed for. */
  get unsignedFuel(): number {
    return this.state.counted.fuel - this.state.stated.fuel
  }
}
