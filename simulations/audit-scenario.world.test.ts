import { describe, expect, test } from 'vitest'
import { AUDIT_FLOOR, PROBATION_RECEIPTS } from '../peer/trust.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { machine } from '../scripts/test/world.ts'
import { type AuditScenario, runAuditScenario } from './audit-scenario.ts'

/** A slice of `npm run bench -- verification-cost`. */
const scenario = (name: string, changes: Partial<AuditScenario>): AuditScenario => ({
  ...{ machine, seed: seedFor(name), peers: 11, tasks: 3000, colluders: 0, lieRate: 0 },
  ...changes,
})

describe('ten executors', () => {
  test('that are honest cost their probation and the floor', async () => {
    const { results, executions, wrongAccepted, violations } = await runAuditScenario(scenario('honest', {}))
    expect([results, wrongAccepted, violations]).toEqual([3000, 0, []])
    const audits = executions - results
    const most = 10 * PROBATION_RECEIPTS + AUDIT_FLOOR * results
    expect(audits).toBeGreaterThan(most / 2)
    // Chance: five standard deviations of the audits that the floor draws, and a hedge or two.
    expect(audits).toBeLessThan(most + 5 * Math.sqrt(AUDIT_FLOOR * results) + 20)
  })

  test('of which two collude and lie on all they can are found out, and what they got through is corrected', async () => {
    const report = await runAuditScenario(scenario('all', { colluders: 2, lieRate: 1 }))
    expect(report.violations).toEqual([])
    expect(report.colludersExpelled).toBe(2)
    // Some dozen each on average (docs/SCALE.md), and none where the first lie is drawn; two geometric numbers are 16 times
    // as many each in one run of a million.
    expect(report.wrongAccepted).toBeLessThan(2 * 200)
    // Only what one of them confirmed for the other stays wrong.
    expect(report.wrongAfterRecheck).toBeLessThan(20)
  })
})

test('the same seed gives the same report', async () => {
  const same = scenario('same', { tasks: 600, colluders: 2, lieRate: 0.3 })
  expect(await runAuditScenario(same)).toEqual(await runAuditScenario(same))
})
