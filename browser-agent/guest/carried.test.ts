import { expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { networkConformance } from '../../peer/network/conformance.ts'
import { createMemoryNetwork } from '../../peer/network/memory.ts'
import type { Channel } from '../../protocol/ports.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { countCarried } from './carried.ts'

networkConformance('counted', async ({ log, failPoints }) => {
  const hub = createMemoryNetwork({ clock: systemClock, latencyMs: () => 0 })
  const left = countCarried(hub.join('left', { log, failPoints }), systemClock, () => {})
  const right = countCarried(hub.join('right', { log }), systemClock, () => {})
  return {
    ...{ left, right, deadAddress: '/memory/nobody/p2p/nobody', strangerId: 'stranger' },
    address: async () => right.addresses()[0] as string,
    stop: () => left.stop().then(() => right.stop()),
    kill: () => hub.kill('right'),
  }
})

test('counts what is sent and what comes, on channels of either side, and tells it in sums', async () => {
  const clock = new FakeClock()
  const hub = createMemoryNetwork({ clock, latencyMs: () => 1 })
  const told = { left: [] as number[], right: [] as number[] }
  const join = (name: 'left' | 'right') =>
    countCarried(hub.join(name, { log: { event() {} } }), clock, (bytes) => told[name].push(bytes))
  const [left, right] = [join('left'), join('right')]
  const limits = { frameBytesMax: 10_000 }
  right.handle(
    '/answer',
    (channel: Channel) => channel.receive({ frame: () => void channel.send(new Uint8Array(5000)), closed() {} }),
    limits,
  )
  await Promise.all([left.start(), right.start()])
  const opening = left.connect('/memory/right').then((peer) => left.open(peer, '/answer', limits))
  await clock.advance(100)
  const channel = await opening
  channel.receive({ frame() {}, closed() {} })
  for (let i = 0; i < 10; i++) channel.send(new Uint8Array(1000))
  await clock.advance(1000)
  for (const counts of [told.left, told.right]) {
    expect(counts).toHaveLength(1)
    // 60 kB of frames, and what goes with them.
    expect(counts[0]).toBe(62_000)
  }
})
