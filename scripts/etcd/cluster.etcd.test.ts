import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isAlive } from '../test/is-alive.ts'
import { startCluster } from './cluster.ts'

const HOLDER = fileURLToPath(new URL('./cluster-holder.ts', import.meta.url))

const post = async (url: string, body: object) => {
  const signal = AbortSignal.timeout(1000)
  const reply = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal }).catch(() => undefined)
  return (await reply?.json()) as Record<string, unknown> | undefined
}

test('a quorum goes on when the leader is killed, and the leader comes back to what was written meanwhile', async () => {
  await using held = { cluster: await startCluster(), [Symbol.asyncDispose]: async () => held.cluster.close() }
  const { cluster } = held
  const lost = await cluster.leader()
  if (lost === undefined) throw new Error('nobody leads')
  await cluster.kill(lost)
  const other = cluster.endpoints[(lost + 1) % 3]
  const put = { key: btoa('a'), value: btoa('1') }
  // What a node has passed on to a leader that is dead is never answered.
  await expect.poll(() => post(`${other}/v3/kv/put`, put)).toHaveProperty('header')
  await cluster.start(lost)
  const range = { key: btoa('a') }
  await expect.poll(() => post(`${cluster.endpoints[lost]}/v3/kv/range`, range)).toMatchObject({ kvs: [put] })
  const { pids } = cluster
  expect(pids.length).toBe(3)
  cluster.pause(lost)
  await cluster.close()
  expect(pids.filter(isAlive)).toEqual([])
})

test('a cluster ends with the process that started it, also when that is killed', async () => {
  const holder = spawn(process.execPath, [HOLDER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(holder.stdout), 'line')
  const pids = JSON.parse(line) as number[]
  expect(pids.filter(isAlive).length).toBe(3)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await expect.poll(() => pids.filter(isAlive)).toEqual([])
})
