/** Agents that keep their state in a real cluster: one is killed, and the other goes on; etcd loses its quorum, and says so. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MIB } from '../../protocol/limits.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { begin, freshDirectory, freshProject, startMesh, type TestAgent, until, wayside } from '../testing/wayside.ts'

const CODE = `export default async function visit({ page, ms }, env) {
  await new Promise((resolve) => setTimeout(resolve, ms))
  const n = ((await env.DB.get(page)) ?? 0) + 1
  await env.DB.put(page, n)
  return n
}
`
/** Four blocks, by a function; and what another finds under the key. */
const PAINT = `export default async ({ bytes, fill }, env) => {
  const before = await env.DB.get('sky')
  if (bytes) env.DB.put('sky', new Uint8Array(bytes).fill(fill))
  return before ? [before.length, before[0], before.at(-1), before.every((byte) => byte === before[0])] : null
}
`
const PICTURE_BYTES = 1.75 * MIB
let cluster: Cluster
let home: TestAgent
let other: TestAgent
let cwd: string

beforeAll(async () => {
  cluster = await startCluster()
  const etcd = cluster.endpoints.flatMap((endpoint) => ['--etcd', endpoint])
  const agents = await startMesh(2, etcd)
  home = agents[0] as TestAgent
  other = agents[1] as TestAgent
  cwd = freshProject({ DB: { state: 'visits' } }, { 'visit.js': CODE, 'paint.js': PAINT })
})
afterAll(async () => {
  for (const agent of [home, other]) await agent?.stop('SIGKILL')
  await cluster.close()
})

const on = ({ data }: TestAgent) => ['--data', data]
const visit = (page: string, ms: number) => ['run', 'visit.js', JSON.stringify({ page, ms })]
const kept = async (page: string, at: TestAgent) =>
  JSON.parse((await wayside(['state', 'get', 'visits', page, '--json', ...on(at)])).stdout) as { value: number }

test('what a function puts in blocks at one home is whole for a function at the other, which puts over it', async () => {
  const paint = async (wish: object, at: TestAgent) =>
    JSON.parse((await wayside(['run', 'paint.js', JSON.stringify(wish), ...on(at)], { cwd })).stdout)
  expect(await paint({ bytes: PICTURE_BYTES, fill: 7 }, home)).toBeNull()
  expect(await paint({ bytes: PICTURE_BYTES + 1, fill: 9 }, other)).toEqual([PICTURE_BYTES, 7, 7, true])
  expect(await paint({}, home)).toEqual([PICTURE_BYTES + 1, 9, 9, true])
})

test('homes share what is kept, and what one has begun the other goes on with when it is killed: it counts once', async () => {
  expect(await wayside([...visit('front', 1), ...on(home)], { cwd })).toMatchObject({ status: 0, stdout: '1\n' })
  expect(await wayside([...visit('front', 1), ...on(other)], { cwd })).toMatchObject({ status: 0, stdout: '2\n' })
  const running = begin([...visit('front', 10_000), '--durable', ...on(home)], { cwd })
  let said = ''
  running.child.stderr?.on('data', (text: string) => {
    said += text
  })
  const id = () => /invocation (\S+)/.exec(said)?.[1]
  await until(() => id() !== undefined)
  const listed = await wayside(['ps', '--json', ...on(other)])
  expect(JSON.parse(listed.stdout)).toMatchObject([{ id: id(), state: 'running' }])
  await home.stop('SIGKILL')
  const waited = await wayside(['wait', id() as string, ...on(other)])
  expect(waited).toMatchObject({ status: 0, stdout: '3\n' })
  expect(await kept('front', other)).toMatchObject({ value: 3 })
})

test('without a quorum a call waits until its deadline, says why, and changes nothing; with one it goes on', async () => {
  await cluster.kill(0)
  await cluster.kill(1)
  const startedAt = performance.now()
  const refused = await wayside([...visit('back', 1), '--timeout', '4s', ...on(other)], { cwd })
  expect(performance.now() - startedAt).toBeGreaterThan(3900)
  expect(refused).toMatchObject({ status: 4, stdout: '' })
  expect(refused.stderr).toMatch(/E_STATE_UNAVAILABLE.*etcd (does not answer|has no quorum)/)
  const waiting = wayside([...visit('back', 1), ...on(other)], { cwd })
  await cluster.start(0)
  expect(await waiting).toMatchObject({ status: 0, stdout: '1\n' })
  await cluster.start(1)
})

test('an agent of another mesh does not take the state of this one', async () => {
  const etcd = cluster.endpoints.flatMap((endpoint) => ['--etcd', endpoint])
  const up = ['up', '--data', freshDirectory(), '--listen', '/ip4/127.0.0.1/tcp/0']
  const stranger = await wayside([...up, ...etcd])
  expect(stranger).toMatchObject({ status: 6, stdout: '' })
  expect(stranger.stderr).toMatch(/E_NAMESPACE_TAKEN.*another mesh.*wayside\//)
})

test('an agent that cannot reach its etcd says so, and does not start', async () => {
  const nobody = await wayside([
    'up',
    '--data',
    freshDirectory(),
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--etcd',
    'http://127.0.0.1:1',
  ])
  expect(nobody).toMatchObject({ status: 4, stdout: '' })
  expect(nobody.stderr).toMatch(/E_STATE_UNAVAILABLE.*127\.0\.0\.1:1/)
})
