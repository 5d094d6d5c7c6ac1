/** One life of a machine: it is cut off at one of the awaits of its ports. */

export class Life {
  readonly #cut = Promise.withResolvers<void>()
  readonly #end: () => void
  #left = Number.POSITIVE_INFINITY
  isCut = false

  /** `end`: as SIGKILL. */
  constructor(end: () => void) {
    this.#end = end
  }

  /** At the `n`th await from now. */
  cutAt(n: number): void {
    this.#left = n
  }

  /** Resolves when it is cut off. */
  get cut(): Promise<void> {
    return this.#cut.promise
  }

  /** It sends something, or something is sent to it. */
  step(): void {
    if (this.isCut) return
    this.#left -= 1
    if (this.#left > 0) return
    this.isCut = true
    this.#end()
    this.#cut.resolve()
  }

  /** It awaits something: what comes after its end does not come about. */
  async stepped(): Promise<void> {
    this.step()
    if (this.isCut) await new Promise<never>(() => {})
  }
}
