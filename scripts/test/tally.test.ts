import { describe, expect, test } from 'vitest'
import { type SuiteResult, summarise, tallyReport, type VitestReport } from './tally.ts'

const file = (name: string, status: string, message: string, tests: Record<string, string>) => ({
  name: `/root/${name}`,
  status,
  message,
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
})

const report = (...testResults: VitestReport['testResults']): VitestReport => ({ testResults })

describe('tallyReport', () => {
  test('counts what passed and names what failed by file', () => {
    const seen = report(
      file('a/x.test.ts', 'passed', '', { one: 'passed', two: 'passed' }),
      file('b/y.test.ts', 'failed', '', { three: 'failed', four: 'passed' }),
    )
    expect(tallyReport(seen, '/root', false)).toEqual({ passed: 3, failures: ['b/y.test.ts > three'] })
  })

  test('a file that could not be run is one failure, with the first line of its reason', () => {
    const seen = report(file('a.test.ts', 'failed', 'Cannot find module ./gone.ts\n  at …', {}))
    expect(tallyReport(seen, '/root', false).failures).toEqual(['a.test.ts: Cannot find module ./gone.ts'])
  })

  test('a file whose tests passed and whose hooks failed is a failure', () => {
    const seen = report(file('a.test.ts', 'failed', '', { one: 'passed' }))
    expect(tallyReport(seen, '/root', false)).toEqual({ passed: 1, failures: ['a.test.ts: failed outside its tests'] })
  })

  test('skipped and to-do tests fail by name, unless tests were picked by name', () => {
    const seen = report(file('a.test.ts', 'passed', '', { one: 'passed', two: 'skipped', three: 'todo' }))
    expect(tallyReport(seen, '/root', false).failures).toEqual([
      'a.test.ts > two: skipped, not run',
      'a.test.ts > three: todo, not run',
    ])
    expect(tallyReport(seen, '/root', true)).toEqual({ passed: 1, failures: [] })
  })
})

describe('summarise', () => {
  const result = (fields: Partial<SuiteResult>): SuiteResult => ({
    name: 'unit',
    passed: 5,
    failures: [],
    tookMs: 1000,
    budgetMs: 4000,
    ...fields,
  })

  test('ends with the sums', () => {
    const { lines, ok } = summarise([result({}), result({ name: 'process', passed: 7, tookMs: 2500 })])
    expect(ok).toBe(true)
    expect(lines).toEqual([
      'unit            5 passed    0 failed     1.0 s of 4.0 s',
      'process         7 passed    0 failed     2.5 s of 4.0 s',
      'in all                                      3.5 s',
      '12 passed, 0 failed',
    ])
  })

  test('lists the failures above them', () => {
    const { lines, ok } = summarise([result({ failures: ['a.test.ts > one'] })])
    expect(ok).toBe(false)
    expect(lines.slice(-2)).toEqual(['failed: a.test.ts > one', '5 passed, 1 failed'])
  })

  test('a suite over its budget is a failure of that name', () => {
    const { lines, ok } = summarise([result({ tookMs: 4001 })])
    expect(ok).toBe(false)
    expect(lines.slice(-2)).toEqual(['failed: unit: over budget, 4.0 s of 4.0 s', '5 passed, 1 failed'])
  })

  test('no test at all is a failure', () => {
    expect(summarise([result({ passed: 0 })])).toMatchObject({ ok: false })
    expect(summarise([]).lines.at(-1)).toBe('0 passed, 1 failed')
  })
})
