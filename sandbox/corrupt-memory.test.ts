/** A guest that owns its memory: whatever stands there between two steps, and whatever pointers and lengths that makes. */
import { expect, test } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import type { Random } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { Bases } from './base.ts'
import type { Engine } from './engine.ts'
import { Execution } from './execution.ts'
import { bytesOf, runOf, seed, wasm } from './fixture.ts'
import { engineFromImage, type Image } from './image.ts'
import { loadFunction } from './load.ts'

const RUNS = 600
const LIMITS = { fuel: 1_000_000, memory_bytes: 16 * MIB, output_bytes: 100_000 }
/** A step may take so long on a busy machine: the word that counts its work holds some 800 ticks at most, if it is changed. */
const STEP_MS_MAX = 5000

const MODULE = `const kept = new Map([[1, { a: [1, 2, 3] }], ['x', 'y'.repeat(300)]])
export default async (input, env, ctx) => {
  for (let i = 0; i < 3; i++) {
    const x = await ctx.call('#f', { i, bytes: new Uint8Array(50), big: 2n, list: [...kept], text: 'é'.repeat(200) })
    kept.set(i, x)
    console.log('answered', x, kept)
    JSON.stringify([...kept]).match(/y+/g)
  }
  return { kept: [...kept], bytes: new Uint8Array(1000), at: new Error('here').stack }
}`

const { image } = loadFunction(new Bases(wasm), bytesOf(MODULE), LIMITS.memory_bytes) as unknown as { image: Image }

/** Changes some of what is not zero, as most pointers and lengths are not: bits, bytes, or words that look like them. */
const corrupt = (random: Random, { bytes, view }: Engine): void => {
  const used = image.copies
  for (let edits = 1 + random.below(40); edits > 0; edits--) {
    const region = used[random.below(used.length)]!
    const at = region.at + random.below(Math.max(1, region.bytes.length - 4))
    const kind = random.below(5)
    if (kind === 0) bytes[at] = bytes[at]! ^ (1 << random.below(8))
    else if (kind === 1) bytes[at] = random.below(256)
    else {
      const word = [0, -1, random.below(bytes.length), 2 ** 31 - 1, random.below(2 ** 32)][random.below(5)]!
      view.setUint32(at & ~3, word >>> 0, true)
    }
  }
}

const ENDS = { outcome: 0, inconclusive: 0 }

const perform = (random: Random): void => {
  const engine = engineFromImage(wasm, image)
  const asked: number[] = []
  const execution = new Execution(engine, image, runOf(null, { limits: LIMITS, seed }), [], {
    requested: ({ n }) => void asked.push(n),
  })
  for (let step = 0; !execution.result && step < 20; step++) {
    const n = asked[step]
    if (n === undefined) break
    corrupt(random, engine)
    const fromMs = performance.now()
    execution.answer(n, { ok: true, value: encodeValue({ step, bytes: random.bytes(20), big: -1n }) })
    expect(performance.now() - fromMs).toBeLessThan(STEP_MS_MAX)
  }
  execution.abandon()
  const { kind } = execution.result as { kind: 'outcome' | 'inconclusive' }
  expect(Object.keys(ENDS)).toContain(kind)
  ENDS[kind]++
  expect(engine.bytes.length).toBeLessThanOrEqual(LIMITS.memory_bytes)
}

test('no memory of a guest makes the host throw, hang or read beyond it', { timeout: 120_000 }, () => {
  const random = randomFor('corrupt memory')
  for (let i = 0; i < RUNS; i++) perform(random)
  // Were it never hurt, or always before it runs, nothing would have been tried.
  expect(ENDS.outcome).toBeGreaterThan(RUNS / 20)
  expect(ENDS.inconclusive).toBeGreaterThan(RUNS / 20)
})
