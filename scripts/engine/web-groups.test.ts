import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { GROUPS_FILE, webGroupsText } from './web-groups.ts'

test('the committed groups of the web’s interfaces are what their sources make, each time', async () => {
  const committed = readFileSync(GROUPS_FILE, 'utf8')
  for (let round = 0; round < 2; round++) expect((await webGroupsText()) === committed).toBe(true)
})
