import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildEngine } from './build.ts'
import { ENGINE_FILE } from './source.ts'

test('the committed engine is what its recipe makes, bit for bit', { timeout: 120_000 }, () => {
  expect(readFileSync(ENGINE_FILE).equals(buildEngine())).toBe(true)
})
