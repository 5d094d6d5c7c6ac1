/** Feeds one target with changed messages and watches: the same bytes back, or a refusal of the promised kind. */
import fc from 'fast-check'
import { MeshError } from '../../protocol/errors.ts'
import { seededRandom } from '../../simulations/random.ts'
import { mutate, type Sample, sampleOf } from './mutate.ts'
import type { Target } from './targets.ts'

/** An input that was neither refused as promised nor written back to the same bytes. */
export interface Crasher {
  readonly target: string
  readonly bytes: Uint8Array
  readonly why: string
}

export interface FuzzResult {
  readonly inputs: number
  /** Inputs that were read, and written back to the same bytes. */
  readonly accepted: number
  readonly crashers: readonly Crasher[]
}

const SAMPLES = 96
/** Short ones are read faster, so that more are tried in the time there is. */
const SAMPLE_BYTES_MAX = 1024
const SHORTEST_KEPT = 16
const CRASHERS_MAX = 10
/** No input here has more than some kilobytes: what takes this long on any machine is as good as a hang. */
const INPUT_MS_MAX = 5000

/** Whether the target accepted `bytes`, or why it must not have done what it did. */
export const tryInput = async (target: Target, bytes: Uint8Array): Promise<{ accepted: boolean; why?: string }> => {
  const startedMs = performance.now()
  try {
    let decoded = target.decode(bytes)
    if (decoded instanceof Promise) decoded = await decoded
    if (Buffer.compare(target.encode(decoded), bytes) !== 0)
      return { accepted: false, why: 'accepted, and written to other bytes' }
  } catch (error) {
    const refused = error instanceof MeshError && target.refusals.includes(error.code)
    return refused ? { accepted: false } : { accepted: false, why: `threw ${error}` }
  }
  const tookMs = performance.now() - startedMs
  return tookMs > INPUT_MS_MAX ? { accepted: true, why: `took ${Math.round(tookMs)} ms` } : { accepted: true }
}

/** Inputs that changed little are worth changing again: now and then one that was accepted becomes a sample. */
const ADOPTED_OF = 16

/** Tries `inputs` changed messages, the same ones for the same seed. Stops after a few crashers. */
export const fuzzTarget = async (target: Target, seed: number, inputs: number): Promise<FuzzResult> => {
  const { stackTraceLimit } = Error
  // Most inputs are refused, and a stack costs as much as the rest of a refusal.
  Error.stackTraceLimit = 0
  try {
    return await tryInputs(target, seed, inputs)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const tryInputs = async (target: Target, seed: number, inputs: number): Promise<FuzzResult> => {
  const random = seededRandom(seed)
  const samples: Sample[] = fc
    .sample(target.valid, { seed, numRuns: SAMPLES })
    .sort((a, b) => a.length - b.length)
    .filter((bytes, i) => i < SHORTEST_KEPT || bytes.length <= SAMPLE_BYTES_MAX)
    .map((bytes) => sampleOf(bytes, target.isText))
  const draw = () => samples[random.below(samples.length)] as Sample
  const crashers: Crasher[] = []
  let accepted = 0
  let tried = 0
  for (; tried < inputs && crashers.length < CRASHERS_MAX; tried++) {
    const bytes = mutate(random, draw(), draw())
    const result = await tryInput(target, bytes)
    if (result.why) crashers.push({ target: target.name, bytes, why: result.why })
    if (!result.accepted) continue
    accepted++
    if (accepted % ADOPTED_OF === 0 && bytes.length <= SAMPLE_BYTES_MAX)
      samples[random.below(samples.length)] = sampleOf(bytes, target.isText)
  }
  return { inputs: tried, accepted, crashers }
}
