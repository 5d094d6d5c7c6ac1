/** Heads of one invocation's journal while that grows: what was hashed for one is not hashed again for the next. */
import type { CID } from '../../protocol/cid.ts'
import { cidDigest } from '../../protocol/cid.ts'
import { type JournalEntry, journalHead, orderJournal } from '../../protocol/journal.ts'
import type { Crypto } from '../../protocol/ports.ts'

/** Where a journal begins anew, what was answered before stands in other entries. */
const isSame = (a: JournalEntry | undefined, b: JournalEntry): boolean =>
  a === b || (a?.entry === 'answer' && b.entry === 'answer' && a.n === b.n && a.answer === b.answer)

export class Heads {
  readonly #crypto: Pick<Crypto, 'hash'>
  /** The longest of those that were asked for last, in order. */
  #entries: readonly JournalEntry[] = []
  /** Of its beginnings, by their lengths. */
  readonly #heads: Map<number, Uint8Array>

  constructor(crypto: Pick<Crypto, 'hash'>, invocation: CID) {
    this.#crypto = crypto
    this.#heads = new Map([[0, cidDigest(invocation)]])
  }

  /** That of a journal of these entries, in any order (headOf). */
  of(journal: readonly JournalEntry[]): Uint8Array {
    const ordered = orderJournal(journal)
    let same = 0
    while (same < ordered.length && isSame(this.#entries[same], ordered[same] as JournalEntry)) same++
    if (same < ordered.length) {
      for (const length of [...this.#heads.keys()]) if (length > same) this.#heads.delete(length)
      this.#entries = ordered
    }
    let length = Math.max(...[...this.#heads.keys()].filter((one) => one <= ordered.length))
    let head = this.#heads.get(length) as Uint8Array
    for (; length < ordered.length; length++)
      head = journalHead(this.#crypto as Crypto, head, ordered[length] as JournalEntry)
    this.#heads.set(length, head)
    return head
  }
}
