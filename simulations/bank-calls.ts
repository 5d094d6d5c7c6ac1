/** The bank as functions that are called on peers, of whom some lie or are killed: what its clients saw, and what is wrong with it. */
import { MeshError } from '../protocol/errors.ts'
import type { Random } from '../protocol/ports.ts'
import type { Value } from '../protocol/values.ts'
import { type Audit, checkBank } from './checkers/bank.ts'
import type { Recorded, Seen } from './checkers/history.ts'
import { checkHistory } from './checkers/serialisability.ts'

const ACCOUNTS = 6
const OPENING = 100
const TOTAL = ACCOUNTS * OPENING
/** They transfer, and audit now and then. */
const CLIENTS = 4
const AUDIT_ONE_IN = 4
/** Who is suspended for a lie is asked again later. */
const BREATH_MS = 100
/** Those who could have agreed are gone: nothing is committed, and the client asks again. */
const AGAIN = ['E_VERIFICATION_FAILED', 'E_QUORUM_INSUFFICIENT', 'E_NO_PEER', 'E_EXECUTOR_LOST']
const AGAIN_MS = 500

export const ACCOUNT_PREFIX = 'account/'
/** Under it stands the number of each transfer that moved something, written with what it moved. */
export const DONE_PREFIX = 'done/'

/** `by` is the number of the write, which no other has. */
const CODE = `
  const name = (n) => '${ACCOUNT_PREFIX}' + n
  export const open = (x, { DB }) => {
    for (let n = 0; n < ${ACCOUNTS}; n++) DB.put(name(n), { balance: ${OPENING}, by: n + 1 })
    DB.put('${DONE_PREFIX}open', true)
    return ${ACCOUNTS}
  }
  export const transfer = async ([number, from, to, percent], { DB }) => {
    const [a, b] = await Promise.all([DB.get(name(from)), DB.get(name(to))])
    const amount = Math.floor((a.balance * percent) / 100)
    if (amount > 0) {
      DB.put(name(from), { balance: a.balance - amount, by: 2 * number })
      DB.put(name(to), { balance: b.balance + amount, by: 2 * number + 1 })
      DB.put('${DONE_PREFIX}' + number, true)
    }
    return { read: [[name(from), a.by], [name(to), b.by]], moved: amount }
  }
  export const audit = async (x, { DB }) => {
    const { entries } = await DB.list({ prefix: '${ACCOUNT_PREFIX}' })
    return { read: entries.map(({ key, value }) => [key, value.by]), balances: entries.map(({ key, value }) => [key, value.balance]) }
  }
`

/** What is published. Its clients grant it one namespace, as `DB`. */
export const BANK = {
  code: CODE,
  exports: ['audit', 'open', 'transfer'],
  effects: ['get', 'list', 'put'] as ('get' | 'list' | 'put')[],
  env: [{ name: 'DB', kind: 'state' as const }],
}

interface Told {
  read: [key: string, by: number][]
  moved?: number
  balances?: [account: string, balance: number][]
}

/** One call as its client knows it. */
interface Done extends Told {
  number: number
  beganAt: number
  endedAt: number
  written: string[]
}

export interface BankOptions {
  random: Random
  pause(ms: number): Promise<void>
  /** Throws what it throws as MeshError. `lies`: so many executors signed something else. */
  call(name: string, input: Value): Promise<{ value: Value; lies: number }>
  /** The clients end when they have made so many, and `isOver` holds. */
  calls: number
  isOver(bank: BankCalls): boolean
}

const seenWith =
  (revisions: ReadonlyMap<string, number>) =>
  ([key, by]: [string, number]): Seen => ({
    ...{ key, value: by },
    version: revisions.get(by <= ACCOUNTS ? 'open' : `${Math.floor(by / 2)}`) as number,
  })

const snapshotOf = (reads: readonly Seen[]) => Math.max(...reads.map(({ version }) => version))

