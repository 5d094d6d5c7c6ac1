import { expect, test } from 'vitest'
import { History, versionStored } from './history.ts'

test('a key is among those that have changed as soon as it is staged, however many there are', () => {
  const history = new History(0, { revisions: 1, bytes: 1 })
  for (let n = 0; n <= 70_000; n++) {
    history.stage(versionStored(`state/a/${n}`, 1, new Uint8Array(1)))
  }
  const found = new Set(history.keysIn('state/a/', '', undefined))
  expect(found.size).toBe(70_001)
})
