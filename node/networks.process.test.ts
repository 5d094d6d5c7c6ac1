/** Agents on networks of their own: found by mDNS, and by nobody else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Host, Switch } from './testing/netns.ts'
import { freshDirectory, startAgent, statusOf, type TestAgent, until, wayside } from './testing/wayside.ts'

const HELLO = 'examples/hello/hello.ts'
const SEEN = { WAYSIDE_MDNS: 'true' }

const anywhere = (port: number) => `/ip4/0.0.0.0/tcp/${port}`
const neighboursOf = async ({ data }: TestAgent) => (await statusOf(data)).neighbours.map(({ peer }) => peer)
const meets = (one: TestAgent, other: TestAgent) =>
  until(async () =>
    (await statusOf(one.data)).neighbours.some(({ peer, slots }) => peer === other.status.peer && slots > 0),
  )
const runs = async ({ data }: TestAgent, name: string) => {
  const { stdout, stderr } = await wayside([
    'run',
    HELLO,
    `{"name":"${name}"}`,
    '--remote',
    '--verify',
    'none',
    '--data',
    data,
  ])
  return stdout || stderr
}

describe('on one local network', () => {
  test('members find each other by mDNS alone, and nobody of another mesh', async () => {
    const [one, two, three] = [new Host(), new Host(), new Host()]
    const lan = new Switch()
    lan.plug(one, '10.77.0.1/24')
    lan.plug(two, '10.77.0.2/24')
    lan.plug(three, '10.77.0.3/24')
    const [dataOne, dataTwo] = [freshDirectory(), freshDirectory()]
    // A member by a ticket: its address is of no use once the other has moved.
    const inviter = await startAgent([], { netns: one.netns, data: dataOne, listen: anywhere(4001) })
    const joining = ['--join', inviter.status.ticket as string]
    const member = await startAgent(joining, { netns: two.netns, data: dataTwo, listen: anywhere(4001) })
    await Promise.all([inviter.stop(), member.stop()])
    one.readdress('10.77.0.1/24', '10.77.0.11/24')

    const first = await startAgent([], { netns: one.netns, data: dataOne, listen: anywhere(4002), env: SEEN })
    const stranger = await startAgent([], { netns: three.netns, listen: anywhere(4001), env: SEEN })
    const second = await startAgent([], { netns: two.netns, data: dataTwo, listen: anywhere(4002), env: SEEN })
    await meets(second, first)
    expect(await runs(second, 'Ada')).toContain('Hello, Ada')
    expect(await neighboursOf(stranger)).toEqual([])

    for (const { data } of [first, second])
      expect(readFileSync(join(data, 'log', 'agent.jsonl'), 'utf8')).not.toContain('127.0.0.1')
    await Promise.all([first, second, stranger].map((agent) => agent.stop()))
  })
})
