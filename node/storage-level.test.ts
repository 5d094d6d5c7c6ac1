import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { storageConformance } from '../peer/storage/conformance.ts'
import { planFailPoints } from '../protocol/fail-points.ts'
import type { Storage } from '../protocol/ports.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { systemRandom } from './random.ts'
import { openLevelStorage } from './storage-level.ts'

let root: string
let dir: string
let opened = 0
const first = { schema: 1, migrations: {} }
const bytes = (...values: number[]) => Uint8Array.from(values)

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wayside-storage-'))
})
beforeEach(() => {
  opened += 1
  dir = join(root, `${opened}`)
})
afterAll(() => rm(root, { recursive: true }))

storageConformance('level', (plan) => {
  opened += 1
  const failPoints = planFailPoints(plan, () => {})
  return openLevelStorage(join(root, `${opened}`), { ...first, failPoints })
})

const all = async (storage: Storage, prefix = '') => {
  const found = []
  for await (const entry of storage.scan(prefix)) found.push(entry)
  return found
}

/** Damages every file whose name matches, but for its first and last `keptBytes`. */
const damage = async (files: RegExp, keptBytes = 0) => {
  for (const name of (await readdir(dir)).filter((name) => files.test(name))) {
    const content = await readFile(join(dir, name))
    await writeFile(join(dir, name), content.fill(0x5a, keptBytes, content.length - keptBytes))
  }
}

describe('what is on disk', () => {
  test('is there after reopening, and not in sight of a scan is the schema number', async () => {
    const before = await openLevelStorage(dir, first)
    await before.write([{ key: '!', put: bytes(1) }], { durable: true })
    await before.close()
    const after = await openLevelStorage(dir, first)
    expect(await all(after)).toEqual([{ key: '!', value: bytes(1) }])
    await after.close()
  })

  test('held by another: E_DATA_DIR_TAKEN, and the holder is not disturbed', async () => {
    const holder = await openLevelStorage(dir, first)
    await expect(openLevelStorage(dir, first)).rejects.toMatchObject({ code: 'E_DATA_DIR_TAKEN' })
    await expect(openLevelStorage(dir, first)).rejects.toThrow(dir)
    await holder.write([{ key: 'a', put: bytes(1) }])
    await holder.close()
  })

  test('no directory: E_STORAGE says which and what to do', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    await expect(openLevelStorage(file, first)).rejects.toMatchObject({ code: 'E_STORAGE' })
    await expect(openLevelStorage(file, first)).rejects.toThrow(/check the disk and its permissions/)
  })
})

