import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import { fingerprint } from './fingerprint.ts'

const ALL = [{ at: 0, end: 256 }]

test('one changed word shows, and so do two, a word that moved, and another head', async () => {
  const place = fc.integer({ min: 0, max: 63 })
  const word = fc.oneof(fc.constantFrom(0, 1, -1, 1 << 31), fc.integer())
  const words = fc.int32Array({ minLength: 64, maxLength: 64 })
  await checkProperty(
    'fingerprints',
    fc.property(words, place, place, word, (memory, i, j, value) => {
      const changed = memory.slice()
      changed[i] = value
      changed[j] = (changed[j] as number) ^ (1 << 31)
      const isSame = changed.every((one, at) => one === memory[at])
      expect(fingerprint(changed, ALL, [1]) === fingerprint(memory, ALL, [1])).toBe(isSame)
      expect(fingerprint(memory, ALL, [2])).not.toBe(fingerprint(memory, ALL, [1]))
    }),
    { runs: 500 },
  )
  const page = new Int32Array(64)
  page[3] = 7
  expect(fingerprint(page, [{ at: 0, end: 128 }], [])).not.toBe(
    fingerprint(page.copyWithin(32, 0, 32), [{ at: 128, end: 256 }], []),
  )
})
