/** The memo does as a model of it does, whatever happens to it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import type { Level } from './calls.ts'
import { type KeptLevel, suffices } from './memo-entry.ts'
import { createWorld, find, HOUR_MS, keysOf, outcomeOf, SELF, taskOf, verified } from './memo-fixture.ts'

/** What a memo is: a list of what is kept, the least recently used first. */
class Model {
  kept: { n: number; level: KeptLevel; signers: string[]; value: number; bytes: number }[] = []
  hits = 0
  misses = 0
  readonly #budgetBytes: number

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  #used(n: number) {
    const at = this.kept.findIndex((one) => one.n === n)
    this.kept.push(...this.kept.splice(at, 1))
  }

  find(n: number, wanted: Level): number | undefined {
    const one = this.kept.find((kept) => kept.n === n && suffices(kept.level, wanted))
    if (!one) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#used(n)
    return one.value
  }

  add(n: number, level: KeptLevel, signers: string[], value: number, bytes: number) {
    const before = this.kept.find((kept) => kept.n === n)
    if (before && suffices(before.level, level)) return this.#used(n)
    if (bytes > this.#budgetBytes) return
    this.kept = [...this.kept.filter((kept) => kept.n !== n), { n, level, signers, value, bytes }]
    while (this.bytes > this.#budgetBytes) this.kept.shift()
  }

  drop(signer: string) {
    this.kept = this.kept.filter(({ signers }) => !signers.includes(signer))
  }

  get bytes() {
    return this.kept.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

const SIGNERS = ['ann', 'bob', 'cid', 'dan']
const levels = fc.constantFrom<KeptLevel>(
  SELF,
  { level: 'audit' },
  { level: 'quorum', n: 2 },
  { level: 'quorum', n: 3 },
)
const tasks = fc.nat(11)
const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      n: tasks,
      level: levels,
      signers: fc.subarray(SIGNERS),
      size: fc.nat(8 * KIB),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('find' as const),
      n: tasks,
      level: fc.oneof(levels, fc.constant<Level>({ level: 'none' })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), signer: fc.constantFrom(...SIGNERS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rest' as const) }) },
)

test('does as its model does, whatever is added, found and dropped, over restarts, within its budget', async () => {
  const property = fc.asyncProperty(fc.array(steps, { maxLength: 80 }), async (all) => {
    const budgetBytes = 24 * KIB
    const world = createWorld()
    const model = new Model(budgetBytes)
    let memo = await world.open(budgetBytes)
    for (const [i, step] of all.entries()) {
      // Longer than recency is saved after, so that a restart loses none of it.
      await world.clock.advance(HOUR_MS + 1)
      if (step.do === 'add') {
        const outcome = outcomeOf(i, step.size)
        const { level, signers } = step
        memo.add(taskOf(step.n), verified(outcome, { level, signers }))
        model.add(step.n, level, signers, i, Outcome.encode(outcome).length + 1024 + 32)
      } else if (step.do === 'find') {
        const found = await find(memo, step.n, step.level)
        const value = model.find(step.n, step.level)
        expect(found).toEqual(
          value === undefined
            ? undefined
            : expect.objectContaining({ console: [{ level: 'log', text: `worked on ${value}` }] }),
        )
      } else if (step.do === 'drop') {
        memo.drop(step.signer)
        model.drop(step.signer)
      } else if (step.do === 'restart') {
        await memo.close()
        memo = await world.open(budgetBytes)
        model.hits = 0
        model.misses = 0
      }
      expect(memo.usage()).toEqual({
        ...{ entries: model.kept.length, bytes: model.bytes, budgetBytes },
        ...{ hits: model.hits, misses: model.misses },
      })
      expect(memo.usage().bytes).toBeLessThanOrEqual(budgetBytes)
    }
    await memo.close()
    const kept = model.kept.flatMap(({ n }) => [`memo-entry/${taskOf(n)}`, `memo/${taskOf(n)}`])
    expect(await keysOf(world)).toEqual(kept.sort())
    expect(world.events.filter(([name]) => name === 'storage.failed')).toEqual([])
  })
  await checkProperty('memo against its model', property, { runs: 150 })
})
