/** Histories that are right by their making: transactions one after another, whose intervals overlap all the same. */
import type { Random } from '../../../protocol/ports.ts'
import type { History, Listed, Recorded, Seen, Written } from '../history.ts'

interface Shape {
  transactions: number
  keys: number
}

/** Events between two transactions; an interval reaches up to twice as far to both sides. */
const SPACING = 16

class SerialStore {
  readonly #random: Random
  readonly #keys: number
  readonly #held = new Map<string, Seen>()
  #revision = 0
  #value = 0

  constructor(random: Random, keys: number) {
    this.#random = random
    this.#keys = keys
  }

  transaction(index: number): Recorded {
    const { below } = this.#random
    const snapshot = this.#revision
    const reads = this.#someKeys(3).map((key) => this.#held.get(key) ?? { key, version: 0, value: 0 })
    const lists = below(4) === 0 ? [this.#list()] : []
    const writes = below(3) === 0 ? [] : this.#write()
    const at = (index + 1) * SPACING
    return {
      ...{ id: `T${index}`, beganAt: at - 1 - below(2 * SPACING), endedAt: at + 1 + below(2 * SPACING) },
      ...{ outcome: 'committed', snapshot, revision: writes.length > 0 ? this.#revision : undefined },
      ...{ reads, lists, writes },
    }
  }

  #someKeys(most: number): string[] {
    const { below } = this.#random
    const keys = Array.from({ length: 1 + below(most) }, () => `k${below(this.#keys)}`)
    return [...new Set(keys)]
  }

  #list(): Listed {
    const prefix = `k${this.#random.below(this.#keys)}`
    const seen = [...this.#held.values()].filter(({ key }) => key.startsWith(prefix))
    return { prefix, seen: seen.sort((a, b) => (a.key < b.key ? -1 : 1)) }
  }

  #write(): Written[] {
    this.#revision += 1
    const isTwice = this.#random.below(8) === 0
    return this.#someKeys(2).flatMap((key) => {
      const written = { key, value: this.#random.below(4) === 0 ? 0 : ++this.#value }
      if (written.value === 0) this.#held.delete(key)
      else this.#held.set(key, { ...written, version: this.#revision })
      return isTwice && written.value !== 0 ? [{ key, value: ++this.#value + 1e9 }, written] : [written]
    })
  }
}

export const serialHistory = (random: Random, { transactions, keys }: Shape): History => {
  const store = new SerialStore(random, keys)
  return Array.from({ length: transactions }, (_, index) => store.transaction(index))
}
