/**
 * One peer per origin: of all tabs that would lend, the one that holds a lock does. A tab that closes or crashes loses it
 * with its process, a frozen one gives it back, and the tab that has waited longest is next. Nobody takes it by force.
 */

/** https://www.w3.org/TR/web-locks/ */
export type Locks = Pick<LockManager, 'request'>

const LOCK = 'wayside/peer'

export class Lead {
  readonly #locks: Locks
  readonly #changed: (leads: boolean) => void
  #giveUp: (() => void) | undefined
  leads = false

  constructor(locks: Locks, changed: (leads: boolean) => void) {
    this.#locks = locks
    this.#changed = changed
  }

  /** It leads, or waits for its turn. */
  get seeks(): boolean {
    return this.#giveUp !== undefined
  }

  /** Waits for its turn, and leads until `release`; resolves then. Throws what a browser says that gives this page no locks. */
  async seek(): Promise<void> {
    if (this.#giveUp) return
    const waiting = new AbortController()
    const over = Promise.withResolvers<void>()
    this.#giveUp = () => {
      waiting.abort()
      over.resolve()
    }
    const held = () => {
      // It may be granted in the moment in which it is given up.
      if (waiting.signal.aborted) return undefined
      this.#set(true)
      return over.promise
    }
    try {
      await this.#locks.request(LOCK, { signal: waiting.signal }, held)
    } catch (cause) {
      if (!waiting.signal.aborted) throw cause
    }
  }

  /** The next tab may lead at once. */
  release(): void {
    this.#giveUp?.()
    this.#giveUp = undefined
    this.#set(false)
  }

  #set(leads: boolean): void {
    if (this.leads === leads) return
    this.leads = leads
    this.#changed(leads)
  }
}
