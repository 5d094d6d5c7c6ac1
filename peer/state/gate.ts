/**
 * Who may commit to a namespace: everybody at once, until somebody has conflicted too often and takes a turn. Then the
 * others' commits wait until that one has run and committed, so that nothing it has read changes meanwhile.
 */

interface Place {
  readonly alone: boolean
  enter(): void
}

export class Gate {
  readonly #waiting = new Set<Place>()
  #inside = 0
  #alone = false

  /** In order of arrival. `leave` gives the place up, also one that is still waited for. */
  come(alone: boolean): { entered: Promise<void>; leave(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const place = { alone, enter: resolve }
    this.#waiting.add(place)
    this.#letIn()
    let left = false
    const leave = () => {
      if (left) return
      left = true
      if (!this.#waiting.delete(place)) {
        this.#inside--
        if (alone) this.#alone = false
      }
      this.#letIn()
    }
    return { entered: promise, leave }
  }

  /** Nobody is inside, and nobody waits. */
  get isIdle(): boolean {
    return this.#inside === 0 && this.#waiting.size === 0
  }

  #letIn(): void {
    for (const place of this.#waiting) {
      if (this.#alone || (place.alone && this.#inside > 0)) return
      this.#waiting.delete(place)
      this.#inside++
      this.#alone = place.alone
      place.enter()
    }
  }
}

/** One gate a namespace, as long as somebody is there. */
export class Gates {
  readonly #gates = new Map<string, Gate>()

  /** At all of `namespaces`. Each comes in the same order, so that no two wait for each other. */
  async enter(namespaces: readonly string[], alone: boolean, late: Promise<never>): Promise<() => void> {
    const left: (() => void)[] = []
    const leave = () => {
      for (const one of left) one()
    }
    try {
      for (const namespace of [...new Set(namespaces)].sort()) {
        const gate = this.#gates.get(namespace) ?? new Gate()
        this.#gates.set(namespace, gate)
        const place = gate.come(alone)
        left.push(() => {
          place.leave()
          if (gate.isIdle && this.#gates.get(namespace) === gate) this.#gates.delete(namespace)
        })
        await Promise.race([place.entered, late])
      }
    } catch (cause) {
      leave()
      throw cause
    }
    return leave
  }

  /** Namespaces where somebody is or waits. */
  get size(): number {
    return this.#gates.size
  }
}
