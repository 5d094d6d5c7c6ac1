import { expect, test } from 'vitest'
import type { Storage } from '../../protocol/ports.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { ForgetfulDisk, untilCut } from '../../simulations/forgetful-storage.ts'
import { largeValuesOn } from './conformance-large.ts'
import type { Committed, Write } from './engine.ts'
import { isReference } from './large-reference.ts'
import type { LargeValues } from './large-values.ts'
import { openStorageEngine } from './storage-engine.ts'

const CRASH_POINTS_MIN = 500
const CLIENTS = 3
const COMMITS_EACH = 4
const KEYS = 2

const open = async (storage: Storage) => {
  const engine = await openStorageEngine({
    ...{ storage, quotaOf: () => ({ keys: 1000, bytes: 2 ** 30 }), window: { revisions: 64, bytes: 2 ** 20 } },
    damaged: (what) => {
      throw new Error(what)
    },
  })
  return { engine, large: largeValuesOn(engine) }
}

/** Begins like the name of blocks, and so is kept as some. */
const largeOf = (n: number) => Uint8Array.of(0xff, n)

/** Of each key what was last acknowledged, and what has been sent and was not answered. */
class Run {
  readonly acknowledged = new Map<string, { revision: number; value: Uint8Array | undefined }>()
  readonly sent = new Map<number, { key: string; value: Uint8Array | undefined }>()

  /** What may stand under the key. */
  possible(key: string): (Uint8Array | undefined)[] {
    const unanswered = [...this.sent.values()].filter((one) => one.key === key)
    return [this.acknowledged.get(key)?.value, ...unanswered.map(({ value }) => value)]
  }
}

/** Puts large values, puts small ones over them, deletes them. */
const client = async (large: LargeValues, name: number, { acknowledged, sent }: Run) => {
  for (let n = 0; n < COMMITS_EACH; n++) {
    const key = `key-${(name + n) % KEYS}`
    const number = name * COMMITS_EACH + n
    const puts = [largeOf(number), largeOf(number), Uint8Array.of(number), undefined]
    const value = puts[(name + n) % puts.length]
    const place = { namespace: 'shop', key }
    const write: Write = value ? { ...place, put: value } : { ...place, delete: true }
    sent.set(number, { key, value })
    let committed: Committed
    do {
      const transaction = { id: `${number}`, revision: await large.revision(), reads: [], ranges: [], writes: [write] }
      committed = await large.commit(transaction)
    } while (committed.kind === 'conflict')
    sent.delete(number)
    if ((acknowledged.get(key)?.revision ?? 0) < committed.revision)
      acknowledged.set(key, { revision: committed.revision, value })
  }
}

const allClients = async (storage: Storage, run: Run) => {
  const { large } = await open(storage)
  await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(large, name, run)))
  await large.swept()
}

/** What was acknowledged is there, whole, unless what came later is; and there are the blocks of that, and no others. */
const ensureWhole = async (storage: Storage, run: Run) => {
  const { engine, large } = await open(storage)
  await large.swept()
  const revision = await engine.revision()
  const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`)
  const entries = await large.read('shop', keys, revision)
  for (const { key, value } of entries) expect(run.possible(key)).toContainEqual(value)
  const named = (await engine.read('shop', keys, revision)).filter(({ value }) => isReference(value))
  for (const namespace of ['.uploads', '.blocks'])
    expect((await engine.list({ namespace, prefix: '', limit: 1000 }, revision)).entries).toHaveLength(named.length)
  await large.close()
}

test('a machine that is cut off at any await keeps every block of what it has committed, and in the end no other', async () => {
  const random = randomFor('crashes of large values')
  const awaits = await untilCut(new ForgetfulDisk(), random, undefined, (storage) => allClients(storage, new Run()))
  expect(awaits).toBeGreaterThan(20)
  for (let points = 0; points < CRASH_POINTS_MIN; points += awaits)
    for (let cutAt = 1; cutAt <= awaits; cutAt++) {
      const disk = new ForgetfulDisk()
      const run = new Run()
      await untilCut(disk, random, cutAt, (storage) => allClients(storage, run))
      // Once more while it opens again, and deletes.
      await untilCut(disk, random, 1 + random.below(20), async (storage) => (await open(storage)).large.swept())
      await ensureWhole(disk.start({ random, cut: () => {} }).storage, run)
    }
})
