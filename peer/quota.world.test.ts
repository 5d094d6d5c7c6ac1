/** Invokers that ask for a hundred times what they may have, while another one wants a little. */
import { describe, expect, test } from 'vitest'
import type { FrameOf } from '../protocol/frames.ts'
import type { Value } from '../protocol/values.ts'
import type { ScriptedPeer } from '../scripts/test/scripted-peer.ts'
import { requestOf, returned } from '../scripts/test/world.ts'
import { QUEUE_ITEMS_MAX, QUOTA_DEFAULT, type Quota } from './admission.ts'
import { hostAnd, join, running } from './attacked-host.ts'

const MINUTE_MS = 60_000

const hostWith = (name: string, quota: Partial<Quota>, delayMs: number) =>
  hostAnd(name, { delayMs, policy: { quota: { ...QUOTA_DEFAULT, ...quota } } })

let nextId = 1
/** As `invoke`, with ids that no other frame has. */
const invoke = async (peer: ScriptedPeer, double: Parameters<ScriptedPeer['invoke']>[0], inputs: Value[]) => {
  const frame = await peer.invoke(double, inputs)
  return { ...frame, items: frame.items.map((item) => ({ ...item, id: nextId++ })) } as FrameOf<'invoke'>
}

const acceptedItems = (peer: ScriptedPeer) => peer.all('accepted').reduce((sum, { ids }) => sum + ids.length, 0)
const refusals = (peer: ScriptedPeer) => [...new Set(peer.all('refused').map(({ code }) => code))]
const refusedItems = (peer: ScriptedPeer) => peer.all('refused').reduce((sum, { ids }) => sum + ids.length, 0)

/** What a call of somebody else takes meanwhile, in ms of the world. */
const timeOfCall = async ({ world, caller, double }: Awaited<ReturnType<typeof hostAnd>>): Promise<number> => {
  const fromMs = world.clock.monotonic()
  expect(returned(await world.until(caller.peer.call(requestOf(double, 4))))).toBe(8)
  return world.clock.monotonic() - fromMs
}

