/** Real agents on machines with real faults: a full disk, a damaged database, a lid that closes, a sandbox that is killed. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { childrenOf, textOf } from '../scripts/processes.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { readLogFile } from './log/file.ts'
import { writeFunctions } from './testing/functions.ts'
import {
  begin,
  freshDirectory,
  freshProject,
  startAgent,
  startMesh,
  statusOf,
  type TestAgent,
  until,
  wayside,
} from './testing/wayside.ts'

const cwd = writeFunctions()
/** Keeps more with each count than a full disk has left. */
const COUNT = `export default async (x, { DB }) => {
  const n = ((await DB.get('n')) ?? 0) + 1
  DB.put('filler', crypto.getRandomValues(new Uint8Array(60_000)))
  DB.put('n', n)
  return n
}`
const counting = freshProject({ DB: { state: 'counts' } }, { 'count.js': COUNT })
const isWith = async (one: TestAgent, other: TestAgent) =>
  (await statusOf(one.data)).neighbours.some(({ peer }) => peer === other.status.peer)
/** What a call through `agent` printed. */
const call = async (agent: TestAgent, file: string, input: string, more: string[] = [], from = cwd) => {
  const { stdout, stderr, status } = await wayside(['run', file, input, '--json', '--data', agent.data, ...more], {
    cwd: from,
  })
  return { status, stderr, ...(stdout && JSON.parse(stdout)) }
}
/** Lines of a map's output that hold a value. */
const valuesIn = (stdout: string) => stdout.split('\n').filter((line) => line.includes('"value"'))
const blamed = ({ data }: TestAgent) =>
  readLogFile(data).filter(({ event }) => ['peer.misbehaved', 'peer.expelled', 'internal.error'].includes(event))

test('a full disk: the agent stays up, says so, works on, and keeps again once there is room', async () => {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a small file system, and so needs root')
  const data = freshDirectory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', data])
  onTestFinished(async () => {
    await full.stop('SIGKILL')
    execFileSync('umount', ['-l', data])
  })
  const first = await startAgent()
  const full = await startAgent(['--join', first.status.ticket as string], { data })
  await until(() => isWith(first, full))
  expect(await call(first, 'square.ts', '3', ['--verify', 'none', '--remote'])).toMatchObject({ value: 9 })
  let counted = 0
  const count = (more: string[] = []) => {
    counted++
    return call(full, 'count.js', 'null', more, counting)
  }
  expect(await count()).toMatchObject({ value: 1 })
  const ballast = join(data, 'ballast')
  expect(() => writeFileSync(ballast, new Uint8Array(16 << 20))).toThrow('ENOSPC')
  // What it has in memory it runs; what it would have to keep it gives back, and says why.
  expect(await call(first, 'square.ts', '4', ['--verify', 'none', '--remote'])).toMatchObject({ value: 16 })
  writeFileSync(
    join(cwd, 'large.ts'),
    `export default () => ${JSON.stringify(randomFor('large').bytes(400_000).join())}.length`,
  )
  const refused = await call(first, 'large.ts', '5', ['--verify', 'none', '--remote'])
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toMatch(/E_STORAGE|E_STORAGE_FULL/)
  // What it has no room to write it refuses; what it has no time to write it says nothing of.
  await until(async () => /error E_STORAGE: nothing was written/.test((await count(['--timeout', '2s'])).stderr))
  expect(await statusOf(data)).toMatchObject({ pid: full.pid })
  writeFileSync(ballast, '')
  // The one that was refused counts for nothing.
  const { value } = await count()
  expect(value).toBeGreaterThan(1)
  expect(value).toBeLessThan(counted)
  await until(async () => (await call(first, 'echo.ts', '"again"', ['--verify', 'none', '--remote'])).value === 'again')
  const { blocks } = (await statusOf(data)).disk
  expect(blocks).toBeGreaterThan(2)
  expect(blamed(first)).toEqual([])
})

test('a damaged database: the same peer of the same mesh comes back, and says what was lost', async () => {
  const [first, second] = (await startMesh(2)) as [TestAgent, TestAgent]
  for (const file of ['square.ts', 'hello.ts']) await call(second, file, '{"name":"Ada"}')
  await second.stop()
  const random = randomFor('damage')
  const database = join(second.data, 'db')
  for (const name of readdirSync(database)) {
    const content = readFileSync(join(database, name))
    for (let at = 0; at < content.length; at += 64) content[at] = random.below(256)
    writeFileSync(join(database, name), content)
  }
  const again = await startAgent([], { data: second.data })
  expect(again.status).toMatchObject({ peer: second.status.peer, mesh: first.status.mesh })
  await until(() => isWith(again, first))
  expect(await call(again, 'square.ts', '5', ['--verify', 'none', '--remote'])).toMatchObject({ value: 25 })
  const said = readLogFile(second.data).filter(({ event }) => event === 'storage.failed')
  expect(said.map(({ reason }) => reason).join()).toMatch(/the database in .* was damaged/)
})

test('a lid that closes for 11 s: its calls are answered by others, it is back by itself, and nobody is blamed', async () => {
  const agents = (await startMesh(3)) as [TestAgent, TestAgent, TestAgent]
  const [first, sleeper, other] = agents
  const mapping = begin(['map', 'slow.ts', '--range', '0..399', '--verify', 'none', '--data', first.data], { cwd })
  await until(async () => (await statusOf(sleeper.data)).running.length > 0)
  process.kill(sleeper.pid, 'SIGSTOP')
  const stoppedMs = performance.now()
  const { stdout } = await mapping.ended
  expect(valuesIn(stdout)).toHaveLength(400)
  // Longer than any attempt, receipt or block is waited for.
  await sleep(11_000 - (performance.now() - stoppedMs))
  process.kill(sleeper.pid, 'SIGCONT')
  const wokenMs = performance.now()
  await until(
    async () => (await isWith(sleeper, first)) && (await isWith(sleeper, other)) && (await isWith(first, sleeper)),
  )
  expect(performance.now() - wokenMs).toBeLessThan(20_000)
  expect(await call(sleeper, 'square.ts', '6', ['--verify', 'audit', '--remote'])).toMatchObject({ value: 36 })
  expect(agents.flatMap(blamed)).toEqual([])
})

test('a sandbox that is killed while it runs: its item is done elsewhere, and another sandbox takes its place', async () => {
  const [first, second] = (await startMesh(3)) as [TestAgent, TestAgent, TestAgent]
  const mapping = begin(['map', 'slow.ts', '--range', '0..199', '--verify', 'none', '--data', first.data], { cwd })
  const sandboxes = () => childrenOf(second.pid).filter((pid) => textOf(`/proc/${pid}/cmdline`)?.includes('sandbox'))
  for (let kill = 0; kill < 3; kill++) {
    await until(() => sandboxes().length > 0)
    for (const pid of sandboxes()) process.kill(pid, 'SIGKILL')
    await sleep(200)
  }
  const { stdout } = await mapping.ended
  expect(valuesIn(stdout)).toHaveLength(200)
  expect((await statusOf(second.data)).pid).toBe(second.pid)
  expect(await call(first, 'square.ts', '7', ['--verify', 'none', '--remote'])).toMatchObject({ value: 49 })
  expect(blamed(first)).toEqual([])
})
