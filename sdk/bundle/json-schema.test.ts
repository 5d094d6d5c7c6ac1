import { expect, test } from 'vitest'
import { projectJsonSchema } from './json-schema.ts'

test('schema.json at the package root is current (-u renews it)', async () => {
  await expect(projectJsonSchema()).toMatchFileSnapshot('../../schema.json')
})
