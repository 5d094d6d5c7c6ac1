import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { projectJsonSchema } from './json-schema.ts'

test('schema.json at the package root is current (renew it: node sdk/bundle/write-schema.ts)', () => {
  expect(readFileSync(new URL('../../schema.json', import.meta.url), 'utf8')).toBe(projectJsonSchema())
})
