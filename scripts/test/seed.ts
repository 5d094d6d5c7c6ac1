import { relative } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFailed } from 'vitest'
import type { Random } from '../../protocol/ports.ts'
import { deriveSeed, seededRandom } from '../../simulations/random.ts'

const SEED_LIMIT = 2 ** 32

/** The seed that `text`, the value of WAYSIDE_SEED, names; a fresh one without it. Throws for anything else. */
export const readSeed = (text: string | undefined): number => {
  if (!text) return Math.floor(Math.random() * SEED_LIMIT)
  const value = Number(text)
  if (/^\d+$/.test(text) && value < SEED_LIMIT) return value
  throw new Error(`WAYSIDE_SEED=${text} is no seed: give an integer from 0 to ${SEED_LIMIT - 1}`)
}

const runSeed = readSeed(process.env.WAYSIDE_SEED)

/** The seed of this run, 32 bits: from WAYSIDE_SEED, else fresh. */
export const seed = (): number => runSeed

/** The command that repeats the running test file with the same numbers. */
const replayLine = () =>
  `WAYSIDE_SEED=${runSeed} npm test -- ${relative(process.cwd(), expect.getState().testPath ?? '')}`

/**
 * A 32-bit seed for the running test, by a name unique in its file. If the test fails, the line that replays it is
 * printed. Call it inside a test.
 */
export const seedFor = (name: string): number => {
  const line = replayLine()
  onTestFailed(() => console.error(`replay with: ${line}`))
  return deriveSeed(runSeed, name)
}

/** A random port for the running test, from `seedFor(name)`. */
export const randomFor = (name: string): Random => seededRandom(seedFor(name))

type Property<T> = fc.IProperty<T> | fc.IAsyncProperty<T>

/**
 * Runs a fast-check property `runs` times from the seed of `name`. Throws an Error with the shrunk counterexample and
 * the line that replays it. Await it: a property may be asynchronous.
 */
export const checkProperty = async <T>(name: string, property: Property<T>, { runs = 100 } = {}): Promise<void> => {
  const line = replayLine()
  const details = await fc.check(property as fc.IAsyncProperty<T>, { seed: deriveSeed(runSeed, name), numRuns: runs })
  if (!details.failed) return
  const cause = details.errorInstance ?? undefined
  throw new Error(`${fc.defaultReportMessage(details)}\nreplay with: ${line}`, { cause })
}
