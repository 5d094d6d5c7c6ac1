/** Durable invocations by the command line: their agent is killed and started again, and they end once. */
import { expect, test } from 'vitest'
import {
  begin,
  freshDirectory,
  freshProject,
  type Run,
  startAgent,
  startMesh,
  type TestAgent,
  until,
  wayside,
  withoutWaits,
} from '../testing/wayside.ts'

/** Counts the visits of a page, slowly. */
const CODE = `export default async function visit({ page, ms }, env, ctx) {
  console.log('counting ' + page)
  const begun = await ctx.now()
  await new Promise((resolve) => setTimeout(resolve, ms))
  const n = ((await env.DB.get(page)) ?? 0) + 1
  await env.DB.put(page, n)
  return { n, waited: (await ctx.now()) - begun }
}
export const fails = () => { throw new Error('no such page') }
`
const cwd = freshProject(
  { DB: { state: 'visits' } },
  {
    'visit.js': CODE,
    'tidied.js': CODE.replace("console.log('counting ' + page)", ''),
    'longer.js': CODE.replace('resolve, ms', 'resolve, ms + 1'),
  },
)
const visit = (page: string, ms: number) => ['run', 'visit.js', JSON.stringify({ page, ms })]
const on = ({ data }: TestAgent) => ['--data', data]
const runJson = async (args: readonly string[]) => {
  const { status, stdout, stderr } = await wayside(args, { cwd })
  return { status, stderr, ...JSON.parse(stdout || '{}') }
}
const listed = async (agent: TestAgent, ...flags: string[]) =>
  JSON.parse((await wayside(['ps', '--json', ...flags, ...on(agent)])).stdout) as { id: string; state: string }[]
const idIn = (stderr: string): string => /invocation (\S+)/.exec(stderr)?.[1] as string

test('without an agent there is no home for it', async () => {
  const lone = await wayside([...visit('a', 1), '--durable', '--data', freshDirectory()], { cwd })
  expect(lone).toMatchObject({ status: 4, stdout: '' })
  expect(lone.stderr).toContain('E_NO_HOME')
  expect(lone.stderr).toContain('wayside up')
  const stateful = await wayside([...visit('a', 1), '--data', freshDirectory()], { cwd })
  expect(stateful.status).toBe(4)
  expect(stateful.stderr).toContain('E_NO_HOME')
})

test('it outlasts its command, its agent and its executor, counts once, and is listed', async () => {
  const [home, lender] = (await startMesh(2)) as [TestAgent, TestAgent]
  const running = begin([...visit('front', 10_000), '--durable', ...on(home)], { cwd })
  let said = ''
  running.child.stderr?.on('data', (text: string) => {
    said += text
  })
  await until(() => idIn(said) !== undefined)
  const id = idIn(said)
  running.child.kill('SIGINT')
  const interrupted = await running.ended
  expect(interrupted.status).toBe(130)
  expect(interrupted.stderr).toContain(`the invocation goes on; to end it: wayside cancel ${id}`)
  expect(await listed(home)).toMatchObject([{ id, state: 'running' }])
  await lender.stop('SIGKILL')
  await home.stop('SIGKILL')
  const again = await startAgent([], { data: home.data })
  expect(await listed(again, '--all')).toMatchObject([{ id }])
  const waited = await runJson(['wait', id, '--json', ...on(again)])
  expect(waited).toMatchObject({ status: 0, id, value: { n: 1 }, console: [{ level: 'log', text: 'counting front' }] })
  // By the wall clock: what had passed when the agent was killed is not waited for again.
  expect(waited.value.waited).toBeGreaterThanOrEqual(10_000)
  expect(await listed(again)).toEqual([])
  expect(await listed(again, '--all')).toMatchObject([{ id, state: 'done' }])
  const result = await wayside(['result', id, ...on(again)])
  expect(result).toMatchObject({ status: 0, stdout: `${JSON.stringify(waited.value)}\n` })
  const replayed = await runJson(['replay', id, '--log', '--json', ...on(again)])
  expect(replayed).toMatchObject({
    status: 0,
    same: true,
    state: 'done',
    invocation: id,
    came: { value: waited.value },
  })
  expect(replayed.log[0]).toMatchObject({ request: 0, kind: 'now', at_ms: expect.any(Number) })
  const stopped = await wayside(['replay', id, '--until', '3', '--log', ...on(again)])
  expect(stopped).toMatchObject({ status: 0, stderr: expect.stringContaining('says │ counting front\n') })
  expect(stopped.stdout).toMatch(/^ +seconds +n +kind +bytes +what\n +\d+\.\d{3} +→ +0 +now /)
  expect(stopped.stdout).toMatch(
    /\nstopped before request 3, after 3 answers; 5 requests recorded, .*\n {2}it asks: put\n/,
  )
  const tidied = await runJson(['replay', id, '--with', 'tidied.js', '--json', ...on(again)])
  expect(tidied).toMatchObject({ status: 0, same: true, with: 'tidied.js', came: { value: waited.value } })
  expect(await runJson([...visit('front', 1), '--json', '--durable', ...on(again)])).toMatchObject({ value: { n: 2 } })
  expect(await runJson([...visit('front', 1), '--json', ...on(again)])).toMatchObject({ value: { n: 3 } })
  await again.stop()
})

