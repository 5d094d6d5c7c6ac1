import { expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import type { Log } from '../../protocol/log.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { networkConformance } from './conformance.ts'
import { createMemoryNetwork } from './memory.ts'

for (const latencyMs of [0, 2])
  networkConformance(`memory, ${latencyMs} ms`, async ({ log, failPoints }) => {
    const hub = createMemoryNetwork({ clock: systemClock, latencyMs: () => latencyMs })
    const left = hub.join('left', { log, failPoints })
    const right = hub.join('right', { log })
    return {
      left,
      right,
      address: async () => right.addresses()[0]!,
      stop: () => left.stop().then(() => right.stop()),
      kill: () => hub.kill('right'),
      deadAddress: '/memory/nobody/p2p/nobody',
      strangerId: 'stranger',
    }
  })

const log: Log = { event: () => {} }
const limits = { frameBytesMax: 100 }
const addressOf = (peer: string) => `/memory/${peer}`
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Peers on a clock that stands still; each writes down what it hears, with the instant. */
const createWorld = async (peers: string[], latencyMs: (from: string, to: string) => number) => {
  const clock = new FakeClock()
  const hub = createMemoryNetwork({ clock, latencyMs })
  const heard: string[] = []
  const say = (text: string) => void heard.push(`${clock.monotonic()} ${text}`)
  const join = async (name: string) => {
    const network = hub.join(name, { log })
    network.handle('/chat', (channel) => channel.receive(receivers(name)), limits)
    await network.start()
    return network
  }
  const receivers = (name: string) => ({
    frame: (frame: Uint8Array) => say(`${name} hears ${new TextDecoder().decode(frame)}`),
    closed: (reason: string) => say(`${name} is left: ${reason}`),
  })
  const networks = await Promise.all(peers.map(join))
  const open = async (from: number, to: string) => {
    const network = networks[from]!
    const opening = network.connect(addressOf(to)).then((peer) => network.open(peer, '/chat', limits))
    await clock.advance(1000)
    const channel = await opening
    channel.receive(receivers(network.peerId))
    return channel
  }
  return { clock, hub, networks, heard, say, open, join }
}

test('everything takes its latency, by pair and direction', async () => {
  const latencies: Record<string, number> = { 'a b': 10, 'b a': 30, 'a c': 1, 'c a': 2 }
  const { clock, networks, say, heard } = await createWorld(['a', 'b', 'c'], (from, to) => latencies[`${from} ${to}`]!)
  for (const peer of ['b', 'c'])
    void networks[0]!.connect(addressOf(peer)).then(async () => {
      say(`connected to ${peer}`)
      const channel = await networks[0]!.open(peer, '/chat', limits)
      say(`opened to ${peer}`)
      channel.receive({ frame() {}, closed() {} })
      channel.send(bytesOf('hello'))
    })
  await clock.advance(1000)
  expect(heard).toEqual([
    ...['3 connected to c', '6 opened to c', '7 c hears hello'],
    ...['40 connected to b', '80 opened to b', '90 b hears hello'],
  ])
})

test('frames keep their order however the latency varies, and the same seed gives the same run', async () => {
  const run = async () => {
    const random = randomFor('latency')
    const world = await createWorld(['a', 'b'], () => random.below(100))
    const channel = await world.open(0, 'b')
    const sent = Array.from({ length: 200 }, (_, index) => `${index}`)
    for (const text of sent) channel.send(bytesOf(text))
    await world.clock.advance(1000)
    expect(world.heard.map((line) => line.split(' hears ')[1])).toEqual(sent)
    return world.heard
  }
  expect(await run()).toEqual(await run())
})

test('a partition holds everything up, in both directions, until it heals', async () => {
  const { clock, hub, networks, heard, open, say } = await createWorld(['a', 'b', 'c'], () => 5)
  const toB = await open(0, 'b')
  const toC = await open(0, 'c')
  const start = clock.monotonic()
  toB.send(bytesOf('under way'))
  const heal = hub.partition('a', 'b')
  const healOther = hub.partition('b', 'a')
  toB.send(bytesOf('held'))
  toC.send(bytesOf('passes'))
  networks[1]!.connect(addressOf('a')).catch((error) => say(error.code))
  await clock.advance(9_999)
  expect(heard).toEqual([`${start + 5} c hears passes`])
  heal()
  heal()
  await clock.advance(1)
  expect(heard.slice(1)).toEqual([`${start + 10_000} E_UNREACHABLE`])
  healOther()
  await clock.advance(5)
  expect(heard.slice(2)).toEqual([`${start + 10_000} b hears under way`, `${start + 10_000} b hears held`])
  toB.close()
  await clock.advance(5)
  expect(heard.slice(4)).toEqual([
    `${start + 10_005} a is left: closed by this side`,
    `${start + 10_010} b is left: closed by the other side`,
  ])
})

test('a killed peer hears nothing more; what it had sent arrives before the loss; a new one can take its place', async () => {
  const { clock, hub, heard, open, join, networks } = await createWorld(['a', 'b'], () => 5)
  const toB = await open(0, 'b')
  const fromB = await open(1, 'a')
  const start = clock.monotonic()
  toB.send(bytesOf('to the dead'))
  fromB.send(bytesOf('last words'))
  hub.kill('b')
  fromB.send(bytesOf('from beyond'))
  await clock.advance(100)
  expect(heard).toEqual([
    `${start + 5} a hears last words`,
    `${start + 5} a is left: connection lost`,
    `${start + 5} a is left: connection lost`,
  ])
  await expect(networks[1]!.connect(addressOf('a'))).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  networks[1] = await join('b')
  await open(0, 'b')
  await open(1, 'a')
  expect(heard).toHaveLength(3)
})

test('a PeerId is in the hub once', async () => {
  const { hub, networks, join } = await createWorld(['a'], () => 0)
  expect(() => hub.join('a', { log })).toThrow('a is in this network already')
  await networks[0]!.stop()
  await join('a')
})
