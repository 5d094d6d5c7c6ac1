/** What a home has kept of a durable invocation, run again by somebody else. */
import { describe, expect, test } from 'vitest'
import { RecordedInvocation } from '../../protocol/durable.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { elsewhere } from '../../scripts/test/receipt-files.ts'
import { machine, publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { World, WorldPeer } from '../../simulations/world.ts'
import { openInvocation, type Recording, type ReplayOptions } from '../replay.ts'

const home = (world: World) => world.peers[0] as WorldPeer

const meshOf = (name: string) => worldFor(name, { peers: 3, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

/** Counts, waits a second, has a part computed, waits a minute, and counts on. */
const COUNTS = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (x, env, ctx) => {
    const n = ((await env.DB.get('n')) ?? 0) + x
    const begun = await ctx.now()
    await sleep(1000)
    const part = await ctx.call('#part', x)
    if (x === 13) throw new Error('unlucky')
    await sleep(60_000)
    env.DB.put('n', n)
    return { n, part, chance: Math.random(), took: (await ctx.now()) - begun }
  }
  export const part = (x) => 10 * x
`

const begin = async (world: World, input: Value = 4, timeoutMs = 600_000) => {
  const published = await publish(home(world), COUNTS, {
    ...{ exports: ['default', 'part'], effects: ['call', 'now', 'sleep', 'get', 'put'] },
    env: [{ name: 'DB', kind: 'state' }],
  })
  const grants = { DB: { state: 'counts' } }
  const level = { level: 'self' } as const
  const request = requestOf(published, input, { level, grants, timeoutMs, remote: false })
  return world.until(home(world).peer.durable.start(request))
}

const recordingOf = async (world: World, id: string, engines = ENGINES): Promise<Recording> =>
  openInvocation(machine.crypto, engines, id, await world.until(home(world).peer.durable.recorded(id)))

const replayed = (recording: Recording, options?: ReplayOptions) => elsewhere().replayed(recording, options)

describe('a durable invocation, by its id:', () => {
  test('one that has ended is the same, bit for bit, and each entry has its time', async () => {
    const world = await meshOf('ended')
    const id = await begin(world)
    const begunMs = world.clock.now()
    await world.until(home(world).peer.durable.wait(id))
    const recording = await recordingOf(world, id)
    expect(recording).toMatchObject({ invocation: id, signed: undefined, kept: { state: 'done', created_ms: begunMs } })
    const { difference, gives, pending } = await replayed(recording)
    expect({ difference, pending }).toEqual({ difference: undefined, pending: undefined })
    expect(gives?.result.ok && decodeValue(gives.result.value)).toMatchObject({ n: 4, part: 40 })
    const times = recording.journal.map((entry) => recording.times.get(entry) as number)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(begunMs)
    expect((times.at(-1) as number) - begunMs).toBeGreaterThanOrEqual(61_000)
  })

  test('one that runs, as far as it has come', async () => {
    const world = await meshOf('runs')
    const id = await begin(world)
    await world.clock.advance(20_000)
    const recording = await recordingOf(world, id)
    expect(recording).toMatchObject({ outcome: undefined, says: undefined, kept: { state: 'running' } })
    expect(
      recording.journal.filter(({ entry }) => entry === 'request').map((one) => 'kind' in one && one.kind),
    ).toEqual(['get', 'now', 'sleep', 'call', 'sleep'])
    expect(await replayed(recording)).toMatchObject({
      ...{ difference: undefined, gives: undefined, stopped: undefined, pending: { request: undefined } },
    })
    expect((await replayed(recording, { until: 3 })).stopped?.request).toMatchObject({ n: 3, kind: 'call' })
  })

  test('one that threw, one that was cancelled, one whose time was over', async () => {
    const world = await meshOf('others')
    const [threw, cancelled, late] = [await begin(world, 13), await begin(world), await begin(world, 5, 30_000)]
    const { durable } = home(world).peer
    await world.until(durable.wait(threw))
    await world.until(durable.cancel(cancelled))
    await world.until(durable.wait(late))
    const thrown = await replayed(await recordingOf(world, threw))
    expect(thrown).toMatchObject({ difference: undefined, gives: { result: { ok: false, message: 'Error: unlucky' } } })
    for (const [id, state] of [
      [cancelled, 'cancelled'],
      [late, 'failed'],
    ] as const) {
      const recording = await recordingOf(world, id)
      expect(recording.kept).toMatchObject({ state })
      const { difference, gives } = await replayed(recording)
      expect({ difference, gives }).toEqual({ difference: undefined, gives: undefined })
    }
  })

  test('one whose home was killed goes on in the same journal, times included', async () => {
    const world = await meshOf('killed')
    const id = await begin(world)
    const begunMs = world.clock.now()
    await world.clock.advance(20_000)
    world.kill(home(world))
    await world.clock.advance(5000)
    const reborn = await world.restart(home(world), { policy: { slots: 0 } })
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
    await world.until(reborn.peer.durable.wait(id))
    const recording = await recordingOf(world, id)
    expect(await replayed(recording)).toMatchObject({ difference: undefined, gives: { result: { ok: true } } })
    expect(recording.times.get(recording.journal[0]!)! - begunMs).toBeLessThan(20_000)
  })

  test('an engine that is not here is named', async () => {
    const world = await meshOf('engine')
    const id = await begin(world)
    const engine = ENGINES[0] as string
    const refused = expect(recordingOf(world, id, ['quickjs:other'])).rejects
    await refused.toMatchObject({ code: 'E_ENGINE_UNAVAILABLE', fields: { engine } })
  })

  test('one with a gap in its journal, an answer twice or one that is missing is refused, and why', async () => {
    const world = await meshOf('faults')
    const id = await begin(world)
    await world.until(home(world).peer.durable.wait(id))
    const recorded = RecordedInvocation.decode(await world.until(home(world).peer.durable.recorded(id)))
    const { journal } = recorded
    const isAnswer = ({ entry }: (typeof journal)[number]) => entry.entry === 'answer' && entry.n === 0
    const faults: [says: RegExp, journal: typeof journal][] = [
      [/not whole: an answer to request 1, which waits for none/, journal.filter(({ entry }) => entry.n !== 0)],
      [/not whole: an answer to request 0, which waits for none/, [...journal, ...journal.filter(isAnswer)]],
      [/not whole: an answer to request 1, which waits for none/, journal.filter((one) => !isAnswer(one))],
    ]
    const open = (changed: typeof journal) =>
      openInvocation(machine.crypto, ENGINES, id, RecordedInvocation.encode({ ...recorded, journal: changed }))
    expect(() => open(journal)).not.toThrow()
    for (const [says, changed] of faults)
      expect(() => open(changed)).toThrow(
        expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringMatching(says) }),
      )
  })

  test('one that is not known is refused', async () => {
    const world = await meshOf('unknown')
    await expect(home(world).peer.durable.recorded('nonsense')).rejects.toMatchObject({ code: 'E_USAGE' })
  })
})
