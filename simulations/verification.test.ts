import { describe, expect, test } from 'vitest'
import { AUDIT_FLOOR, PROBATION_RECEIPTS, RIGHTS_A_CHARGE } from '../peer/trust.ts'
import { WITNESSES } from '../peer/verdict.ts'
import type { PublicMesh } from './answering.ts'
import { runTrial, type Trial } from './verification.ts'

/** Fixed: of fresh ones one in 370 would be more than three standard errors away by chance. */
const SEEDS = [1, 2]

const PEERS = 100
const trialOf = (seed: number, changes: Partial<Trial>): Trial => ({
  ...{ seed, peers: PEERS, tasks: 100_000, level: 'audit' },
  ...changes,
})

/** Of `trials` with the chance `p` each, `found` came true: how many standard errors is that away? */
const errorsAway = (found: number, trials: number, p: number): number =>
  Math.abs(found - trials * p) / Math.sqrt(trials * p * (1 - p))

describe.each(SEEDS)('within three standard errors of the closed form, with seed %i', (seed) => {
  /** W = (1 − a) / a lies pass before one is found, a = the floor times the share of honest verifiers. */
  test.each([0, 0.1, 0.3])('are the lies that pass audits, with a share of %f in collusion', (f) => {
    const colluders = Math.max(1, f * PEERS)
    const liars = { colluders, lieRate: 1, knowsVerifications: true, reenters: true }
    const { lies, liesFound } = runTrial(trialOf(seed, liars))
    const a = AUDIT_FLOOR * (1 - (colluders - 1) / (PEERS - 1))
    expect(errorsAway(liesFound, lies, a)).toBeLessThan(3)
    const passed = (lies - liesFound) / liesFound
    // Of a mean of geometric numbers: √(1 − a) / a, over the root of their count.
    expect(Math.abs(passed - (1 - a) / a)).toBeLessThan((3 * Math.sqrt(1 - a)) / a / Math.sqrt(liesFound))
  })

  /**
   * ε = f · W / L where nobody answers for anybody. What was found ends a life, whether its signer is expelled by that or only begins
   * anew: it gives 50 right receipts, p of them when it is asked first, and then lies until it is found, so that L = 50 p + 1 / a. It is asked
   * first as often as each other, and to verify as often as others are audited: honest ones at the floor, colluders always in their first
   * 50 p, and at the floor in the 1 / a after these.
   */
  test.each([0.01, 0.1, 0.3])('is the share of wrong answers, with a share of %f that always comes back', (f) => {
    const [honest, colluders] = [(1 - f) * PEERS, f * PEERS]
    const liars = { colluders, lieRate: 1, knowsVerifications: true, reenters: true }
    const [early, late] = [20_000, 100_000].map((tasks) => runTrial(trialOf(seed, { ...liars, tasks })))
    const results = late!.results - early!.results
    const a = AUDIT_FLOOR * (honest / (PEERS - 1))
    let p = 1
    for (let i = 0; i < 100; i++) {
      const first = PROBATION_RECEIPTS * p
      const audited = (first + AUDIT_FLOOR / a) / (first + 1 / a)
      p = 1 / (1 + (honest * AUDIT_FLOOR + (colluders - 1) * audited) / (PEERS - 1))
    }
    const share = (1 - a) / a / (PROBATION_RECEIPTS * p + 1 / a)
    const wrong = (late!.wrongByIntent - early!.wrongByIntent) / results
    // Of a life, Var(W − share · L): W is geometric, and of 50 right receipts those given first are binomial; and of how often a colluder is asked.
    const ofLife = ((1 - share) ** 2 * (1 - a)) / a ** 2 + share ** 2 * PROBATION_RECEIPTS * p * (1 - p)
    const lives = (f * results) / (PROBATION_RECEIPTS * p + 1 / a)
    const variance = lives * ofLife + share ** 2 * results * f * (1 - f)
    expect(Math.abs(wrong - f * share)).toBeLessThan((3 * Math.sqrt(variance)) / results)
  })

  /**
   * W = f / (1 − f) lies pass a pair for each that the second of it contradicts: where each liar leaves with its first lie, so that none was
   * ever caught with the same lie as another, which would keep the two apart. Of those that are contradicted a third receipt lets some out,
   * which the home finds afterwards.
   */
  test('are the lies that pass a pair, each of whose liars lies once', () => {
    const colluders = 0.3 * PEERS
    const liars = {
      colluders,
      lieRate: 1,
      knowsVerifications: true,
      reenters: true,
      lifeReceipts: PROBATION_RECEIPTS + 1,
    }
    const { lies, liesContradicted, liesFound } = runTrial(
      trialOf(seed, { level: { quorum: 2 }, ...liars, tasks: 200_000 }),
    )
    const f = (colluders - 1) / (PEERS - 1)
    expect(errorsAway(liesContradicted, lies, 1 - f)).toBeLessThan(3)
    const passed = (lies - liesContradicted) / liesContradicted
    expect(Math.abs(passed - f / (1 - f))).toBeLessThan((3 * Math.sqrt(f)) / (1 - f) / Math.sqrt(liesContradicted))
    expect(errorsAway(liesFound, liesContradicted, 1 - (colluders - 1) / (PEERS - 2))).toBeLessThan(3)
  })

  /**
   * One is found if both that are asked after the liar are honest: two that agree are enough for either side. Of those that were
   * caught telling the same lie no two vote together, so more are found, and each identity gets less than one through, though
   * it takes six that were found to expel it.
   */
  test('are the most lies that pass quorum:2', () => {
    const f = 0.3
    const colluders = f * PEERS
    const tallyOf = (reenters: boolean) =>
      runTrial(trialOf(seed, { level: { quorum: 2 }, colluders, lieRate: 1, knowsVerifications: true, reenters }))
    const { lies, liesFound } = tallyOf(true)
    const honest = PEERS - colluders
    const found = (honest / (PEERS - 1)) * ((honest - 1) / (PEERS - 2))
    expect((liesFound - lies * found) / Math.sqrt(lies * found * (1 - found))).toBeGreaterThan(3)
    const { wrongByIntent, badIdentities } = tallyOf(false)
    expect(wrongByIntent).toBeGreaterThan(0)
    expect(wrongByIntent / badIdentities).toBeLessThan(1)
  })

  test('are the executions of a quorum whose machines err: n right ones; where some differ, one at home and those of witnesses', () => {
    const e = 0.002
    for (const n of [2, 3, 4, 5]) {
      const { executions, results } = runTrial(trialOf(seed, { level: { quorum: n }, errorRate: e, tasks: 40_000 }))
      const agree = (1 - e) ** n
      const mean = n / (1 - e) + (1 - agree) * (1 + WITNESSES)
      // Errors are so rare that a task with one has two executions more besides, and hardly any has two.
      const deviation = (2 + WITNESSES) * Math.sqrt(agree * (1 - agree))
      expect(Math.abs(executions / results - mean)).toBeLessThan((3 * deviation) / Math.sqrt(results))
    }
  })

  test('are the audits of honest executors, once their probation is over', () => {
    const [early, late] = [30_000, 100_000].map((tasks) => runTrial(trialOf(seed, { tasks })))
    const results = late!.results - early!.results
    const audits = late!.executions - early!.executions - results
    expect(errorsAway(audits, results, AUDIT_FLOOR)).toBeLessThan(3)
  })

  /** What nobody looked at is wrong as often as a machine errs. */
  test('are the errors of honest machines that pass', () => {
    const e = 0.002
    const { wrongByError, results } = runTrial(trialOf(seed, { errorRate: e, tasks: 200_000 }))
    expect(wrongByError / results).toBeLessThan(e * (1 - AUDIT_FLOOR) + 3 * Math.sqrt(e / results))
    // New probations after a slip, and the first, let fewer pass than the floor alone.
    expect(wrongByError / results).toBeGreaterThan(0.9 * e * (1 - AUDIT_FLOOR) - 3 * Math.sqrt(e / results))
  })
})

