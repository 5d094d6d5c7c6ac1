import { expect, test } from 'vitest'
import { PeerFrame } from '../../protocol/frames.ts'
import { type Schema, schemaOf } from '../../scripts/protocol/arbitraries.ts'
import { machine } from '../../scripts/sim/machine.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { deriveSeed } from '../random.ts'
import { CHECKERS } from './checks.ts'
import { planOf } from './plan.ts'
import { runShortWorld } from './run.ts'
import { MISTAKES, type Mistake } from './testing/planted.ts'
import { calm } from './testing/shapes.ts'

/** Most are found in the first; those that take longest, in one world of five. */
const WORLDS_MAX = 60
const PEERS = 4

const worldsOf = (name: string, { shaped = calm }: Mistake) =>
  Array.from({ length: WORLDS_MAX }, (_, i) => shaped(planOf(deriveSeed(seedFor(name), `world ${i}`), PEERS)))

test.each(Object.entries(MISTAKES))('%s', async (name, mistake) => {
  const check = CHECKERS[mistake.finds]
  for (const plan of worldsOf(name, mistake)) {
    expect(check(await runShortWorld({ machine, plan }))).toEqual([])
    if (check(await runShortWorld({ machine, plan, planted: mistake })).length > 0) return
  }
  expect.fail(`${mistake.finds}: nothing was found in ${WORLDS_MAX} worlds`)
})

test('each checker has a mistake to find', () => {
  expect(new Set(Object.values(MISTAKES).map(({ finds }) => finds))).toEqual(new Set(Object.keys(CHECKERS)))
})

test('so has each kind of frame of a call’s channel', () => {
  const schemas = schemaOf(PeerFrame.schema).options as Schema[]
  const kinds = new Set(schemas.map(({ entries }) => entries?.t?.literal))
  expect(kinds).toContain('hello')
  expect(new Set(Object.values(MISTAKES).flatMap(({ kind }) => kind ?? []))).toEqual(kinds)
})
