/** The tests that a host passes on which every program comes out as it does on Node here, in every way. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Random } from '../../protocol/ports.ts'
import { seed } from '../../scripts/test/seed.ts'
import { deriveSeed, seededRandom } from '../../simulations/random.ts'
import { stateDifference } from '../memory-state.ts'
import { type Difference, differencesBetween } from './differences.ts'
import { type Host, nodeHost } from './hosts.ts'
import type { Program, ProgramRecord } from './program.ts'
import { PROGRAMS } from './programs.ts'

/** A question that a host answers within some seconds. */
const PROGRAMS_A_QUESTION = 20
/** Explained one by one; explaining takes runs of its own. */
const EXPLAINED_MAX = 5

const performOn = async (host: Host, programs: readonly Program[]): Promise<ProgramRecord[]> => {
  const records: ProgramRecord[] = []
  for (let at = 0; at < programs.length; at += PROGRAMS_A_QUESTION) {
    const reply = await host.ask({ perform: programs.slice(at, at + PROGRAMS_A_QUESTION) })
    if ('records' in reply) records.push(...reply.records)
  }
  return records
}

const stateOn = async (host: Host, program: Program, { way, order }: Difference): Promise<Uint8Array> => {
  const reply = await host.ask({ stateOf: program, way, order })
  return new Uint8Array(Buffer.from('state' in reply ? reply.state : '', 'base64'))
}

/** In words: which program, on which host, what differs, and the first address where the memories do. */
const explain = async (difference: Difference, reference: Host, host: Host): Promise<string> => {
  const { name, way, order, what, wanted, found } = difference
  const program = PROGRAMS.find((one) => one.name === name)
  const lines = [`${name}, ${way}, answers ${order.join() || 'none'}: ${what.join(', ')} on ${host.name}`]
  lines.push(`  ${reference.name}: ${wanted}`, `  ${host.name}: ${found}`)
  if (program && what.includes('memory')) {
    const states = [await stateOn(reference, program, difference), await stateOn(host, program, difference)] as const
    lines.push(`  memory: ${stateDifference(...states)}`)
  }
  return lines.join('\n')
}

const expectNone = async (differences: Difference[], reference: Host, host: Host): Promise<void> => {
  const explained: string[] = []
  for (const one of differences.slice(0, EXPLAINED_MAX)) explained.push(await explain(one, reference, host))
  expect(differences.length, `${differences.length} differences, WAYSIDE_SEED=${seed()}\n${explained.join('\n')}`).toBe(
    0,
  )
}

const shuffled = <T>(items: readonly T[], random: Random): T[] => {
  const left = [...items]
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T)
}

const subjectOf = ({ name }: { name: string }): string => name.split('.')[0] as string

const SUBJECTS = [...new Set(PROGRAMS.map(subjectOf))]

/**
 * Performs all programs on Node here and on each host that `open` starts, each in an order of its own, so that each program
 * runs after another one; and compares.
 */
export const testSame = (title: string, open: readonly (() => Promise<Host>)[]): void => {
  describe(title, () => {
    let hosts: Host[] = []
    let records: ProgramRecord[][] = []

    beforeAll(async () => {
      hosts = await Promise.all([nodeHost(), ...open.map((start) => start())])
      const random = seededRandom(deriveSeed(seed(), title))
      records = await Promise.all(hosts.map((host) => performOn(host, shuffled(PROGRAMS, random))))
    })
    afterAll(() => Promise.all(hosts.map((host) => host.close())))

    test.each(SUBJECTS)('%s', async (subject) => {
      const [wanted = [], ...others] = records.map((all) => all.filter((record) => subjectOf(record) === subject))
      expect(wanted).not.toEqual([])
      for (const [i, found] of [wanted, ...others].entries())
        await expectNone(differencesBetween(wanted, found), hosts[0] as Host, hosts[i] as Host)
    })
  })
}
