/** The audit of the built-ins at sizes that take minutes. Prints what it finds, and returns how much that is. */
import { readFileSync } from 'node:fs'
import { buildEngine, PASSES } from '../engine/build.ts'
import { countSteps, STEPS_ADDRESS } from '../engine/count-steps.ts'
import { ENGINE_FILE } from '../engine/source.ts'
import { Auditor, slowTicks, unpaid } from './audit.ts'

const SIZES = [2 ** 12, 2 ** 15, 2 ** 18, 2 ** 21]

/** Goes on until `endMs`, as `performance.now()` tells it; the smallest size is always tried. */
export const auditBuiltIns = (endMs: number): number => {
  const counting = new Auditor(
    new WebAssembly.Module(buildEngine([...PASSES, countSteps]) as Uint8Array<ArrayBuffer>),
    STEPS_ADDRESS,
  )
  const real = new Auditor(new WebAssembly.Module(readFileSync(ENGINE_FILE)))
  let found = 0
  for (const n of SIZES) {
    const { slow, longestMs } = slowTicks(real, n)
    const wrong = [...unpaid(counting, n), ...slow]
    for (const line of wrong) console.error(line)
    console.log(`built-ins at size ${n}: ${wrong.length} wrong, the longest tick ${longestMs.toFixed(1)} ms`)
    found += wrong.length
    if (performance.now() >= endMs) break
  }
  return found
}