describe('a hundred times over the quota of', () => {
  test('items under way: no more are ever there, and the refusal says which quota and when to come back', async () => {
    const scene = await hostWith('items', { items: 8 }, 1000)
    const { world, host, double } = scene
    const flooder = await join(world, host)
    for (let i = 0; i < 800; i++) flooder.send(await invoke(flooder, double, [i]))
    await world.clock.advance(10)
    expect(running(host)).toBe(8)
    expect([refusals(flooder), refusedItems(flooder)]).toEqual([['E_QUOTA'], 792])
    expect(flooder.all('refused')[0]?.message).toMatch(/you have 8 tasks here .* come back when some are done/)
    expect(await timeOfCall(scene)).toBeLessThan(2500)
    await world.clock.advance(10_000)
    await flooder.say(await invoke(flooder, double, [1]))
    expect(running(host)).toBe(1)
  })

  test('fuel: over minutes no more is burnt than they allow', async () => {
    const probe = await hostAnd('probe')
    const { outcome } = await probe.world.until(probe.caller.peer.call(requestOf(probe.double, 1)))
    const fuelPerMinute = 20 * Math.max(1, outcome.fuel)
    const scene = await hostWith('fuel', { fuelPerMinute }, 5)
    const { world, host, double } = scene
    const flooder = await join(world, host)
    // A hundred times as many as 3 minutes allow.
    for (let second = 0; second < 180; second++) {
      for (let i = 0; i < 34; i++) flooder.send(await invoke(flooder, double, [i]))
      await world.clock.advance(1000)
    }
    expect(refusals(flooder)).toEqual(['E_QUOTA'])
    expect(flooder.all('refused').at(-1)?.message).toMatch(/fuel a minute .*come back in \d+ s/)
    const burnt = host.peer.status().today.fuel
    expect(burnt).toBeGreaterThan(3 * fuelPerMinute)
    expect(burnt).toBeLessThan(4 * fuelPerMinute + 40 * outcome.fuel)
    expect(await timeOfCall(scene)).toBeLessThan(500)
  })

  test('bytes: over minutes no more are taken, and a batch that never fits is told so', async () => {
    const bytesPerMinute = 100_000
    const scene = await hostWith('bytes', { bytesPerMinute }, 5)
    const { world, host, double } = scene
    const flooder = await join(world, host)
    const input = new Uint8Array(10_000)
    for (let i = 0; i < 1000; i++) flooder.send(await invoke(flooder, double, [input]))
    await world.clock.advance(2 * MINUTE_MS)
    for (let i = 0; i < 1000; i++) flooder.send(await invoke(flooder, double, [input]))
    await world.clock.advance(1000)
    expect(refusals(flooder)).toEqual(['E_QUOTA'])
    expect(host.peer.status().today.bytes).toBeLessThanOrEqual(2 * bytesPerMinute)
    expect(host.peer.status().today.bytes).toBeGreaterThan(bytesPerMinute)
    await flooder.say(await invoke(flooder, double, [new Uint8Array(bytesPerMinute)]))
    expect(flooder.all('refused').at(-1)?.message).toMatch(/send less at once/)
    expect(await timeOfCall(scene)).toBeLessThan(500)
  })

  test('the queue: half of it while others ask, and theirs are next in turn', async () => {
    const scene = await hostWith('share', {}, 1000)
    const { world, host, double } = scene
    const flooder = await join(world, host)
    const other = await join(world, host)
    await other.say(await invoke(other, double, [1]))
    const inputs = Array.from({ length: 64 }, (_, i) => i)
    // A hundred times its half, in frames that are each asked for fifty times, under new ids.
    const frames = await Promise.all(
      Array.from({ length: QUEUE_ITEMS_MAX / 64 }, () => invoke(flooder, double, inputs)),
    )
    for (let round = 0; round < 50; round++) {
      for (const frame of frames) {
        flooder.send({ ...frame, items: frame.items.map((item) => ({ ...item, id: nextId++ })) })
      }
      await world.clock.advance(1)
    }
    expect(acceptedItems(flooder)).toBe(QUEUE_ITEMS_MAX / 2)
    expect(refusals(flooder)).toEqual(['E_QUOTA'])
    expect(flooder.all('refused')[0]?.message).toMatch(/others asked .* one peer may then have 2048 places/)
    // Two slots, each busy for a second with what was there before.
    expect(await timeOfCall(scene)).toBeLessThan(3500)
  })
})

test('whoever fills the queue while nobody else asks makes room as soon as somebody does', async () => {
  const scene = await hostWith('full', {}, 1000)
  const { world, host, double } = scene
  const flooder = await join(world, host)
  const inputs = Array.from({ length: 64 }, (_, i) => i)
  const flood = async () => flooder.send(await invoke(flooder, double, inputs))
  for (let i = 0; i < 70; i++) await flood()
  await world.clock.advance(20)
  expect(acceptedItems(flooder)).toBe(QUEUE_ITEMS_MAX)
  expect(refusals(flooder)).toEqual(['E_BUSY'])
  let isFlooding = true
  const again = () => {
    if (isFlooding) void flood().then(() => world.clock.after(100, again))
  }
  again()
  expect(await timeOfCall(scene)).toBeLessThan(5000)
  isFlooding = false
})

test('one honest user meets no quota', async () => {
  const scene = await hostWith('honest', {}, 1)
  const { world, host, double } = scene
  const user = await join(world, host)
  const inputs = Array.from({ length: 1000 }, (_, i) => i)
  for (let round = 0; round < 4; round++) await user.say(await invoke(user, double, inputs))
  await world.clock.advance(5000)
  expect(user.all('refused')).toEqual([])
  expect(running(host)).toBe(0)
})
