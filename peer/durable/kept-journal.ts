/**
 * The journal of a durable invocation, as it is kept: in parts, each named by its number and by a hash of all that is kept up
 * to it. So one that is missing, changed or of another journal shows, and is told from what an executor has made up.
 */
import { JournalPart } from '../../protocol/durable.ts'
import { joinBytes } from '../../protocol/join-bytes.ts'
import type { Crypto } from '../../protocol/ports.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { Damaged, wholeOf } from './damaged.ts'
import { journalName, partName } from './names.ts'
import { piecesOf, scanPieces } from './pieces.ts'

type Entries = JournalPart['entries']

/** Of a hash, in a name: damage is found by it. Who writes in the place of the home can hash as well. */
const NAMED_BYTES = 8

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** One journal, as far as it is kept: what comes next, and what is to follow there. */
export class JournalParts {
  readonly #crypto: Pick<Crypto, 'hash'>
  readonly #place: string
  readonly #id: string
  readonly #journal: number
  #count = 0
  #head: Uint8Array

  /** None of it is kept yet. `journal`: it has begun anew so often. */
  constructor(crypto: Pick<Crypto, 'hash'>, { place, id }: { place: string; id: string }, journal: number) {
    this.#crypto = crypto
    this.#place = place
    this.#id = id
    this.#journal = journal
    this.#head = crypto.hash(new TextEncoder().encode(journalName(id, journal)))
  }

  /** The number of the next part. */
  get count(): number {
    return this.#count
  }

  /** What keeps these entries behind all before. */
  next(entries: Entries): Write[] {
    const bytes = JournalPart.encode({ v: 1, entries })
    this.#head = this.#headWith(bytes)
    return piecesOf(this.#place, partName(this.#id, this.#journal, this.#count++, this.#named), bytes)
  }

  /** What the part of this name holds. Throws Damaged if it is not the next that was kept. */
  read(name: string, bytes: Uint8Array): Entries {
    const [number, named] = name.split('-')
    const found = Number(number)
    this.#head = this.#headWith(bytes)
    // Those of versions that named no hash also left out numbers.
    if (named !== undefined && named !== this.#named) {
      const isNext = found === this.#count
      throw new Damaged(this.#id, `part ${this.#count} of its journal ${isNext ? 'was changed' : 'is missing'}`)
    }
    this.#count = found + 1
    return wholeOf(this.#id, `part ${found} of its journal`, () => JournalPart.decode(bytes)).entries
  }

  get #named(): string {
    return hexOf(this.#head.subarray(0, NAMED_BYTES))
  }

  #headWith(bytes: Uint8Array): Uint8Array {
    return this.#crypto.hash(joinBytes([this.#head, bytes]))
  }
}

export interface KeptJournal {
  entries: Entries
  parts: JournalParts
}

/** What is kept of the journal that has begun anew so often. Throws Damaged. */
export const readJournal = async (
  crypto: Pick<Crypto, 'hash'>,
  engine: StateEngine,
  kept: { place: string; id: string },
  journal: number,
  revision: number,
): Promise<KeptJournal> => {
  const prefix = `${journalName(kept.id, journal)}/`
  const found = new Map<string, Uint8Array[]>()
  for await (const { key, value } of scanPieces(engine, kept.place, prefix, revision)) {
    const name = key.slice(prefix.length, key.lastIndexOf('/'))
    const pieces = found.get(name)
    if (pieces) pieces.push(value)
    else found.set(name, [value])
  }
  const parts = new JournalParts(crypto, kept, journal)
  const entries = [...found].flatMap(([name, pieces]) => parts.read(name, joinBytes(pieces)))
  return { entries, parts }
}