const opening = (revision: number | undefined): Recorded => ({
  ...{ id: 'open', beganAt: -2, endedAt: -1, outcome: 'committed', snapshot: 0, revision, reads: [], lists: [] },
  writes: Array.from({ length: ACCOUNTS }, (_, n) => ({ key: `${ACCOUNT_PREFIX}${n}`, value: n + 1 })),
})

export class BankCalls {
  readonly #options: BankOptions
  readonly #done: Done[] = []
  /** Found so far. */
  lies = 0
  /** Numbers up to that of the accounts are the opening's. */
  #numbers = ACCOUNTS
  #begun = 0
  #events = 0

  constructor(options: BankOptions) {
    this.#options = options
  }

  get calls(): number {
    return this.#done.length
  }

  get audits(): number {
    return this.#done.filter(({ balances }) => balances).length
  }

  async open(): Promise<void> {
    await this.#call('open', null)
  }

  /** Clients transfer, and somebody looks at all accounts again and again meanwhile. */
  async run(): Promise<void> {
    const clients = Promise.all(Array.from({ length: CLIENTS }, () => this.#client()))
    let areDone = false
    const auditor = async () => {
      while (!areDone) await this.#perform(true)
    }
    const audits = auditor()
    await clients.finally(() => {
      areDone = true
    })
    await audits
  }

  /**
   * What is wrong. `done`: by what follows its prefix, the revision of each key that stands under `DONE_PREFIX`; `balances`:
   * what the accounts hold in the end.
   */
  judge(done: ReadonlyMap<string, number>, balances: readonly number[]): string[] {
    const seen = seenWith(done)
    const history = this.#done.map(({ number, beganAt, endedAt, read, written }): Recorded => {
      const reads = read.map(seen)
      return {
        ...{ id: `${number}`, beganAt, endedAt, outcome: 'committed', snapshot: snapshotOf(reads), reads, lists: [] },
        ...(written.length > 0 && { revision: done.get(`${number}`) }),
        writes: written.map((key, i) => ({ key, value: 2 * number + i })),
      }
    })
    const audits = this.#done.flatMap(({ read, balances: looked }): Audit[] =>
      looked ? [{ revision: snapshotOf(read.map(seen)), balances: new Map(looked) }] : [],
    )
    const left = balances.reduce((sum, one) => sum + one, 0)
    return [
      ...checkHistory([opening(done.get('open')), ...history]).map(({ words }) => words),
      ...checkBank(audits, TOTAL),
      ...(left === TOTAL ? [] : [`in the end all accounts hold ${left}, and ${TOTAL} was paid in`]),
    ]
  }

  async #client(): Promise<void> {
    const { calls, isOver, pause, random } = this.#options
    while (this.#begun++ < calls || !isOver(this)) {
      await this.#perform(random.below(AUDIT_ONE_IN) === 0)
      await pause(BREATH_MS)
    }
  }

  async #perform(isAudit: boolean): Promise<void> {
    const { random } = this.#options
    const number = this.#numbers++
    const beganAt = this.#events++
    const from = random.below(ACCOUNTS)
    const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS
    const value = isAudit
      ? await this.#call('audit', null)
      : await this.#call('transfer', [number, from, to, 1 + random.below(50)])
    const told = value as unknown as Told
    const written = (told.moved ?? 0) > 0 ? [`${ACCOUNT_PREFIX}${from}`, `${ACCOUNT_PREFIX}${to}`] : []
    this.#done.push({ ...told, number, beganAt, endedAt: this.#events++, written })
  }

  async #call(name: string, input: Value): Promise<Value> {
    const { call, pause } = this.#options
    for (;;) {
      try {
        const { value, lies } = await call(name, input)
        this.lies += lies
        return value
      } catch (cause) {
        if (!(cause instanceof MeshError) || !AGAIN.includes(cause.code)) throw cause
        if (cause.code === 'E_VERIFICATION_FAILED') this.lies += 1
        await pause(AGAIN_MS)
      }
    }
  }
}
