import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { GUEST_FILE, guestText } from './guest.ts'

test('the committed code of the guest is what its sources make, each time', async () => {
  const committed = readFileSync(GUEST_FILE, 'utf8')
  for (let round = 0; round < 2; round++) expect((await guestText()) === committed).toBe(true)
})
