import { test } from 'vitest'
import { ensureSerialisable } from './testing/serialisable.ts'

test('100,000 transactions at three homes, while leaders, homes and roads fail, are strictly serialisable', () =>
  ensureSerialisable(100_000))
