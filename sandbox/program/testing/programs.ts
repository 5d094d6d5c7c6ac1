/** For the tests of this folder: real compilers' modules, metered, and runs of them. */
import { MIB } from '../../../protocol/limits.ts'
import { meterModule } from '../../../sdk/bundle/wasm/meter.ts'
import { outcomeOf, runOf, valueIn, wasm } from '../../fixture.ts'
import type { Run } from '../../job.ts'
import { createSandbox } from '../../sandbox.ts'
import { IMPORTS } from '../../wasm/imports.ts'

export const FORM = { tier: 'webassembly', modules: [] } as const

/** What a bundle of `module` has for code. */
export const metered = async (module: Uint8Array, memoryBytesMax = 16 * MIB): Promise<Uint8Array> =>
  (await meterModule(module, { memoryBytesMax, imports: IMPORTS })).code

/** The outcome of one run, and of one after it: both must be the same. */
export const performed = (code: Uint8Array, input: unknown = null, changes: Partial<Run> = {}) => {
  const sandbox = createSandbox({ wasm })
  const run = runOf(input, changes)
  sandbox.load('f', code, run.limits.memory_bytes, FORM)
  const outcomes = [sandbox.run('f', run), sandbox.run('f', run)].map(({ result }) => outcomeOf(result))
  if (JSON.stringify(outcomes[0]) !== JSON.stringify(outcomes[1])) throw new Error('two runs, two outcomes')
  return outcomes[0] as (typeof outcomes)[0]
}

export const textOf = (outcome: Parameters<typeof valueIn>[0]): string =>
  new TextDecoder().decode(valueIn(outcome) as Uint8Array)
