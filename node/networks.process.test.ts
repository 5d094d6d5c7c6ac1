/** Agents on networks of their own: found by mDNS, flooded, behind NAT, and on the move. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Host, Switch } from './testing/netns.ts'
import { freshDirectory, startAgent, statusOf, type TestAgent, until, wayside } from './testing/wayside.ts'

const HELLO = 'examples/hello/hello.ts'
const SEEN = { WAYSIDE_MDNS: 'true' }
const LENDS_NOTHING = ['--cpus', '0']

const anywhere = (port: number) => `/ip4/0.0.0.0/tcp/${port}`
const logOf = ({ data }: TestAgent) => readFileSync(join(data, 'log', 'agent.jsonl'), 'utf8')
const neighboursOf = async ({ data }: TestAgent) => (await statusOf(data)).neighbours
const peersOf = async (agent: TestAgent) => (await neighboursOf(agent)).map(({ peer }) => peer)
const meets = (one: TestAgent, other: TestAgent) =>
  until(async () => (await neighboursOf(one)).some(({ peer, slots }) => peer === other.status.peer && slots > 0))

/** What another agent answers to a call by this one. */
const answered = async ({ data }: TestAgent, name: string) => {
  const args = ['run', HELLO, JSON.stringify({ name }), '--remote', '--verify', 'none', '--data', data]
  const { stdout, stderr } = await wayside(args)
  return stdout || stderr
}

/** Two members of one mesh on one network, which know no address of each other that still holds. */
const movedApart = async () => {
  const [one, two] = [new Host(), new Host()]
  const lan = new Switch()
  lan.plug(one, '10.77.0.1/24')
  lan.plug(two, '10.77.0.2/24')
  const [dataOne, dataTwo] = [freshDirectory(), freshDirectory()]
  const inviter = await startAgent([], { netns: one.netns, data: dataOne, listen: anywhere(4001) })
  const joining = ['--join', inviter.status.ticket as string]
  const member = await startAgent(joining, { netns: two.netns, data: dataTwo, listen: anywhere(4001) })
  await Promise.all([inviter.stop(), member.stop()])
  one.readdress('10.77.0.1/24', '10.77.0.11/24')
  two.readdress('10.77.0.2/24', '10.77.0.12/24')
  return { lan, one, two, dataOne, dataTwo }
}

/** Sends packets that name the service as fast as it can, for a while. */
const FLOOD = `
  const { createSocket } = require('node:dgram')
  const socket = createSocket('udp4')
  const packet = Buffer.concat([Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 2]), Buffer.alloc(1400, 'wayside')])
  const endMs = Date.now() + 2000
  socket.bind(0, () => {
    socket.setMulticastInterface(process.argv[1])
    const send = () => {
      if (Date.now() > endMs) return socket.close()
      for (let i = 0; i < 200; i++) socket.send(packet, 5353, '224.0.0.251')
      setTimeout(send, 5)
    }
    send()
  })`

describe('on one local network', () => {
  test('members find each other by mDNS alone, nobody of another mesh, and also in a flood of packets', async () => {
    const { lan, one, two, dataOne, dataTwo } = await movedApart()
    const three = new Host()
    lan.plug(three, '10.77.0.3/24')
    const first = await startAgent([], { netns: one.netns, data: dataOne, listen: anywhere(4002), env: SEEN })
    const stranger = await startAgent([], { netns: three.netns, listen: anywhere(4001), env: SEEN })
    const second = await startAgent([], { netns: two.netns, data: dataTwo, listen: anywhere(4002), env: SEEN })
    await meets(second, first)
    expect(await answered(second, 'Ada')).toContain('Hello, Ada')
    three.run(process.execPath, '-e', FLOOD, '10.77.0.3')
    await until(() => logOf(first).includes('discovery.flooded'))
    expect(await answered(first, 'Bob')).toContain('Hello, Bob')
    expect(await peersOf(stranger)).toEqual([])
    await Promise.all([first, second, stranger].map((agent) => agent.stop()))
  })

  test('a program without an agent calls as the member that it was', async () => {
    const { one, two, dataOne, dataTwo } = await movedApart()
    const agent = await startAgent([], { netns: one.netns, data: dataOne, listen: anywhere(4002), env: SEEN })
    const program = `
      import { connect, fn } from ${JSON.stringify(join(process.cwd(), 'node/sdk.ts'))}
      const mesh = await connect({ data: ${JSON.stringify(dataTwo)} })
      console.log(await mesh.call(fn(${JSON.stringify(join(process.cwd(), HELLO))}), { name: 'Eve' }, { remote: true }))
      await mesh.close()`
    const options = { encoding: 'utf8' as const, env: { PATH: process.env.PATH, ...SEEN } }
    const node = ['netns', 'exec', two.netns, process.execPath, '--input-type=module', '-e', program]
    expect(execFileSync('ip', node, options)).toContain('Hello, Eve')
    await agent.stop()
  })

  test('an agent whose address changes is found again, and finds the others', async () => {
    const [one, two] = [new Host(), new Host()]
    const lan = new Switch()
    lan.plug(one, '10.77.0.1/24')
    lan.plug(two, '10.77.0.2/24')
    const first = await startAgent([], { netns: one.netns, listen: anywhere(4001) })
    const joining = ['--join', first.status.ticket as string]
    const second = await startAgent(joining, { netns: two.netns, listen: anywhere(4001) })
    await meets(first, second)
    two.readdress('10.77.0.2/24', '10.77.0.22/24')
    await until(async () => (await neighboursOf(first)).some(({ addresses }) => `${addresses}`.includes('10.77.0.22')))
    await until(async () => (await answered(first, 'Cid')).includes('Hello, Cid'))
    expect(await answered(second, 'Dan')).toContain('Hello, Dan')
    await Promise.all([first, second].map((agent) => agent.stop()))
  })
})

test('an agent behind NAT works for the peer that it dialled, and for one that comes later and cannot dial it', async () => {
  const [outside, later, router, inside] = [new Host(), new Host(), new Host(), new Host()]
  const [internet, home] = [new Switch(), new Switch()]
  internet.plug(outside, '198.51.100.1/24')
  internet.plug(later, '198.51.100.2/24')
  internet.plug(router, '198.51.100.254/24')
  home.plug(router, '192.168.7.1/24')
  home.plug(inside, '192.168.7.2/24')
  inside.routeBy('192.168.7.1')
  router.masquerade()
  const known = await startAgent(LENDS_NOTHING, { netns: outside.netns, listen: anywhere(4001) })
  const joining = ['--join', known.status.ticket as string]
  const hidden = await startAgent(joining, { netns: inside.netns, listen: anywhere(4001) })
  await meets(known, hidden)
  expect(await answered(known, 'Ada')).toContain('Hello, Ada')
  const third = await startAgent([...joining, ...LENDS_NOTHING], { netns: later.netns, listen: anywhere(4001) })
  await meets(third, hidden)
  expect(await answered(third, 'Bob')).toContain('Hello, Bob')
  await Promise.all([known, hidden, third].map((agent) => agent.stop()))
})