test('it is cancelled, fails, or is not known, and each says so', async () => {
  const home = await startAgent()
  const started = begin([...visit('other', 60_000), '--durable', ...on(home)], { cwd })
  await until(async () => (await listed(home)).length === 1)
  const [{ id } = { id: '' }] = await listed(home)
  const early = await wayside(['result', id, ...on(home)])
  expect(early.status).toBe(2)
  expect(early.stderr).toContain(`wayside wait ${id}`)
  // Until it has come to where it waits.
  let far: Run = { status: null, stdout: '', stderr: '' }
  await until(async () => {
    far = await wayside(['replay', id, ...on(home)])
    return far.stdout.includes('; it waits for ')
  })
  expect({ status: far.status, stderr: withoutWaits(far.stderr) }).toEqual({ status: 0, stderr: '' })
  expect(far.stdout).toMatch(/^same: run again here, as far as it has come\n {2}stands +it still runs; it waits for /)
  const longer = await runJson(['replay', id, '--with', 'longer.js', '--json', ...on(home)])
  expect(longer).toMatchObject({ status: 5, same: false, with: 'longer.js', difference: { part: 'request', n: 1 } })
  expect((await wayside(['cancel', id, ...on(home)])).stdout).toContain('nothing of it is committed')
  const ended = await started.ended
  expect(ended.status).toBe(130)
  expect(ended.stderr).toContain('cancelled')
  expect((await wayside(['cancel', id, ...on(home)])).stdout).toContain(`had ended before; see wayside result ${id}`)
  expect(await runJson([...visit('other', 1), '--json', ...on(home)])).toMatchObject({ value: { n: 1 } })
  const failing = await wayside(['run', 'visit.js#fails', '--durable', ...on(home)], { cwd })
  expect(failing.status).toBe(1)
  expect(failing.stderr).toContain('no such page')
  expect(await listed(home, '--all')).toMatchObject([{ state: 'cancelled' }, { state: 'failed', export: 'fails' }])
  const gone = await wayside(['replay', id.replace(/.{4}$/, 'aaaa'), ...on(home)])
  expect(gone).toMatchObject({ status: 2, stdout: '' })
  expect(gone.stderr).toContain('wayside ps --all')
  const unknown = await wayside(['wait', 'nonsense', ...on(home)])
  expect(unknown).toMatchObject({ status: 2, stdout: '' })
  expect(unknown.stderr).toContain('no id of an invocation')
  await home.stop()
})