describe.each(SEEDS)('where whoever is expelled is back at once, with seed %i', (seed) => {
  const wrongShare = (changes: Partial<Trial>) => {
    const liars = { colluders: 20, lieRate: 1, reenters: true }
    const { wrongByIntent, results } = runTrial(trialOf(seed, { ...liars, ...changes }))
    return wrongByIntent / results
  }
  const [few, many] = [{ tasks: 20_000 }, { tasks: 150_000 }]

  test('the share of wrong answers stays where it is while nobody answers for anybody', () => {
    expect(wrongShare(many)).toBeGreaterThan(0.9 * wrongShare(few))
  })

  test.each(['founder', 'member'] as const)('it falls where they answer for it: the %s', (letInBy) => {
    const late = wrongShare({ ...many, letInBy })
    expect(late).toBeLessThan(0.6 * wrongShare({ ...few, letInBy }))
    expect(late).toBeLessThan(wrongShare(many) / 4)
  })

  /** Those who have not given so many right receipts yet are audited until they have, by one of the others. */
  test('one bad guest costs those who were let in by the same no more than a longer probation, once', () => {
    const executionsWith = (letInBy: Trial['letInBy']) =>
      runTrial(trialOf(seed, { colluders: 1, lieRate: 1, letInBy })).executions
    expect(executionsWith('founder') - executionsWith(undefined)).toBeLessThan(PEERS * RIGHTS_A_CHARGE)
  })
})

