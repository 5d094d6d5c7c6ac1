/** Runs that wait: parties in turn, so many runs of each as it weighs, in the order in which they came. */
import type { PooledRun } from './pool-run.ts'

export class Turns {
  /** The party whose turn it is first; none is without runs. */
  readonly #byParty = new Map<string, Set<PooledRun>>()
  /** Whose turn it is, and how many runs it has had in it. */
  #turn: string | undefined
  #had = 0
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

  /** The run has begun. When its party has had as many in its turn as it weighs, it is last. */
  served({ job: { party, weight = 1 } }: PooledRun): void {
    this.#had = party === this.#turn ? this.#had + 1 : 1
    this.#turn = party
    const runs = this.#byParty.get(party)
    if (!runs || this.#byParty.size === 1 || this.#had < weight) return
    this.#byParty.delete(party)
    this.#byParty.set(party, runs)
    this.#turn = undefined
  }

  all(): PooledRun[] {
    return [...this.#byParty.values()].flatMap((runs) => [...runs])
  }

  clear(): void {
    this.#byParty.clear()
    this.size = 0
  }
}
