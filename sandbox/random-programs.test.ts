import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { wasm } from './fixture.ts'
import { differencesBetween } from './testing/differences.ts'
import { performProgram } from './testing/perform.ts'
import { randomProgram, randomRace } from './testing/random-programs.ts'

test.each([
  ['random programs', randomProgram, 50],
  ['random races, in every order of their answers', randomRace, 10],
] as const)('%s come out the same cold, reset, restored and replayed', async (name, programs, runs) => {
  await checkProperty(
    name,
    fc.asyncProperty(programs, async (program) => {
      const records = [await performProgram(wasm, program)]
      expect(differencesBetween(records, records)).toEqual([])
    }),
    { runs },
  )
})
