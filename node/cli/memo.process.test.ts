import { expect, test } from 'vitest'
import { writeFunctions } from '../testing/functions.ts'
import { startAgent, startMesh, statusOf, wayside } from '../testing/wayside.ts'

test('what was verified is answered from the memo, which says so and outlives its agent', async () => {
  const cwd = writeFunctions()
  const [first] = await startMesh(2)
  const { data } = first!
  const run = async (...flags: string[]) => {
    const args = ['run', 'hello.ts', '{"name":"Ada"}', '--verify', 'self', '--json', '--data', data, ...flags]
    const { stdout, stderr } = await wayside(args, { cwd })
    return { ...JSON.parse(stdout), stderr }
  }
  const performed = await run()
  expect(performed).toMatchObject({ value: { text: 'Hello, Ada' }, memo: false, executions: 2 })
  expect(performed.stderr).not.toMatch(/memo/)
  const { value, console, fuel } = performed
  const remembered = await run()
  expect(remembered).toMatchObject({ value, console, fuel, memo: true, local: false, executions: 0, executors: [] })
  expect(remembered.stderr).toMatch(/from memo: verified before/)
  expect(await run('--remote')).toMatchObject({ value, memo: false, executions: 2 })
  expect(await run('--receipt', 'receipt')).toMatchObject({ value, memo: false, executions: 2 })
  expect((await statusOf(data)).memo).toMatchObject({ entries: 1, hits: 1, misses: 1 })
  expect((await wayside(['status', '--data', data])).stdout).toMatch(
    /memo +1 verified answer, [0-9.]+ KiB; answered 1 of 2 calls/,
  )

  const map = async (range: string) => {
    const args = ['map', 'square.ts', '--range', range, '--verify', 'self', '--json', '--data', data]
    const { stderr } = await wayside(args, { cwd })
    const [words = '', summary = ''] = stderr.trim().split('\n').slice(-2)
    return { words, ...JSON.parse(summary) }
  }
  expect(await map('0..2')).toMatchObject({
    items: 3,
    memo: 0,
    words: expect.stringMatching(/on 1 executor · none failed/),
  })
  const some = await map('0..4')
  expect(some).toMatchObject({ items: 5, memo: 3, executions: 4, words: expect.stringMatching(/ · 3 from memo · /) })
  expect(await map('0..4')).toMatchObject({
    memo: 5,
    executions: 0,
    words: expect.stringMatching(/s\) from memo · none/),
  })

  await first!.stop()
  await startAgent([], { data })
  expect(await run()).toMatchObject({ value, console, memo: true, executions: 0 })
})
