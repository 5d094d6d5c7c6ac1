/** Of a generation's bits, for each id: one in 16 of those that it does not know is looked for all the same. */
const BITS_EACH = 16

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv, its upper bits folded into its lower. */
const hashOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Nearly every id that is asked for is new, which a bit says without a look at memory that is far away. */
class Generation {
  readonly revisions = new Map<string, number>()
  readonly #bits: Uint8Array

  constructor(ids: number) {
    this.#bits = new Uint8Array(Math.ceil((ids * BITS_EACH) / 8))
  }

  get(id: string, hash: number): number | undefined {
    const [byte, bit] = this.#placeOf(hash)
    return (this.#bits[byte] as number) & bit ? this.revisions.get(id) : undefined
  }

  set(id: string, hash: number, revision: number): void {
    const [byte, bit] = this.#placeOf(hash)
    this.#bits[byte] = (this.#bits[byte] as number) | bit
    this.revisions.set(id, revision)
  }

  #placeOf(hash: number): [byte: number, bit: number] {
    const place = hash % (this.#bits.length * 8)
    return [place >>> 3, 1 << (place & 7)]
  }
}

/** The revisions that ids were committed with: of the last commits, `most` at least and twice as many at most. */
export class Ids {
  readonly #most: number
  #young: Generation
  /** What was young before: it goes when there are enough younger ones. None is looked for to be removed. */
  #old: Generation | undefined

  constructor(most: number) {
    this.#most = most
    this.#young = new Generation(most)
  }

  get(id: string): number | undefined {
    const hash = hashOf(id)
    return this.#young.get(id, hash) ?? this.#old?.get(id, hash)
  }

  set(id: string, revision: number): void {
    this.#young.set(id, hashOf(id), revision)
    if (this.#young.revisions.size < this.#most) return
    this.#old = this.#young
    this.#young = new Generation(this.#most)
  }

  /** It was not committed after all. */
  delete(id: string): void {
    this.#young.revisions.delete(id)
    this.#old?.revisions.delete(id)
  }
}
