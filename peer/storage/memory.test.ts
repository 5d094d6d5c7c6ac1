import { storageConformance } from './conformance.ts'
import { createMemoryStorage } from './memory.ts'

storageConformance('memory', async (failPoints) => createMemoryStorage({ failPoints }))
