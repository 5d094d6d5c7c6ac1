/**
 * The trace of a WebAssembly function. Nothing interrupts a module but the end of its gas, and then it does not go on; so the
 * memory of a tick is that of another run, which has fuel for no more.
 */
import { FUEL_TICK } from '../../protocol/limits.ts'
import type { Run, RunEvents } from '../job.ts'
import { bareMemoryState } from '../memory-state.ts'
import type { Program } from './program.ts'
import { ProgramRun } from './run.ts'

/** Each is part of the run once more, a half on average: together they take 8 times as long as it does. */
export const REPEATS_MAX = 16

/** Ticks that a trace of a run of `ticks` has hashes of, if it can pay for them. */
const ticksOf = (ticks: number, distanceTicks: number): number[] => {
  let stride = distanceTicks
  while (Math.ceil(ticks / stride) > REPEATS_MAX) stride *= 2
  return Array.from({ length: Math.ceil(ticks / stride) }, (_, i) => i * stride)
}

/** With a tracer, which then has the run's trace; else as it is. */
export const runProgram = (program: Program, run: Run, { tracer, progress }: RunEvents): ProgramRun => {
  const whole = new ProgramRun(program, run, progress)
  if (!tracer || whole.result.kind !== 'outcome') return whole
  for (const tick of ticksOf(Math.ceil(whole.fuel / FUEL_TICK), tracer.distanceTicks)) {
    let part: ProgramRun | undefined
    tracer.at(tick, whole.memory.length, () => {
      const limits = { ...run.limits, fuel: tick * FUEL_TICK }
      part = new ProgramRun(program, { ...run, limits }, () => progress?.(whole.fuel))
      return bareMemoryState(part.memory)
    })
    if (part?.result.kind === 'inconclusive') return part
  }
  return whole
}
