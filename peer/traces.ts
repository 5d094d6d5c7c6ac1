/** Traces of the memory of runs: where two of one task part, and what one costs. Pure. */
import { FUEL_TICK } from '../protocol/limits.ts'
import type { Trace } from '../protocol/records.ts'

/** Where two traces of one task part, of the ticks that both have a hash of. */
export interface Parting {
  /** The last before any difference; undefined: they differ from the first, or there are none. */
  sameTick: number | undefined
  /** The first with another hash; undefined: there is none. */
  differsTick: number | undefined
}

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i])

export const partingOf = (a: Trace, b: Trace): Parting => {
  const others = new Map(b.map(({ tick, hash }) => [tick, hash]))
  let sameTick: number | undefined
  for (const { tick, hash } of a) {
    const other = others.get(tick)
    if (other && !sameHash(hash, other)) return { sameTick, differsTick: tick }
    if (other) sameTick = tick
  }
  return { sameTick, differsTick: undefined }
}

export const isSameTrace = (a: Trace, b: Trace): boolean =>
  a.length === b.length && a.every(({ tick, hash }, i) => b[i]?.tick === tick && sameHash(hash, b[i].hash))

/** Are its ticks as far apart as an invocation asks? What it says of the memory only a run can tell. */
export const isSpaced = (trace: Trace, traceTicks: number): boolean =>
  trace.every(({ tick }, i) => i === 0 || tick - (trace[i - 1]?.tick as number) >= traceTicks)

/** A traced run takes as long as so many times the ticks that it begins, at most (decision 34). */
export const TRACED_TIMES = 10

/** What an invoker's quota is charged for a run of `fuel`. */
export const quotaFuel = (fuel: number, isTraced: boolean): number =>
  isTraced ? TRACED_TIMES * FUEL_TICK * (1 + Math.floor(fuel / FUEL_TICK)) : fuel