describe('a database that is damaged', () => {
  const valueAt = (key: string) => bytes(Number(key.slice(6)) & 255, Number(key.slice(6)) >> 8)

  /** Holds a thousand small values and fifty blocks in tables, and one value in the log; closed. */
  const fill = async () => {
    const storage = await openLevelStorage(dir, first)
    const block = systemRandom.bytes(20_000)
    for (let n = 0; n < 50; n++) await storage.write([{ key: `block/${n}`, put: block }])
    for (let n = 0; n < 1000; n++) await storage.write([{ key: `trust/${n}`, put: valueAt(`trust/${n}`) }])
    await storage.close()
    // Only on opening are all writes of before surely moved from the log to tables.
    const again = await openLevelStorage(dir, first)
    await again.write([{ key: 'late', put: bytes(7) }], { durable: true })
    await again.close()
  }

  const ensureRight = async (storage: Storage) => {
    const small = await all(storage, 'trust/')
    for (const { key, value } of small) expect(value).toEqual(valueAt(key))
    for (let n = 0; n < 50; n++) expect([undefined, 20_000]).toContain((await storage.get(`block/${n}`))?.length)
    return small.length
  }

  test.each<[string, RegExp, number, number, boolean]>([
    ['list of tables', /^CURRENT$/, 0, 1000, true],
    ['list of files', /^MANIFEST/, 0, 1000, true],
    // As any crash tears it.
    ['log', /\.log$/, 0, 1000, false],
    ['tables', /\.ldb$/, 100_000, 0, true],
    ['every file', /./, 0, 0, true],
  ])('in its %s opens, gives no wrong value, and says what is gone', async (_, files, keptBytes, leastLeft, isSaid) => {
    await fill()
    await damage(files, keptBytes)
    const said: string[] = []
    const storage = await openLevelStorage(dir, { ...first, damaged: (what) => void said.push(what) })
    expect(await ensureRight(storage)).toBeGreaterThanOrEqual(leastLeft)
    expect(said.length > 0).toBe(isSaid)
    await storage.write([{ key: 'new', put: bytes(1) }], { durable: true })
    await storage.close()
    const again = await openLevelStorage(dir, first)
    expect(await again.get('new')).toEqual(bytes(1))
    await again.close()
  })

  test('in thirty bits of its files, one after another, opens each time and gives no wrong value', async () => {
    await fill()
    const random = randomFor('flipped bits')
    for (let round = 0; round < 30; round++) {
      const names = (await readdir(dir)).filter((name) => /^CURRENT$|^MANIFEST|\.log$|\.ldb$/.test(name))
      const path = join(dir, names[random.below(names.length)] as string)
      const content = await readFile(path)
      if (content.length > 0) content[random.below(content.length)]! ^= 1 << random.below(8)
      await writeFile(path, content)
      const storage = await openLevelStorage(dir, first)
      await ensureRight(storage)
      await storage.close()
    }
  })
})

describe('schemas', () => {
  const put = (key: string, value: number) => ({ key, put: bytes(value) })

  test('of a newer version: E_DATA_SCHEMA, and the data is left alone', async () => {
    const newer = await openLevelStorage(dir, { schema: 3, migrations: {} })
    await newer.write([put('a', 1)])
    await newer.close()
    const older = openLevelStorage(dir, { schema: 2, migrations: {} })
    await expect(older).rejects.toMatchObject({ code: 'E_DATA_SCHEMA', fields: { stored: 3, supported: 2 } })
    const again = await openLevelStorage(dir, { schema: 3, migrations: {} })
    expect(await again.get('a')).toEqual(bytes(1))
    await again.close()
  })

  test('older data is migrated step by step, once; new data not at all', async () => {
    const steps: string[] = []
    const migrations = {
      2: async () => void steps.push('to 2'),
      3: async (storage: Storage) => {
        steps.push('to 3')
        await storage.write([put('a', (await storage.get('a'))![0]! + 1)])
      },
    }
    const old = await openLevelStorage(dir, first)
    await old.write([put('a', 1)])
    await old.close()
    for (const _ of [1, 2]) {
      const storage = await openLevelStorage(dir, { schema: 3, migrations })
      expect(await storage.get('a')).toEqual(bytes(2))
      await storage.close()
    }
    await (await openLevelStorage(`${dir}-new`, { schema: 3, migrations })).close()
    expect(steps).toEqual(['to 2', 'to 3'])
  })

  test('a migration that fails is taken up again where it failed', async () => {
    await (await openLevelStorage(dir, first)).close()
    const steps: number[] = []
    const step =
      (schema: number, fails = false) =>
      async () => {
        steps.push(schema)
        if (fails) throw new Error('power cut')
      }
    const failing = { schema: 3, migrations: { 2: step(2), 3: step(3, true) } }
    await expect(openLevelStorage(dir, failing)).rejects.toThrow('power cut')
    await (await openLevelStorage(dir, { schema: 3, migrations: { 2: step(2), 3: step(3) } })).close()
    expect(steps).toEqual([2, 3, 3])
  })

  test('a step that is missing is a defect, not a guess', async () => {
    await (await openLevelStorage(dir, first)).close()
    await expect(openLevelStorage(dir, { schema: 2, migrations: {} })).rejects.toMatchObject({ code: 'E_INTERNAL' })
  })
})
