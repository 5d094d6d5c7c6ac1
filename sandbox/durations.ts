/** How long runs of a function take, as learnt from the last ones. */

/** Weight of the newest. */
const NEWEST = 0.3
const FUNCTIONS_MAX = 1024

export class Durations {
  readonly #ms = new Map<string, number>()

  /** Undefined: none has been seen. */
  of(functionId: string): number | undefined {
    return this.#ms.get(functionId)
  }

  learn(functionId: string, ms: number): void {
    const known = this.#ms.get(functionId)
    this.#ms.set(functionId, known === undefined ? ms : known + NEWEST * (ms - known))
    if (this.#ms.size > FUNCTIONS_MAX) this.#ms.delete(this.#ms.keys().next().value as string)
  }
}
