/** AbortController and AbortSignal, after the DOM standard ("Aborting ongoing activities"). */
import { Event, EventTarget, eventHandler } from './event-target.ts'
import { DOMException } from './exception.ts'
import { use } from './prelude-exports.ts'

const INSIDE = {}

let abort: (signal: AbortSignal, reason: unknown) => void

export class AbortSignal extends EventTarget {
  declare onabort: ((event: Event) => unknown) | null
  #aborted = false
  #reason: unknown
  #dependents: AbortSignal[] = []
  /** Of a signal made by `any`: the signals that it follows, none of which follows another. */
  #sources: AbortSignal[] | undefined

  static {
    abort = (signal, reason) => {
      if (signal.#aborted) return
      const all = [signal, ...signal.#dependents.filter((one) => !one.#aborted)]
      const given = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
      for (const one of all) {
        one.#aborted = true
        one.#reason = given
      }
      for (const one of all) one.dispatchEvent(new Event('abort'))
    }
  }

  constructor(inside?: unknown) {
    if (inside !== INSIDE) throw new TypeError('Illegal constructor')
    super()
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(INSIDE)
    abort(signal, reason)
    return signal
  }

  static timeout(ms: number): AbortSignal {
    const delay = Math.trunc(Number(ms))
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER))
      throw new TypeError('AbortSignal.timeout: the delay must be an integer from 0 to 2 ** 53 - 1')
    const signal = new AbortSignal(INSIDE)
    const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
    use('tasks').after(delay, () => abort(signal, reason()))
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const given = [...signals]
    for (const one of given) if (!(#aborted in one)) throw new TypeError('AbortSignal.any: one is no AbortSignal')
    const signal = new AbortSignal(INSIDE)
    const aborted = given.find((one) => one.#aborted)
    if (aborted) {
      signal.#aborted = true
      signal.#reason = aborted.#reason
      return signal
    }
    signal.#sources = [...new Set(given.flatMap((one) => one.#sources ?? [one]))]
    for (const source of signal.#sources) source.#dependents.push(signal)
    return signal
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }
}

eventHandler(AbortSignal.prototype, 'abort')

/** A signal that nobody has a controller of. */
export const newSignal = (): AbortSignal => new AbortSignal(INSIDE)

export class AbortController {
  #signal = newSignal()

  get signal(): AbortSignal {
    return this.#signal
  }

  abort(reason?: unknown): void {
    abort(this.#signal, reason)
  }
}
