import { expect, test } from 'vitest'
import type { Storage } from '../../protocol/ports.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { ForgetfulDisk, failingStorage, untilCut } from '../../simulations/forgetful-storage.ts'
import type { StateEngine } from './engine.ts'
import { openStorageEngine } from './storage-engine.ts'
import { countOnce, type Run } from './testing/counting.ts'
import { ensureWhole } from './testing/ensure-whole.ts'

const CLIENTS = 5
/** Groups of over 64 are taken by halves. */
const CROWD = 200
const COMMITS_EACH = 3
const CRASH_POINTS_MIN = 2000
/** Each takes as long as fifty of the others. */
const CROWDED_POINTS = 20

const damaged = (what: string) => {
  throw new Error(`damaged: ${what}`)
}
const open = (storage: Storage): Promise<StateEngine> =>
  openStorageEngine({
    ...{ storage, damaged, quotaOf: () => ({ keys: 1000, bytes: 2 ** 30 }) },
    window: { revisions: 8, bytes: 2 ** 20 },
  })

const emptyRun = (): Run => ({ acknowledged: new Map(), sent: new Map() })

const allClients = async (engine: StateEngine, run: Run, clients = CLIENTS) => {
  const client = async (name: number) => {
    for (let n = 0; n < COMMITS_EACH; n++) await countOnce(engine, run, `${name}-${n}`, n)
  }
  await Promise.all(Array.from({ length: clients }, (_, name) => client(name)))
}

/** Large values that nothing refers to. */
const ensureNoWaste = async (storage: Storage) => {
  const large: string[] = []
  for await (const { key } of storage.scan('state-large/')) large.push(key)
  expect(large.length).toBeLessThanOrEqual(1)
  for await (const { key } of storage.scan('state-gone/')) expect(key).toBe('nothing')
}

/** Cut off at this await, and once more while it opens again. */
const crash = async (random: ReturnType<typeof randomFor>, cutAt: number, clients = CLIENTS) => {
  const disk = new ForgetfulDisk()
  const run = emptyRun()
  await untilCut(disk, random, cutAt, async (storage) => allClients(await open(storage), run, clients))
  await untilCut(disk, random, 1 + random.below(60), open)
  const { storage } = disk.start({ random, cut: () => {} })
  const engine = await open(storage)
  await ensureNoWaste(storage)
  await ensureWhole(engine, run)
  await countOnce(engine, run, 'afterwards', 0)
  await engine.close()
}

test('a machine that is cut off at any await loses nothing that it acknowledged, and has no half of anything', async () => {
  const random = randomFor('crashes')
  const run = emptyRun()
  const awaits = await untilCut(new ForgetfulDisk(), random, undefined, async (storage) =>
    allClients(await open(storage), run),
  )
  expect(awaits).toBeGreaterThan(20)
  let points = 0
  while (points < CRASH_POINTS_MIN) {
    for (let cutAt = 1; cutAt <= awaits; cutAt++) await crash(random, cutAt)
    points += awaits
  }
  console.info(`${points} crash points, at ${awaits} awaits`)
})

test('so it is with more clients than one group takes, of whom some are judged while the disk is busy', async () => {
  const random = randomFor('crowded crashes')
  const awaits = await untilCut(new ForgetfulDisk(), random, undefined, async (storage) =>
    allClients(await open(storage), emptyRun(), CROWD),
  )
  for (let point = 0; point < CROWDED_POINTS; point++) await crash(random, 1 + random.below(awaits), CROWD)
})

/** Writes take so long that others come meanwhile. */
const slow = (storage: Storage): Storage => ({
  ...storage,
  write: async (writes, options) => {
    await new Promise((resolve) => setImmediate(resolve))
    await storage.write(writes, options)
  },
})

/** Returns how often the disk failed. */
const runOnFailingDisk = async (
  random: ReturnType<typeof randomFor>,
  clients: number,
  as = (storage: Storage) => storage,
): Promise<number> => {
  let failures = 0
  const failed = () => {
    failures += 1
  }
  const disk = new ForgetfulDisk()
  const { storage } = disk.start({ random, cut: () => {} })
  const run = emptyRun()
  const engine = await open(as(failingStorage(storage, random, 4, failed)))
  await allClients(engine, run, clients)
  expect(run.acknowledged.size).toBe(clients * COMMITS_EACH)
  await engine.close()
  const again = await open(disk.start({ random, cut: () => {} }).storage)
  await ensureWhole(again, run)
  expect(await again.revision()).toBe(clients * COMMITS_EACH)
  await again.close()
  return failures
}

test('on a disk that fails now and then everything is committed once, and nothing is guessed', async () => {
  const random = randomFor('failures')
  let failures = 0
  for (let round = 0; round < 200; round++) failures += await runOnFailingDisk(random, CLIENTS)
  expect(failures).toBeGreaterThan(200)
})

test('on it, too, with more clients than one group takes', async () => {
  expect(await runOnFailingDisk(randomFor('crowd'), CROWD)).toBeGreaterThan(10)
})

test('on it, too, with those who are judged while the disk is busy, on top of what it then fails to write', async () => {
  const random = randomFor('judged ahead')
  let failures = 0
  for (let round = 0; round < 4; round++) failures += await runOnFailingDisk(random, CROWD, slow)
  expect(failures).toBeGreaterThan(40)
})
