/** How long the agents of an act would have taken at best: what its completion is measured by. */

/** Of an agent's sandboxes. */
export interface Ran {
  fuel: number
  /** How long one of them had something to do, ms. */
  busyMs: number
}

export interface Able {
  fuelPerMs: number
  /** When it was killed, ms after the first call; Infinity: never. */
  untilMs: number
}

/** Ms in which `agents` have done `fuel`, none idle for a moment and nothing done in vain: no schedule takes less. Infinity: too few are left. */
export const bestMs = (fuel: number, agents: readonly Able[]): number => {
  const ending = agents.toSorted((a, b) => a.untilMs - b.untilMs)
  let [left, fromMs] = [fuel, 0]
  let fuelPerMs = ending.reduce((sum, one) => sum + one.fuelPerMs, 0)
  for (const one of ending) {
    if (left <= fuelPerMs * (one.untilMs - fromMs)) return fromMs + left / fuelPerMs
    left -= fuelPerMs * (one.untilMs - fromMs)
    fuelPerMs -= one.fuelPerMs
    fromMs = one.untilMs
  }
  return Number.POSITIVE_INFINITY
}

/** What an act asked of the agents, what they ran for it, and how long it took. */
export class Effort {
  readonly #now: () => number
  readonly #ran = new Map<number, Ran>()
  readonly #killedMs = new Map<number, number>()
  #beganMs = 0
  #fuel = 0
  /** From the first call to the last answer, ms. */
  tookMs = 0

  /** `now`: ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The first call is made. */
  begin(): void {
    this.#beganMs = this.#now()
  }

  /** An answer came, for which its level asks for so many runs by agents. */
  answered(fuel: number, runs: number): void {
    this.#fuel += runs * fuel
    this.tookMs = this.#now() - this.#beganMs
  }

  ran(agent: number, { fuel, busyMs }: Ran): void {
    const before = this.#ran.get(agent) ?? { fuel: 0, busyMs: 0 }
    this.#ran.set(agent, { fuel: before.fuel + fuel, busyMs: before.busyMs + busyMs })
  }

  killed(agent: number): void {
    this.#killedMs.set(agent, this.#now() - this.#beganMs)
  }

  /** At the speeds that they had in this act. One that has run nothing is left out: nobody knows how fast it is. */
  get bestMs(): number {
    const agents = Array.from(this.#ran, ([agent, { fuel, busyMs }]) => ({
      fuelPerMs: fuel / busyMs,
      untilMs: this.#killedMs.get(agent) ?? Number.POSITIVE_INFINITY,
    }))
    return bestMs(this.#fuel, agents)
  }
}
