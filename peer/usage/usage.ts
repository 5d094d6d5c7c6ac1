/** What this peer and others do for each other: counted, agreed on with each, and who waits less here for it. */
import type { CID } from '../../protocol/cid.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Neighbour } from '../neighbours.ts'
import type { Execution } from '../receipts.ts'
import { gibFuel, type Work } from './account.ts'
import { Books } from './books.ts'
import { Exchange, isLie } from './exchange.ts'
import { weightOf } from './weight.ts'

/** What is done meanwhile is signed for at once. */
const SETTLE_MS = 5000
/** A worker that did not agree, or is not there, is asked again. */
const AGAIN_MS = 60_000

/** As its owner sees it: what both have signed, and what they have not. */
export interface UsageRow {
  peer: string
  lent: Work
  used: Work
  /** Lent less used, in fuel. */
  balance_fuel: number
  /** Lent, and not yet signed for. */
  unsigned_fuel: number
  /** Its runs in a turn here, while others wait. */
  weight: number
}

const ROWS_MAX = 1000

interface UsageParts {
  neighbours: { get(peer: string): Pick<Neighbour, 'own'> | undefined }
}

export class Usage {
  readonly #ports: Ports
  readonly #parts: UsageParts
  readonly #books: Books
  readonly #exchange: Exchange
  /** Workers, and when each is to be asked at the earliest; monotonic. */
  readonly #due = new Map<string, number>()
  /** Who is being asked now. */
  readonly #asking = new Set<string>()
  #cancel: (() => void) | undefined
  #isStopped = false

  private constructor(ports: Ports, mesh: CID, parts: UsageParts) {
    this.#ports = ports
    this.#parts = parts
    this.#books = new Books(ports)
    this.#exchange = new Exchange(ports, mesh, this.#books, (peer) => parts.neighbours.get(peer) !== undefined)
  }

  /** Before the network starts. */
  static async open(ports: Ports, mesh: CID, parts: UsageParts): Promise<Usage> {
    const usage = new Usage(ports, mesh, parts)
    await usage.#books.load()
    for (const [peer, { used }] of usage.#books.all()) if (used.isDue) usage.#settleLater(peer, SETTLE_MS)
    usage.#exchange.serve()
    return usage
  }

  /** This peer has answered it. `bytes`: of input and outcome. */
  did(peer: string, { fuel, memory_bytes }: { fuel: number; memory_bytes: number }, bytes: number): void {
    this.#books.change(peer).lent.count({ fuel, gib_fuel: gibFuel(fuel, memory_bytes), bytes })
  }

  /** Its receipt came, and is right. */
  got(peer: string, { outcome: { fuel, memory_bytes }, inputBytes, outcomeBytes }: Execution): void {
    const bytes = inputBytes + outcomeBytes.length
    this.#books.change(peer).used.count({ fuel, gib_fuel: gibFuel(fuel, memory_bytes), bytes })
    this.#settleLater(peer, SETTLE_MS)
  }

  /** How many runs of it have their turn together, while others wait: 1 to `WEIGHT_MAX`. */
  weight({ peer, own }: Pick<Neighbour, 'peer' | 'own'>): number {
    const book = this.#books.get(peer)
    return weightOf({
      own,
      didFuel: book?.used.state.counted.fuel ?? 0,
      hadFuel: book?.lent.state.counted.fuel ?? 0,
      unsignedFuel: book?.lent.unsignedFuel ?? 0,
    })
  }

  /** The peer last heard of first. */
  report(): UsageRow[] {
    const rows = this.#books.all().slice(-ROWS_MAX).reverse()
    return rows.map(([peer, { lent, used }]) => ({
      peer,
      lent: { ...lent.state.stated },
      used: { ...used.state.stated },
      balance_fuel: lent.state.stated.fuel - used.state.stated.fuel,
      unsigned_fuel: lent.unsignedFuel,
      weight: this.weight({ peer, own: this.#parts.neighbours.get(peer)?.own ?? false }),
    }))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    this.#exchange.stop()
    await this.#books.save()
  }

  #settleLater(peer: string, afterMs: number): void {
    // What is counted while it is asked is due again after that.
    if (this.#isStopped || this.#asking.has(peer) || this.#due.has(peer)) return
    this.#due.set(peer, this.#ports.clock.monotonic() + afterMs)
    this.#arm()
  }

  /** One timer, for whoever is to be asked first. */
  #arm(): void {
    this.#cancel?.()
    if (this.#due.size === 0) return
    const { clock } = this.#ports
    this.#cancel = clock.after(Math.max(0, Math.min(...this.#due.values()) - clock.monotonic()), () => {
      const nowMs = clock.monotonic()
      for (const [peer, dueMs] of [...this.#due]) {
        if (dueMs > nowMs) continue
        this.#due.delete(peer)
        this.#asking.add(peer)
        this.#settle(peer)
      }
      this.#arm()
    })
  }

  async #settle(peer: string): Promise<void> {
    let againMs = AGAIN_MS
    try {
      if (this.#parts.neighbours.get(peer)) {
        await this.#exchange.settle(peer)
        againMs = SETTLE_MS
      }
    } catch (cause) {
      if (isLie(cause)) this.#ports.log.event('peer.misbehaved', { peer, code: cause.code, reason: cause.message })
    }
    this.#asking.delete(peer)
    if (this.#books.get(peer)?.used.isDue) this.#settleLater(peer, againMs)
  }
}
