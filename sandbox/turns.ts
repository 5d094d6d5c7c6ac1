/** Runs that wait: parties in turn, the runs of each in the order in which they came. */
import type { PooledRun } from './pool-run.ts'

export class Turns {
  /** The party whose turn it is first; none is without runs. */
  readonly #byParty = new Map<string, Set<PooledRun>>()
  size = 0

  add(run: PooledRun): void {
    const { party } = run.job
    const runs = this.#byParty.get(party) ?? new Set()
    if (runs.size === 0) this.#byParty.set(party, runs)
    runs.add(run)
    this.size++
  }

  /** The run whose turn it is. */
  next(): PooledRun | undefined {
    for (const runs of this.#byParty.values()) for (const run of runs) return run
    return undefined
  }

  /** It waits no more. That is no turn: a party that gives up runs keeps its place with the others. */
  delete(run: PooledRun): boolean {
    const { party } = run.job
    const runs = this.#byParty.get(party)
    if (!runs?.delete(run)) return false
    this.size--
    if (runs.size === 0) this.#byParty.delete(party)
    return true
  }

  /** `party` has had its turn: from now on it is last. */
  served(party: string): void {
    const runs = this.#byParty.get(party)
    if (!runs || this.#byParty.size === 1) return
    this.#byParty.delete(party)
    this.#byParty.set(party, runs)
  }

  all(): PooledRun[] {
    return [...this.#byParty.values()].flatMap((runs) => [...runs])
  }

  clear(): void {
    this.#byParty.clear()
    this.size = 0
  }
}
