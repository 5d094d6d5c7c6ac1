/** How long runs of a function take, as learnt from the last ones. */

/** Weight of the newest. */
const NEWEST = 0.3
const FUNCTIONS_MAX = 1024
/** For a function whose runs have not been seen yet. */
const UNKNOWN_MS = 60_000
/** To go through an entry of a journal again, as `bench/replay.ts` measures it. */
const ENTRY_MS = 0.05

export class Durations {
  readonly #ms = new Map<string, number>()

  /** Of a step of a function, ms; of its first, in which it goes through so many entries of its journal. */
  predict(functionId: string, entries = 0): number {
    return (this.#ms.get(functionId) ?? UNKNOWN_MS) + entries * ENTRY_MS
  }

  learn(functionId: string, ms: number): void {
    const known = this.#ms.get(functionId)
    this.#ms.set(functionId, known === undefined ? ms : known + NEWEST * (ms - known))
    if (this.#ms.size > FUNCTIONS_MAX) this.#ms.delete(this.#ms.keys().next().value as string)
  }
}
