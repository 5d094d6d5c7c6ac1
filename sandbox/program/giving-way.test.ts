/** Gas in slices: a run that pauses between them has the outcome that it has without. */
import { expect, test } from 'vitest'
import { encodeValue } from '../../protocol/values.ts'
import { parsed } from '../../scripts/wasm/parsed.ts'
import { limits, outcomeOf, runOf, seed, sha256, wasm } from '../fixture.ts'
import { encodeFrame, type Report } from '../frames.ts'
import { decodeReports } from '../reports.ts'
import { createSandbox } from '../sandbox.ts'
import { HOSTILE_MODULES } from '../testing/hostile-modules.ts'
import { GAS_PER_FUEL } from '../wasm/constants.ts'
import { serveSandbox } from '../worker.ts'
import { FORM, metered } from './testing/programs.ts'

const SLICE_GAS = 1000

const ENDLESS = '(memory 1 1) (func (export "_start") (loop $again (br $again)))'
/** What an import costs is most of it. */
const YIELDING = `(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32))) (memory 1 1)
  (func (export "_start") (loop $again (drop (call $yield)) (br $again)))`

const command = (text: string): Promise<Uint8Array> => metered(parsed(`(module ${text})`))

test.each(HOSTILE_MODULES.filter(({ endsByItself }) => endsByItself))('$name: the same to the byte', (program) => {
  const { code, form, limits } = program
  const [whole, sliced] = [undefined, SLICE_GAS].map((sliceGas) => {
    const sandbox = createSandbox({ wasm, sliceGas })
    sandbox.load('f', code, limits.memory_bytes, form)
    return sandbox.run('f', runOf({ list: [1] }, { limits })).result
  })
  expect(sliced).toEqual(whole)
})

test.each([
  ['an endless loop', ENDLESS, 1000],
  ['a loop of calls to the host, which take off the slice', YIELDING, 60_000],
])('%s pauses after each slice, and says how much it has used', async (_name, text, gasMax) => {
  const fuel = 1000
  const sandbox = createSandbox({ wasm, sliceGas: SLICE_GAS })
  const told: number[] = []
  sandbox.load('f', await command(text), limits.memory_bytes, FORM)
  const run = runOf(null, { limits: { ...limits, fuel: fuel + 5000 } })
  const outcome = outcomeOf(sandbox.run('f', run, { progress: (used) => told.push(used) }).result)
  expect(outcome.result).toMatchObject({ code: 'E_FUEL_LIMIT' })
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  const steps = told.slice(1).map((used, i) => used - (told[i] as number))
  expect(steps.length).toBeGreaterThan(10)
  expect(Math.max(...steps) * GAS_PER_FUEL).toBeLessThan(gasMax + 2 * SLICE_GAS)
})

test('a worker that is to rest does so in the middle of a module, and tells of its fuel', async () => {
  const sent: Report[] = []
  let [nowMs, restedMs, rests] = [0, 0, 0]
  const served = serveSandbox({
    wasm,
    send: (frame) => sent.push(...decodeReports(frame)),
    hash: sha256,
    now: () => nowMs,
    pace: {
      due: () => {
        nowMs++
        return nowMs - restedMs >= 10
      },
      rest: () => {
        nowMs += 90
        restedMs = nowMs
        rests++
      },
    },
  })
  const { memory_bytes, output_bytes } = limits
  const record = [1, encodeValue(null), seed, []] as const
  served.frame(
    encodeFrame([
      ['code', 'f', 'webassembly', [], await command(ENDLESS), [], []],
      ['runs', 'f', 'default', [], 1_000_000, memory_bytes, output_bytes, [[...record]], 'someone'],
    ]),
  )
  expect(rests).toBeGreaterThan(5)
  const fuel = sent.flatMap((report) => (report[0] === 'fuel' ? [report[2]] : []))
  expect(fuel.length).toBeGreaterThan(2)
  expect(fuel).toEqual(fuel.toSorted((a, b) => a - b))
  const [, , , micros] = sent.at(-1) as Extract<Report, { 0: 'done' }>
  expect(micros).toBeGreaterThan(90_000 * rests)
})
