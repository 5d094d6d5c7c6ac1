/** Keys that can be asked for by range, of which most never are: sorted when it is worth it. */

/** So many are looked through one by one rather than sorted in. */
const UNSORTED_MAX = 256

/** Index of the first key that is not below `key`; with `after` the first above it. */
const placeOf = (sorted: readonly string[], key: string, after: boolean): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = sorted[middle] as string
    if (at < key || (after && at === key)) low = middle + 1
    else high = middle
  }
  return low
}

/** Of two sorted lists one, in which nothing stands twice. */
const merged = (a: readonly string[], b: readonly string[]): string[] => {
  const all: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [left, right] = [a[i], b[j]]
    const key = right === undefined || (left !== undefined && left <= right) ? a[i++] : b[j++]
    if (key !== all.at(-1)) all.push(key as string)
  }
  return all
}

export class SortedKeys {
  readonly #isAlive: (key: string) => boolean
  #sorted: string[] = []
  #unsorted: string[] = []

  /** Keys that are not `isAlive` any more are forgotten some time; until then they may be among the answers. */
  constructor(isAlive: (key: string) => boolean) {
    this.#isAlive = isAlive
  }

  add(key: string): void {
    this.#unsorted.push(key)
    // Without a question nobody would forget the dead.
    if (this.#unsorted.length > 2 * this.#sorted.length + 65_536) this.#sort()
  }

  /** Those in (after, through] that start with `prefix`, in no order, some of them twice. */
  *within(prefix: string, after: string, through: string | undefined): Iterable<string> {
    if (this.#unsorted.length > UNSORTED_MAX) this.#sort()
    const isIn = (key: string) => key > after && key.startsWith(prefix) && (through === undefined || key <= through)
    const sorted = this.#sorted
    for (let at = placeOf(sorted, after < prefix ? prefix : after, after >= prefix); at < sorted.length; at++) {
      const key = sorted[at] as string
      if (!isIn(key)) break
      yield key
    }
    for (const key of this.#unsorted) if (isIn(key)) yield key
  }

  #sort(): void {
    const fresh = this.#unsorted.filter(this.#isAlive).sort()
    this.#sorted = merged(this.#sorted.filter(this.#isAlive), fresh)
    this.#unsorted = []
  }
}
