/** The accounts with each peer, in memory and on disk. */
import type { Ports } from '../../protocol/ports.ts'
import { UsageRecord } from '../../protocol/tally.ts'
import { newAccount, UserAccount, WorkerAccount } from './account.ts'

const PREFIX = 'usage/'
/** The one longest unheard of is forgotten first: it is a newcomer then. */
export const ACCOUNTS_MAX = 4096
const SAVE_EVERY_MS = 5000

/** A tally as both have signed it. */
type Signed = UsageRecord['signed_lent'][number]

export interface Book {
  /** What this peer has done for the other, and the other for it. */
  readonly lent: WorkerAccount
  readonly used: UserAccount
  signedLent: Signed | undefined
  signedUsed: Signed | undefined
}

const newBook = (): Book => ({
  lent: new WorkerAccount(newAccount()),
  used: new UserAccount(newAccount(), true),
  signedLent: undefined,
  signedUsed: undefined,
})

const listOf = (signed: Signed | undefined): Signed[] => (signed ? [signed] : [])

const recordOf = ({ lent, used, signedLent, signedUsed }: Book): UsageRecord => ({
  v: 1,
  lent: lent.state,
  used: used.state,
  is_agreed: used.isAgreed,
  signed_lent: listOf(signedLent),
  signed_used: listOf(signedUsed),
})

const bookOf = (record: UsageRecord): Book => ({
  lent: new WorkerAccount(record.lent),
  used: new UserAccount(record.used, record.is_agreed),
  signedLent: record.signed_lent[0],
  signedUsed: record.signed_used[0],
})

export class Books {
  readonly #ports: Pick<Ports, 'clock' | 'storage' | 'log'>
  /** The peer longest unheard of first. */
  readonly #byPeer = new Map<string, Book>()
  readonly #unsaved = new Set<string>()
  #cancelSave: (() => void) | undefined

  constructor(ports: Pick<Ports, 'clock' | 'storage' | 'log'>) {
    this.#ports = ports
  }

  async load(): Promise<void> {
    for await (const { key, value } of this.#ports.storage.scan(PREFIX)) {
      const peer = key.slice(PREFIX.length)
      try {
        this.#byPeer.set(peer, bookOf(UsageRecord.decode(value)))
      } catch (cause) {
        this.#ports.log.event('storage.failed', { peer, reason: (cause as Error).message })
      }
    }
  }

  get(peer: string): Book | undefined {
    return this.#byPeer.get(peer)
  }

  all(): [peer: string, book: Book][] {
    return [...this.#byPeer]
  }

  /** To be changed: it is saved soon. */
  change(peer: string): Book {
    const book = this.#byPeer.get(peer) ?? newBook()
    this.#byPeer.delete(peer)
    this.#byPeer.set(peer, book)
    const [oldest] = this.#byPeer.keys()
    if (this.#byPeer.size > ACCOUNTS_MAX && oldest !== undefined) {
      this.#byPeer.delete(oldest)
      this.#unsaved.add(oldest)
    }
    this.#unsaved.add(peer)
    this.#cancelSave ??= this.#ports.clock.after(SAVE_EVERY_MS, () => void this.save())
    return book
  }

  /** All that has changed. What the disk does not take is tried again with what changes next. */
  async save(): Promise<void> {
    await this.#write({ durable: false }).catch(() => {})
  }

  /** The same, on disk when it resolves. Throws MeshError E_STORAGE. */
  keep(): Promise<void> {
    return this.#write({ durable: true })
  }

  async #write(options: { durable: boolean }): Promise<void> {
    this.#cancelSave?.()
    this.#cancelSave = undefined
    const peers = [...this.#unsaved]
    this.#unsaved.clear()
    const writes = peers.map((peer) => {
      const book = this.#byPeer.get(peer)
      const key = PREFIX + peer
      return book ? { key, put: UsageRecord.encode(recordOf(book)) } : { key, delete: true as const }
    })
    try {
      if (writes.length > 0) await this.#ports.storage.write(writes, options)
    } catch (cause) {
      for (const peer of peers) this.#unsaved.add(peer)
      this.#ports.log.event('storage.failed', { reason: (cause as Error).message })
      throw cause
    }
  }
}
