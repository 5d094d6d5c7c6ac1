/**
 * The queue of a large world's events: a timing wheel of two levels on typed arrays (Varghese and Lauck, 1987). Time is whole
 * ticks. Events of one tick happen in the order in which they were set, so a run is one sequence.
 */

export const TICKS_PER_MS = 8
export const ticksOf = (ms: number): number => Math.round(ms * TICKS_PER_MS)
export const msOf = (ticks: number): number => ticks / TICKS_PER_MS

/** Ticks of the near level: 2 s. */
const NEAR_BITS = 14
const NEAR = 1 << NEAR_BITS
/** Turns of it on the far level: 2.3 h; what is due later goes round once more. */
const FAR = 1 << 12
const NONE = -1

/** What an event is about: a kind below 16, and an index below 2^28. */
const INDEX_BITS = 28
const INDEX_MASK = (1 << INDEX_BITS) - 1

export type Handler = (index: number) => void

class Slots {
  readonly first: Int32Array
  readonly last: Int32Array

  constructor(count: number) {
    this.first = new Int32Array(count).fill(NONE)
    this.last = new Int32Array(count).fill(NONE)
  }
}

export class Wheel {
  now = 0
  /** Events that have happened. */
  happened = 0
  pending = 0
  /** FNV-1a over all that has happened, in order: what two runs are compared by. */
  hash = 0x811c9dc5
  readonly #near = new Slots(NEAR)
  readonly #far = new Slots(FAR)
  #next: Int32Array
  #due: Uint32Array
  #what: Uint32Array
  #free = NONE
  /** Events pending on the near level. */
  #soon = 0

  /** Room for so many events pending at first; it grows. */
  constructor(capacity: number) {
    this.#next = new Int32Array(capacity)
    this.#due = new Uint32Array(capacity)
    this.#what = new Uint32Array(capacity)
    this.#release(0, capacity)
  }

  get bytes(): number {
    const { byteLength } = this.#next
    return 3 * byteLength + 8 * (NEAR + FAR)
  }

  /** In `delay` ticks, at least one. */
  after(delay: number, kind: number, index: number): void {
    this.at(this.now + Math.max(1, delay), kind, index)
  }

  at(due: number, kind: number, index: number): void {
    if (this.#free === NONE) this.#grow()
    const event = this.#free
    this.#free = this.#next[event] as number
    this.#due[event] = due
    this.#what[event] = (kind << INDEX_BITS) | index
    this.pending++
    this.#place(event, due)
  }

  /** Lets everything happen that is due before `until`. */
  run(until: number, handlers: readonly Handler[]): void {
    const { first, last } = this.#near
    while (this.now < until) {
      const slot = this.now & (NEAR - 1)
      if (slot === 0) this.#turn()
      if (this.#soon === 0) {
        this.now = Math.min(until, this.now - slot + NEAR)
        continue
      }
      // What is set for this tick meanwhile would be too late: `after` does not.
      let event = first[slot] as number
      first[slot] = NONE
      last[slot] = NONE
      while (event !== NONE) {
        const next = this.#next[event] as number
        const what = this.#what[event] as number
        this.#next[event] = this.#free
        this.#free = event
        this.pending--
        this.#soon--
        this.happened++
        this.hash = Math.imul(Math.imul(this.hash ^ what, 0x01000193) ^ this.now, 0x01000193)
        ;(handlers[what >>> INDEX_BITS] as Handler)(what & INDEX_MASK)
        event = next
      }
      this.now++
    }
  }

  #place(event: number, due: number): void {
    const turn = due >>> NEAR_BITS
    if (turn === this.now >>> NEAR_BITS) {
      this.#soon++
      this.#append(this.#near, due & (NEAR - 1), event)
    } else this.#append(this.#far, turn & (FAR - 1), event)
  }

  #append({ first, last }: Slots, slot: number, event: number): void {
    this.#next[event] = NONE
    const before = last[slot] as number
    if (before === NONE) first[slot] = event
    else this.#next[before] = event
    last[slot] = event
  }

  /** A new turn of the near level: those that are due in it come from the far one, in their order. */
  #turn(): void {
    const { first, last } = this.#far
    const slot = (this.now >>> NEAR_BITS) & (FAR - 1)
    let event = first[slot] as number
    first[slot] = NONE
    last[slot] = NONE
    while (event !== NONE) {
      const next = this.#next[event] as number
      this.#place(event, this.#due[event] as number)
      event = next
    }
  }

  #grow(): void {
    const before = this.#next.length
    const more = before + Math.max(1024, before >>> 1)
    const grown = <T extends Int32Array | Uint32Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.#next = grown(this.#next, new Int32Array(more))
    this.#due = grown(this.#due, new Uint32Array(more))
    this.#what = grown(this.#what, new Uint32Array(more))
    this.#release(before, more)
  }

  #release(from: number, to: number): void {
    for (let event = to - 1; event >= from; event--) {
      this.#next[event] = this.#free
      this.#free = event
    }
  }
}
