import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { stateConformance } from '../peer/state/conformance.ts'
import { storageHarness } from '../peer/state/testing/storage-harness.ts'
import { openLevelStorage } from './storage-level.ts'

let root: string
let opened = 0
const open = () => openLevelStorage(join(root, `${opened}`), { schema: 1, migrations: {} })

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
