import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbitraryOf } from '../scripts/protocol/arbitraries.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { Outcome } from './outcome.ts'
import { encodeOutcome } from './outcome-bytes.ts'

test('an outcome has the bytes that its schema gives it, and is read from them', () =>
  checkProperty(
    'outcomes',
    fc.property(arbitraryOf(Outcome.schema as never), (x) => {
      const outcome = x as Outcome
      expect(encodeOutcome(outcome)).toEqual(Outcome.encode(outcome))
      expect(Outcome.decode(encodeOutcome(outcome))).toEqual(outcome)
    }),
  ))
