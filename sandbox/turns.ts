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

  /** Its party is last in turn from now on. */
  delete(run: PooledRun): boolean {
    const { party } = run.job
    const runs = this.#byParty.get(party)
    if (!runs?.delete(run)) return false
    this.size--
    if (runs.size > 0 && this.#byParty.size === 1) return true
    this.#byParty.delete(party)
    if (runs.size > 0) this.#byParty.set(party, runs)
    return true
  }

  all(): PooledRun[] {
    return [...this.#byParty.values()].flatMap((runs) => [...runs])
  }

  clear(): void {
    this.#byParty.clear()
    this.size = 0
  }
}
