import { planFailPoints } from '../../protocol/fail-points.ts'
import { storageConformance } from './conformance.ts'
import { createMemoryStorage } from './memory.ts'

storageConformance('memory', async (plan) => createMemoryStorage({ failPoints: planFailPoints(plan, () => {}) }))
