import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { seedFor } from '../scripts/test/seed.ts'
import { performOn, replayOn } from './testing/asking.ts'
import { differencesBetween } from './testing/differences.ts'
import { type Host, nodeHost, otherNode } from './testing/hosts.ts'
import type { ProgramRecord } from './testing/program.ts'
import { randomRace } from './testing/random-programs.ts'
import { testSame } from './testing/same.ts'

testSame('every program comes out the same in Node 22, 24 and 26', [
  () => nodeHost(otherNode(22)),
  () => nodeHost(otherNode(26)),
])

test('random races replay on another Node from the journals that one recorded', async () => {
  const hosts = await Promise.all([nodeHost(otherNode(22)), nodeHost(otherNode(26))])
  onTestFinished(async () => void (await Promise.all(hosts.map((host) => host.close()))))
  const programs = fc.sample(randomRace, { seed: seedFor('random races'), numRuns: 25 })
  for (const [i, program] of programs.entries()) {
    const [here, there] = i % 2 ? hosts : hosts.toReversed()
    const [record] = await performOn(here as Host, [program])
    const { wanted, found } = await replayOn(there as Host, program, record as ProgramRecord)
    expect(wanted.runs.length).toBeGreaterThan(0)
    expect(differencesBetween([wanted], [found]), program.code).toEqual([])
  }
})
