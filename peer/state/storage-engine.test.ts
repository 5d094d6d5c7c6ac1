import { createMemoryStorage } from '../storage/memory.ts'
import { stateConformance } from './conformance.ts'
import { storageHarness } from './testing/storage-harness.ts'

stateConformance(
  'on storage in memory',
  storageHarness(
    async () => createMemoryStorage(),
    async (storage) => storage,
  ),
)
