import { expect, test } from 'vitest'
import type { Storage } from '../../protocol/ports.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { ForgetfulDisk, failingStorage } from '../../simulations/forgetful-storage.ts'
import type { Committed, StateEngine, Transaction } from './engine.ts'
import { LARGE_BYTES } from './group.ts'
import { openStorageEngine } from './storage-engine.ts'

const CLIENTS = 5
const COMMITS_EACH = 3
const COUNTS = 3
const CRASH_POINTS_MIN = 2000

const number = (value: Uint8Array | undefined) => Number(value ? new TextDecoder().decode(value) : 0)
const bytes = (value: number) => new TextEncoder().encode(`${value}`)
const filled = (value: number) => new Uint8Array(LARGE_BYTES + 1).fill(value)

const open = (storage: Storage): Promise<StateEngine> => {
  const damaged = (what: string) => {
    throw new Error(`damaged: ${what}`)
  }
  const window = { revisions: 8, bytes: 2 ** 20 }
  return openStorageEngine({ storage, damaged, window, quotaOf: () => ({ keys: 1000, bytes: 2 ** 30 }) })
}

/** Counts, and leaves a trace in another namespace; now and then replaces a large value, or deletes what is not there. */
const transactionOf = async (engine: StateEngine, id: string, n: number): Promise<Transaction> => {
  const revision = await engine.revision()
  // Some meet at one key, and others commit with them.
  const key = `count-${id.charCodeAt(0) % COUNTS}`
  const [count] = await engine.read('counts', [key], revision)
  const writes: Transaction['writes'] = [
    { namespace: 'counts', key, put: bytes(number(count?.value) + 1) },
    { namespace: 'traces', key: id, put: bytes(n) },
    ...(n === 1 ? [{ namespace: 'counts', key: 'large', put: filled(number(count?.value)) }] : []),
    ...(n === 2 ? [{ namespace: 'traces', key: `never-${id}`, delete: true as const }] : []),
  ]
  return { id, revision, reads: [{ namespace: 'counts', key }], ranges: [], writes }
}

interface Run {
  acknowledged: Map<string, Committed>
  /** What was last sent to be committed under each id. */
  sent: Map<string, Transaction>
}

/** As it is, until it is known what came of it. */
const commit = async (engine: StateEngine, transaction: Transaction): Promise<Committed> => {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      return await engine.commit(transaction)
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_STORAGE' })
    }
  }
  throw new Error(`${transaction.id} is never committed`)
}

const client = async (engine: StateEngine, run: Run, name: number) => {
  for (let n = 0; n < COMMITS_EACH; n++) {
    const id = `${name}-${n}`
    for (let committed: Committed | undefined; committed?.kind !== 'committed'; ) {
      const transaction = await transactionOf(engine, id, n)
      run.sent.set(id, transaction)
      committed = await commit(engine, transaction)
      if (committed.kind === 'committed') run.acknowledged.set(id, committed)
    }
  }
}

/** Works until all is done or the machine is cut off. */
const work = async (disk: ForgetfulDisk, random: ReturnType<typeof randomFor>, cutAt?: number) => {
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  let cut = () => {}
  const wasCut = new Promise<void>((resolve) => {
    cut = resolve
  })
  const { storage, awaits } = disk.start({ random, cutAt, cut })
  const all = async () => {
    const engine = await open(storage)
    await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(engine, run, name)))
  }
  await Promise.race([all(), wasCut])
  return { run, awaits: awaits() }
}

/** Everything acknowledged is there, everything else is there whole or not at all, and it all adds up. */
const ensureWhole = async (engine: StateEngine, { acknowledged, sent }: Run) => {
  const revision = await engine.revision()
  const traces = await engine.list({ namespace: 'traces', prefix: '', limit: 1000 }, revision)
  const counts = await engine.list({ namespace: 'counts', prefix: 'count-', limit: COUNTS }, revision)
  const [large] = await engine.read('counts', ['large'], revision)
  const there = traces.entries.map(({ key }) => key)
  expect(there).toEqual(expect.arrayContaining([...acknowledged.keys()]))
  expect(there).toHaveLength(counts.entries.reduce((sum, { value }) => sum + number(value), 0))
  expect(revision).toBe(there.length)
  if (large?.value) expect(Buffer.compare(large.value, filled(large.value[0]!))).toBe(0)
  for (const [id, transaction] of sent) {
    const again = await engine.commit(transaction)
    const version = traces.entries.find(({ key }) => key === id)?.version
    if (acknowledged.has(id)) expect(again).toEqual(acknowledged.get(id))
    if (version !== undefined) expect(again).toEqual({ kind: 'committed', revision: version })
  }
}

/** Large values that nothing refers to. */
const ensureNoWaste = async (storage: Storage) => {
  const large: string[] = []
  for await (const { key } of storage.scan('state-large/')) large.push(key)
  expect(large.length).toBeLessThanOrEqual(1)
  for await (const { key } of storage.scan('state-gone/')) expect(key).toBe('nothing')
}

/** Cut off at this await, and while it opens again, once or twice. */
const crash = async (random: ReturnType<typeof randomFor>, cutAt: number) => {
  const disk = new ForgetfulDisk()
  const { run } = await work(disk, random, cutAt)
  let cut = () => {}
  const wasCut = new Promise<void>((resolve) => {
    cut = resolve
  })
  await Promise.race([open(disk.start({ random, cutAt: 1 + random.below(60), cut }).storage), wasCut])
  const { storage } = disk.start({ random, cut: () => {} })
  const engine = await open(storage)
  await ensureNoWaste(storage)
  await ensureWhole(engine, run)
  await engine.commit(await transactionOf(engine, 'afterwards', 0))
  await engine.close()
}

test('a machine that is cut off at any await loses nothing that it acknowledged, and has no half of anything', async () => {
  const random = randomFor('crashes')
  const { awaits } = await work(new ForgetfulDisk(), random)
  expect(awaits).toBeGreaterThan(20)
  let points = 0
  while (points < CRASH_POINTS_MIN) {
    for (let cutAt = 1; cutAt <= awaits; cutAt++) await crash(random, cutAt)
    points += awaits
  }
  console.info(`${points} crash points, at ${awaits} awaits`)
})

test('on a disk that fails now and then everything is committed once, and nothing is guessed', async () => {
  const random = randomFor('failures')
  let failures = 0
  for (let round = 0; round < 200; round++) {
    const disk = new ForgetfulDisk()
    const { storage } = disk.start({ random, cut: () => {} })
    const run: Run = { acknowledged: new Map(), sent: new Map() }
    await (await open(storage)).close()
    const failed = () => {
      failures += 1
    }
    const engine = await open(failingStorage(storage, random, 4, failed))
    await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(engine, run, name)))
    expect(run.acknowledged.size).toBe(CLIENTS * COMMITS_EACH)
    await engine.close()
    const again = await open(disk.start({ random, cut: () => {} }).storage)
    await ensureWhole(again, run)
    expect(await again.revision()).toBe(CLIENTS * COMMITS_EACH)
  }
  expect(failures).toBeGreaterThan(200)
})
