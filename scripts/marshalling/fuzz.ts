/**
 * Values cross to a guest and objects of a guest cross back, by chance: each is on the other side what it was on this, or is
 * refused in the same words. What an object of a guest is, V8 says, which makes the same one.
 */
import { runInThisContext } from 'node:vm'
import fc from 'fast-check'
import { MeshError } from '../../protocol/errors.ts'
import type { EffectRequest } from '../../protocol/journal.ts'
import { MIB } from '../../protocol/limits.ts'
import type { Random } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, ensureValue, type Value } from '../../protocol/values.ts'
import type { SandboxResult } from '../../sandbox/job.ts'
import { createSandbox, type RunHandle, type Sandbox } from '../../sandbox/sandbox.ts'
import { seededRandom } from '../../simulations/random.ts'
import { values } from '../protocol/arbitraries.ts'
import type { Crasher, FuzzResult } from '../protocol/fuzz-target.ts'
import { guestObject } from './guest-objects.ts'

export const MARSHALLING = 'marshalling'

/** Objects that cross in one run, and as many Values the other way. */
const BATCH = 50
const VALUES = 2000
const CRASHERS_MAX = 10
const LIMITS = { fuel: 1_000_000_000, memory_bytes: 64 * MIB, output_bytes: 4 * MIB }

/** A Value in words that tell any two apart. */
const SHOW = `(x) => {
  const show = (x) =>
    typeof x === 'string' ? 's' + x.length + ':' + x
    : typeof x === 'number' ? (Object.is(x, -0) ? 'd-0' : 'd' + x)
    : typeof x !== 'object' || x === null ? typeof x + String(x)
    : x instanceof Uint8Array ? 'u' + x.length + ':' + x.join()
    : Array.isArray(x) ? '[' + x.map(show).join(',') + ']'
    : Object.getPrototypeOf(x) === Object.prototype ? '{' + Object.keys(x).map((k) => show(k) + show(x[k])).join(',') + '}'
    : 'odd'
  return show(x)
}`
const show = runInThisContext(SHOW) as (x: unknown) => string

/** Calls out with each object, and says of each what came back, or why it did not go. */
const MODULE = `const show = ${SHOW}
export default async (sources, env, ctx) => {
  const out = []
  for (let i = 0; i < sources.length; i++) {
    let object
    try { object = (0, eval)(sources[i]) } catch (error) { out.push('not made: ' + error); continue }
    try { out.push('came back: ' + show(await ctx.call('#' + i, object))) }
    catch (error) { out.push((error.code === 'E_VALUE' ? 'refused: ' : 'threw: ') + error.message) }
  }
  return out
}`

/** What must become of the object of this expression: the bytes of the arguments of the call, or words. */
const expectedOf = (source: string, i: number): Uint8Array | string => {
  let object: unknown
  try {
    object = runInThisContext(source)
  } catch (error) {
    return `not made: ${error}`
  }
  try {
    return encodeValue(ensureValue({ ref: `#${i}`, input: object === undefined ? null : object }, 'call'))
  } catch (error) {
    const { message } = error as Error
    return error instanceof MeshError ? `refused: ${message}` : `threw: ${message}`
  }
}

/** One batch: what differed, by the number of the object. */
const performBatch = (sandbox: Sandbox, sources: readonly string[], answers: readonly Value[]): Map<number, string> => {
  const wrong = new Map<number, string>()
  const waiting: EffectRequest[] = []
  const run = {
    ...{ owner: 'somebody', exportName: 'default', effects: ['call'] as const, input: encodeValue([...sources]) },
    ...{ seed: new Uint8Array(32), limits: LIMITS, journal: [] },
  }
  const handle = sandbox.run(MARSHALLING, run, { requested: (request) => void waiting.push(request) })
  const expected = sources.map(expectedOf)
  const went = new Map<number, Uint8Array>()
  for (let request = waiting.shift(); request; request = waiting.shift()) {
    const { ref } = decodeValue(request.arguments) as { ref: string }
    const i = Number(ref.slice(1))
    went.set(i, request.arguments)
    handle.answer(request.n, { ok: true, value: encodeValue(answers[i] as Value) })
  }
  const said = saidBy(handle)
  if (typeof said === 'string') return new Map([[went.size, said]])
  for (const [i, one] of expected.entries()) {
    const why = whyWrong(one, went.get(i), said[i] as string, answers[i] as Value)
    if (why) wrong.set(i, why)
  }
  return wrong
}

const saidBy = (handle: RunHandle): string[] | string => {
  const result = handle.result as SandboxResult | undefined
  if (result?.kind !== 'outcome' || !result.decoded.result.ok)
    return `the run: ${JSON.stringify(result)?.slice(0, 500)}`
  return decodeValue(result.decoded.result.value) as string[]
}

const whyWrong = (
  expected: Uint8Array | string,
  went: Uint8Array | undefined,
  said: string,
  answer: Value,
): string | undefined => {
  if (typeof expected === 'string')
    return said === expected && !went ? undefined : `is to be "${expected}", and was "${went ? 'sent' : said}"`
  if (!went) return `did not go: ${said}`
  if (Buffer.compare(expected, went) !== 0)
    return `went as ${show(decodeValue(went))}, not ${show(decodeValue(expected))}`
  const seen = `came back: ${show(decodeValue(encodeValue(answer)))}`
  return said === seen ? undefined : `an answer was seen as "${said}", and is "${seen}"`
}

/**
 * Of one seed, `count` objects and as many Values; the same ones for the same seed. Stops after a few that differ. `meddling`:
 * code that a test of this very fuzzer has run before the guest's.
 */
export const fuzzMarshalling = (wasm: WebAssembly.Module, seed: number, count: number, meddling = ''): FuzzResult => {
  const random: Random = seededRandom(seed)
  const pool = fc.sample(values, { seed, numRuns: Math.min(VALUES, count) })
  const sandbox = createSandbox({ wasm })
  sandbox.load(MARSHALLING, new TextEncoder().encode(meddling + MODULE), LIMITS.memory_bytes)
  const crashers: Crasher[] = []
  let tried = 0
  let accepted = 0
  while (tried < count && crashers.length < CRASHERS_MAX) {
    const sources = Array.from({ length: Math.min(BATCH, count - tried) }, () => guestObject(random))
    const answers = sources.map(() => pool[random.below(pool.length)] as Value)
    const wrong = performBatch(sandbox, sources, answers)
    for (const [i, why] of wrong) {
      const source = sources[i] ?? ''
      crashers.push({ target: MARSHALLING, bytes: new TextEncoder().encode(source), why: `${why}: ${source}` })
    }
    tried += sources.length
    accepted += sources.filter((source, i) => !wrong.has(i) && typeof expectedOf(source, i) !== 'string').length
  }
  return { inputs: 2 * tried, accepted: 2 * accepted, crashers }
}
