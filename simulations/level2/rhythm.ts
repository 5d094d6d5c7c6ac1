/**
 * When machines of one class come and go, by the hour of the day where they are: a stated model (decision 95). By day, from 8 to 20
 * o'clock, a session lasts `byDay` times as long as by night, and a gap is so many times as short; both end by chance, at a rate that
 * changes with the hour. Lengths are fitted so that over a day sessions and gaps last as long on average as the class says, and so many
 * of it are there on average.
 */
import { exp } from '../exact-math.ts'
import { type Chance, exponential } from './chance.ts'
import type { DeviceClass } from './devices.ts'

const HOUR_MINUTES = 60
const HALF_DAY_MINUTES = 12 * HOUR_MINUTES
const MINUTE_MS = 60_000
const DAY_BEGINS = 8
const DAY_ENDS = 20
/** Each step makes what is left of the error several times smaller. */
const FITTING_STEPS = 60
/** `exp` takes no more; there is nothing left then. */
const EXPONENT_MAX = 600
/** Ticks are 32 bits, 149 h: nobody looks at a world for as long as this. */
const STAYS_MS_MAX = 100 * HOUR_MINUTES * MINUTE_MS

type Stays = Pick<DeviceClass, 'onMinutes' | 'offMinutes' | 'byDay'>

/** At that hour of local time. */
export const isDay = (hour: number): boolean => hour >= DAY_BEGINS && hour < DAY_ENDS

/** Twelve hours in which the rates are the same: of many machines the share that is there goes to `share` as e^(-rate · minutes). */
class Half {
  readonly onMinutes: number
  readonly offMinutes: number
  readonly share: number
  readonly #rate: number

  constructor(onMinutes: number, offMinutes: number) {
    this.onMinutes = onMinutes
    this.offMinutes = offMinutes
    this.share = onMinutes / (onMinutes + offMinutes)
    this.#rate = 1 / onMinutes + 1 / offMinutes
  }

  /** What is left after so many minutes of being away from `share`. */
  left(minutes: number): number {
    return exp(-Math.min(EXPONENT_MAX, this.#rate * minutes))
  }

  /** The share that is there, over all of it, if it begins with `from`. */
  mean(from: number): number {
    return this.share + ((from - this.share) * (1 - this.left(HALF_DAY_MINUTES))) / (this.#rate * HALF_DAY_MINUTES)
  }
}

export class Rhythm {
  readonly #day: Half
  readonly #night: Half

  constructor({ onMinutes, offMinutes, byDay }: Stays) {
    let [on, off] = [onMinutes, offMinutes]
    const halves = () => [new Half(on * byDay, off / byDay), new Half(on, off)] as const
    for (let step = 0; step < FITTING_STEPS; step++) {
      const [day, night] = halves()
      const [there, comings] = averages(day, night)
      on *= (onMinutes * comings) / there
      off *= (offMinutes * comings) / (1 - there)
    }
    ;[this.#day, this.#night] = halves()
  }

  /** The share that is there at an hour of local time. */
  shareAt(hour: number): number {
    const [atDawn, atDusk] = turning(this.#day, this.#night)
    const now = isDay(hour) ? this.#day : this.#night
    const hours = (hour - (isDay(hour) ? DAY_BEGINS : DAY_ENDS) + 24) % 24
    return now.share + ((isDay(hour) ? atDawn : atDusk) - now.share) * now.left(hours * HOUR_MINUTES)
  }

  /** Ms until one that has come, or gone, goes or comes next. */
  staysMs(isThere: boolean, hour: number, random: Chance): number {
    // Of what it stays at the rates of one half of the day: the rest is spent at those of the other.
    let left = exponential(random, 1)
    let [ms, at] = [0, hour]
    while (ms < STAYS_MS_MAX) {
      const half = isDay(at) ? this.#day : this.#night
      const meanMs = (isThere ? half.onMinutes : half.offMinutes) * MINUTE_MS
      const untilMs = (((isDay(at) ? DAY_ENDS : DAY_BEGINS) - at + 24) % 24) * HOUR_MINUTES * MINUTE_MS
      if (left * meanMs <= untilMs) return Math.min(STAYS_MS_MAX, ms + left * meanMs)
      left -= untilMs / meanMs
      ms += untilMs
      at = isDay(at) ? DAY_ENDS : DAY_BEGINS
    }
    return STAYS_MS_MAX
  }
}

/** The shares that are there at 8 and at 20 o'clock, of days that are all alike. */
const turning = (day: Half, night: Half): readonly [number, number] => {
  const [byDay, byNight] = [day.left(HALF_DAY_MINUTES), night.left(HALF_DAY_MINUTES)]
  const atDawn = (night.share * (1 - byNight) + day.share * (1 - byDay) * byNight) / (1 - byDay * byNight)
  return [atDawn, day.share + (atDawn - day.share) * byDay]
}

/** Over a day: the share that is there, and how often one comes in a minute. */
const averages = (day: Half, night: Half): readonly [number, number] => {
  const [atDawn, atDusk] = turning(day, night)
  const [byDay, byNight] = [day.mean(atDawn), night.mean(atDusk)]
  return [(byDay + byNight) / 2, ((1 - byDay) / day.offMinutes + (1 - byNight) / night.offMinutes) / 2]
}
