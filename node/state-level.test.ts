import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stateConformance } from '../peer/state/conformance.ts'
import type { StateEngine } from '../peer/state/engine.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { countOnce, type Run } from '../peer/state/testing/counting.ts'
import { ensureWhole } from '../peer/state/testing/ensure-whole.ts'
import { storageHarness } from '../peer/state/testing/storage-harness.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { openLevelStorage } from './storage-level.ts'

const SCHEMA = { schema: 1, migrations: {} }

let root: string
let opened = 0
const open = () => openLevelStorage(join(root, `${opened}`), SCHEMA)

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wayside-state-'))
})
afterAll(() => rm(root, { recursive: true }))

stateConformance(
  'on level',
  storageHarness(
    () => {
      opened += 1
      return open()
    },
    async (storage) => {
      await storage.close()
      return open()
    },
  ),
)

describe('a database whose last writes are damaged', () => {
  const ROUNDS = 40
  const quotaOf = () => ({ keys: 10_000, bytes: 2 ** 30 })
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  let whole: string

  const openIn = (dir: string, damaged: (what: string) => void) => openLevelStorage(dir, { ...SCHEMA, damaged })

  /** Two hundred commits, in groups, all of them in the log. */
  beforeAll(async () => {
    whole = join(root, 'whole')
    const storage = await openIn(whole, console.error)
    const engine = await openStorageEngine({ storage, quotaOf, damaged: console.error })
    const client = async (name: number) => {
      for (let n = 0; n < 25; n++) await countOnce(engine, run, `${name}-${n}`, n)
    }
    await Promise.all(Array.from({ length: 8 }, (_, name) => client(name)))
    await engine.close()
    await storage.close()
  })

  /** The engine opens; returns what it and its storage said, and how many of the commits are left. */
  const opened = async (dir: string, check: (engine: StateEngine) => Promise<void>) => {
    const said: string[] = []
    const damaged = (what: string) => void said.push(what)
    const storage = await openIn(dir, damaged)
    const engine = await openStorageEngine({ storage, quotaOf, damaged })
    const left = await engine.revision()
    if (said.length === 0) await check(engine)
    // It goes on, and what it says it has said once.
    await countOnce(engine, { acknowledged: new Map(), sent: new Map() }, 'afterwards', 0)
    await engine.close()
    await openStorageEngine({
      storage,
      quotaOf,
      damaged: (what) => {
        if (!what.startsWith('the commits')) throw new Error(`said again: ${what}`)
      },
    })
    await storage.close()
    return { said, left }
  }

  const damage = async (name: string, change: (log: Uint8Array) => Uint8Array) => {
    const dir = join(root, name)
    await cp(whole, dir, { recursive: true })
    const log = (await readdir(dir)).find((file) => file.endsWith('.log')) as string
    await writeFile(join(dir, log), change(await readFile(join(dir, log))))
    return dir
  }

  test('cut off anywhere: it is at an earlier revision, whole', async () => {
    const random = randomFor('torn')
    for (let round = 0; round < ROUNDS; round++) {
      const dir = await damage(`torn-${round}`, (log) => log.subarray(0, random.below(log.length)))
      const { said } = await opened(dir, (engine) => ensureWhole(engine, { acknowledged: new Map(), sent: new Map() }))
      expect(said).toEqual([])
    }
  })

  test('with any bit flipped: it is at an earlier revision, whole, or says what is gone', async () => {
    const random = randomFor('flipped')
    let saying = 0
    for (let round = 0; round < ROUNDS; round++) {
      const dir = await damage(`flipped-${round}`, (log) => {
        const at = random.below(log.length)
        log[at] = (log[at] as number) ^ (1 << random.below(8))
        return log
      })
      const { said } = await opened(dir, (engine) => ensureWhole(engine, { acknowledged: new Map(), sent: new Map() }))
      saying += Number(said.length > 0)
    }
    console.info(`${saying} of ${ROUNDS} said what is gone`)
    expect(saying).toBeGreaterThan(0)
  })
})
