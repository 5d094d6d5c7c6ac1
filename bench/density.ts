/**
 * Memory of a live sandbox: instances of one process that are in the middle of a call of the 1 kB function, by what the
 * process has for itself alone. Beside it a context of quickjs-emscripten with a memory of its own, which isolates as much.
 */
import { interleave, median, rounded, row } from './measure.ts'
import { ask, start, stop } from './processes.ts'

const ROUNDS = 5
const SANDBOXES = 100

const measured = async (file: string): Promise<number> => {
  const { child } = await start(file, [], ['--expose-gc'])
  const kib = await ask<number>(child, String(SANDBOXES))
  await stop(child)
  return kib
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const results = await interleave(
    [
      { name: 'a live sandbox', run: () => measured('./density-process.ts') },
      { name: 'a quickjs-emscripten module', run: () => measured('./density-quickjs-process.ts') },
    ],
    ROUNDS,
    0,
  )
  for (const [name, figures] of results) print(row(name, 'KiB', figures))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  return { kib_per_live_sandbox: of('a live sandbox'), kib_per_quickjs_module: of('a quickjs-emscripten module') }
}
