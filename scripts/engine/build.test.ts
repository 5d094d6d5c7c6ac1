import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildEngine } from './build.ts'
import { ENGINE_FILE } from './source.ts'

test('the committed engine is what its recipe makes, bit for bit, each time', () => {
  const committed = readFileSync(ENGINE_FILE)
  for (let round = 0; round < 2; round++) expect(committed.equals(buildEngine())).toBe(true)
})
