/** The tests that a host passes on which every program comes out as it does on Node here, in every way. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Random } from '../../protocol/ports.ts'
import { seed } from '../../scripts/test/seed.ts'
import { deriveSeed, seededRandom } from '../../simulations/random.ts'
import { explainAll, performOn } from './asking.ts'
import { type Difference, differencesBetween } from './differences.ts'
import { type Host, nodeHost } from './hosts.ts'
import type { Program, ProgramRecord } from './program.ts'
import { PROGRAMS } from './programs.ts'

const expectNone = async (differences: Difference[], reference: Host, host: Host): Promise<void> => {
  const explained = await explainAll(differences, PROGRAMS, reference, host)
  expect(differences.length, `WAYSIDE_SEED=${seed()}\n${explained}`).toBe(0)
}

const shuffled = <T>(items: readonly T[], random: Random): T[] => {
  const left = [...items]
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T)
}

const subjectOf = ({ name }: { name: string }): string => name.split('.')[0] as string

/** Half a minute on an idle machine; what it may take is the budget of the suite. */
const PERFORM_MS_MAX = 600_000

/** About half of the programs, by the seed of the tests: for a host that is slow. */
export const halfOfPrograms = (): Program[] => {
  const random = seededRandom(deriveSeed(seed(), 'half of the programs'))
  return PROGRAMS.filter(() => random.below(2) === 0)
}

/**
 * Performs `programs` on Node here and on each host that `open` starts, each in an order of its own, so that each program
 * runs after another one; and compares.
 */
export const testSame = (
  title: string,
  open: readonly (() => Promise<Host>)[],
  programs: readonly Program[] = PROGRAMS,
): void => {
  describe(title, () => {
    let hosts: Host[] = []
    let records: ProgramRecord[][] = []

    beforeAll(async () => {
      hosts = await Promise.all([nodeHost(), ...open.map((start) => start())])
      const random = seededRandom(deriveSeed(seed(), title))
      records = await Promise.all(hosts.map((host) => performOn(host, shuffled(programs, random))))
    }, PERFORM_MS_MAX)
    afterAll(() => Promise.all(hosts.map((host) => host.close())))

    test.each([...new Set(programs.map(subjectOf))])('%s', async (subject) => {
      const [wanted = [], ...others] = records.map((all) => all.filter((record) => subjectOf(record) === subject))
      expect(wanted).not.toEqual([])
      for (const [i, found] of [wanted, ...others].entries())
        await expectNone(differencesBetween(wanted, found), hosts[0] as Host, hosts[i] as Host)
    })
  })
}