describe.each(SEEDS)('on a public mesh, where nobody is let in, with seed %i', (seed) => {
  const openMesh = (vouched: number, colluding: PublicMesh['colluders']) => {
    const open = { machines: 16, vouched, lifeReceipts: 600, colluders: colluding }
    const tally = runTrial(trialOf(seed, { colluders: 20, lieRate: 1, reenters: true, open }))
    const { wrongByIntent, results, guestExecutions, guestResults, aloneExecutions, aloneResults } = tally
    return {
      wrong: wrongByIntent / results,
      guests: guestExecutions / guestResults,
      alone: aloneExecutions / aloneResults,
    }
  }
  const unvouched = openMesh(0, 'strangers')

  test('newcomers for whom operators vouch cost far less, fewer answers are wrong, and who stands alone pays', () => {
    const { wrong, guests, alone } = openMesh(0.8, 'strangers')
    expect(unvouched.alone).toBeGreaterThan(1.7)
    expect(guests).toBeLessThan(1.35)
    expect(alone).toBeGreaterThan(guests)
    expect(wrong).toBeLessThan(0.9 * unvouched.wrong)
  })

  test.each(['operator', 'ring', 'bought'] as const)('vouching helps no liars: %s', (colluding) => {
    expect(openMesh(0.8, colluding).wrong).toBeLessThan(unvouched.wrong)
  })
})

test('at `self` nothing is wrong, whoever lies', () => {
  const tally = runTrial(trialOf(4, { level: 'self', colluders: 60, lieRate: 1, errorRate: 0.01, tasks: 20_000 }))
  expect(tally).toMatchObject({ results: 20_000, executions: 40_000, wrongByIntent: 0, wrongByError: 0 })
  expect(tally.lies).toBeGreaterThan(0)
})

test('at quorum:n nothing is wrong unless n collude', () => {
  for (const n of [2, 3, 4]) {
    const liars = { level: { quorum: n }, colluders: n - 1, lieRate: 1, errorRate: 0.01, reenters: true }
    expect(runTrial(trialOf(5, { ...liars, tasks: 20_000 }))).toMatchObject({ wrongByIntent: 0, wrongByError: 0 })
  }
})

test('the same trial gives the same tally, another seed another', () => {
  const liars = { colluders: 20, lieRate: 0.1, errorRate: 0.002, tasks: 5000 }
  expect(runTrial(trialOf(6, liars))).toEqual(runTrial(trialOf(6, liars)))
  expect(runTrial(trialOf(7, liars))).not.toEqual(runTrial(trialOf(6, liars)))
})
