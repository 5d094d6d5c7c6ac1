import { expect, test } from 'vitest'
import { seedFor } from '../scripts/test/seed.ts'
import { parseJobTrace, TRACE_BYTES_MAX } from './job-trace.ts'
import { runLargeRouting } from './level2/routing.ts'
import { tracedWorkload } from './level2/workloads.ts'

test('columns come in any order, time begins with the first job, and who asks is numbered', () => {
  const text = 'duration_ms, invoker, arrival_ms\r\n200, shop, 1000\n\n0.5,bank,1000\n40, shop ,1250.5\n'
  expect(parseJobTrace(text)).toEqual([
    { atMs: 0, workMs: 200, invoker: 0 },
    { atMs: 0, workMs: 0.5, invoker: 1 },
    { atMs: 250.5, workMs: 40, invoker: 0 },
  ])
  expect(parseJobTrace('arrival_ms,duration_ms\n3,4')).toEqual([{ atMs: 0, workMs: 4 }])
})

test.each([
  ['', 'line 1, column 1: "" is no column'],
  ['arrival_ms,took', 'line 1, column 2: "took" is no column'],
  ['arrival_ms,arrival_ms,duration_ms', 'line 1, column 2: arrival_ms is there twice'],
  ['arrival_ms', 'line 1: there is no duration_ms'],
  ['arrival_ms,duration_ms', 'there are no jobs'],
  ['arrival_ms,duration_ms\n1,2\n3', 'line 3 has 1 fields, and there are 2 columns'],
  ['arrival_ms,duration_ms\n1,2\n3,', 'line 3, duration_ms: "" is no number from 0 to 3600000'],
  ['arrival_ms,duration_ms\nsoon,2', 'line 2, arrival_ms: "soon" is no number from 0 to 86400000'],
  ['arrival_ms,duration_ms\n-1,2', 'line 2, arrival_ms: "-1" is no number'],
  ['arrival_ms,duration_ms\n1,1e9', 'line 2, duration_ms: "1e9" is no number'],
  ['arrival_ms,duration_ms\n5,2\n\n4,2', 'line 4, arrival_ms: 4 is before 5'],
  ['arrival_ms,duration_ms,invoker\n5,2,', 'line 2, invoker: "" is no name'],
])('%j is refused, and it is said where', (text, why) => {
  expect(() => parseJobTrace(text)).toThrow(
    expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining(why) }),
  )
})

test('what is too large is refused before it is read', () => {
  expect(() => parseJobTrace(' '.repeat(TRACE_BYTES_MAX + 1))).toThrow('64 MiB')
  const many = `arrival_ms,duration_ms\n${'1,1\n'.repeat(1_000_001)}`
  expect(() => parseJobTrace(many)).toThrow('line 1000002: 1000000 jobs')
})

test('a world is asked for the jobs of a trace, when they came and by as many', () => {
  // Two who ask in turn, a job of 100 ms every 50 ms; then a lull, and one last job.
  const rows = Array.from({ length: 200 }, (_, i) => `${50 * i},100,${i % 2 === 0 ? 'even' : 'odd'}`)
  const trace = parseJobTrace(['arrival_ms,duration_ms,invoker', ...rows, '20000,100,even'].join('\n'))
  const seen: { asks: number; askedMs: number }[] = []
  const report = runLargeRouting({
    ...{ seed: seedFor('trace'), peers: 60, invokers: 8, workload: tracedWorkload(trace), churn: false, oracle: 'all' },
    ...{ jobMs: 100, load: 0.6, jobs: trace.length, firstJobs: 0 },
    watch: {
      second: () => {},
      answered: ({ number, asks, ticks }, { world }) => {
        seen[number - 1] = { asks, askedMs: (world.wheel.now - ticks) / 8 }
      },
    },
  })
  expect(report.unanswered).toBe(0)
  const beganMs = seen[0]?.askedMs as number
  expect(seen.map(({ askedMs }) => askedMs - beganMs)).toEqual(trace.map(({ atMs }) => atMs))
  expect(new Set(seen.map(({ asks }) => asks)).size).toBe(2)
  for (const [i, { asks }] of seen.entries()) expect(asks).toBe(seen[i % 2]?.asks)
})
