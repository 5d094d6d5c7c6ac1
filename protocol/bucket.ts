/** What may be done in a burst and then at a rate: a token bucket. Pure: whoever asks brings the time. */

export interface Pace {
  /** At once, after a time without any. */
  readonly burst: number
  readonly perSecond: number
}

export class Bucket {
  readonly #pace: Pace
  #tokens: number
  #atMs: number

  /** Full. `nowMs` is monotonic, here and below. */
  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace
    this.#tokens = pace.burst
    this.#atMs = nowMs
  }

  /** Takes `tokens` and returns in how many ms they will have come; 0: they were there. */
  take(nowMs: number, tokens = 1): number {
    this.#fill(nowMs)
    this.#tokens -= tokens
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / this.#pace.perSecond
  }

  /** Takes one if it is there. */
  takeIfThere(nowMs: number): boolean {
    this.#fill(nowMs)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  #fill(nowMs: number): void {
    const { burst, perSecond } = this.#pace
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) * perSecond) / 1000)
    this.#atMs = nowMs
  }
}

/** A bucket for each of many, those asked for last: whoever was forgotten begins with a full one. */
export class Buckets {
  readonly #pace: Pace
  readonly #max: number
  readonly #byName = new Map<string, Bucket>()

  constructor(pace: Pace, max: number) {
    this.#pace = pace
    this.#max = max
  }

  get size(): number {
    return this.#byName.size
  }

  of(name: string, nowMs: number): Bucket {
    const bucket = this.#byName.get(name) ?? new Bucket(this.#pace, nowMs)
    this.#byName.delete(name)
    this.#byName.set(name, bucket)
    if (this.#byName.size > this.#max) this.#byName.delete(this.#byName.keys().next().value as string)
    return bucket
  }
}
