/** The revisions that ids were committed with: of the last commits, `most` at least and twice as many at most. */
export class Ids {
  readonly #most: number
  #young = new Map<string, number>()
  /** What was young before: it goes when there are enough younger ones. None is looked for to be removed. */
  #old = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  get(id: string): number | undefined {
    return this.#young.get(id) ?? this.#old.get(id)
  }

  set(id: string, revision: number): void {
    this.#young.set(id, revision)
    if (this.#young.size < this.#most) return
    this.#old = this.#young
    this.#young = new Map()
  }

  /** It was not committed after all. */
  delete(id: string): void {
    this.#young.delete(id)
    this.#old.delete(id)
  }
}
