/** Durable invocations of many days that go on from a verified checkpoint, whoever ends meanwhile or makes one up. */
import { describe, expect, test } from 'vitest'
import { RecordedInvocation } from '../../protocol/durable.ts'
import type { SandboxHost } from '../../protocol/ports.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import { checkpointForger } from '../../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'
import type { DurableEnd } from './durable.ts'
import { type Begun, isRequest, watched } from './testing/begun.ts'

const STEPS = 80
const REQUESTS_A_STEP = 3
/** Of so many steps one pays for more than a checkpoint is due for: a large array that is copied onto itself costs fuel alone. */
const EVERY = 25

/** In each step it asks another function twice, and waits. One behind the other: so all its journals are one, whoever runs it. */
const CODE = `
  const bytes = new Uint8Array(250_000)
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (steps, env, ctx) => {
    const seen = new Map()
    for (let i = 0; i < steps; i++) {
      if (i % ${EVERY} === ${EVERY - 1}) for (let k = 0; k < 90_000; k++) bytes.copyWithin(0, 0)
      const part = await ctx.call('#part', i)
      seen.set(i, part + await ctx.call('#part', -part) + Math.random())
      await sleep(1100)
    }
    return [...seen.values()]
  }
  export const part = (x) => 3 * x + 1`

const home = (world: World) => world.peers[0] as WorldPeer

/** A mesh whose first peer is the home and lends nothing; what is begun there, and elsewhere. */
const meshOf = async (
  name: string,
  lies: (i: number, host: SandboxHost) => SandboxHost = (_, host) => host,
  kindOf: (i: number) => PeerSetup = () => ({}),
) => {
  const [atHome, elsewhere]: [Begun[], Begun[]] = [[], []]
  const setup = (i: number): PeerSetup =>
    i === 0
      ? { policy: { slots: 0 }, sandboxHost: (host) => watched(host, (one) => atHome.push(one)) }
      : { ...kindOf(i), sandboxHost: (host) => watched(lies(i, host), (one) => elsewhere.push(one)) }
  const world = await worldFor(name, { peers: 4, setup })
  return { world, atHome, elsewhere, setup }
}

const begin = async (world: World, level = 'self') => {
  const published = await publish(home(world), CODE, { exports: ['default', 'part'], effects: ['call', 'sleep'] })
  const request = requestOf(published, STEPS, { level: ensureLevel(level), remote: true, timeoutMs: 24 * 60 * 60_000 })
  return world.until(home(world).peer.durable.start(request))
}

const recordedOf = async (world: World, id: string) =>
  RecordedInvocation.decode(await world.until(home(world).peer.durable.recorded(id)))

/** Moves on until it has made so many steps. */
const reach = async (world: World, id: string, steps: number) => {
  for (;;) {
    const { journal, state } = await recordedOf(world, id)
    if (journal.filter(({ entry }) => isRequest(entry)).length >= REQUESTS_A_STEP * steps) return
    expect(state).toBe('running')
    await world.clock.advance(1000)
  }
}

const endOf = (world: World, id: string) => world.until(home(world).peer.durable.wait(id))

const isLong = ({ export: name }: { export: string }) => name === 'default'

/** Who runs it now, of those that live. */
const executorOf = (world: World, dead: readonly WorldPeer[] = []) =>
  world.peers.slice(1).find((one) => !dead.includes(one) && one.peer.status().running.some(isLong)) as WorldPeer

let known: DurableEnd | undefined

/** As it ends where nobody is killed and nobody lies. */
const undisturbed = async () => {
  if (known) return known
  const { world, atHome, elsewhere } = await meshOf('undisturbed')
  const end = await endOf(world, await begin(world))
  expect([atHome.length, elsewhere]).toEqual([1, [{ requests: 0, skipped: 0, ticks: 0 }]])
  expect(end.state).toBe('done')
  known = end
  return end
}

/** Behind a checkpoint lie the requests of its own step, and of those up to the next one. */
const REPLAYED_MAX = REQUESTS_A_STEP * (EVERY + 1)

const ensureResumed = (begun: readonly Begun[]) => {
  for (const { requests, skipped } of begun) expect(requests - skipped).toBeLessThanOrEqual(REPLAYED_MAX)
}

describe('a durable invocation with checkpoints', () => {
  test('whose executors are killed goes on from the last, with no more to replay than lies behind it', async () => {
    const { world, elsewhere } = await meshOf('executors killed')
    const id = await begin(world)
    const dead: WorldPeer[] = []
    for (const steps of [30, 60]) {
      await reach(world, id, steps)
      dead.push(executorOf(world, dead))
      world.kill(dead.at(-1) as WorldPeer)
    }
    expect(await endOf(world, id)).toEqual(await undisturbed())
    expect(elsewhere).toHaveLength(3)
    expect(elsewhere.at(-1)?.skipped).toBeGreaterThan(REQUESTS_A_STEP * (60 - EVERY - 1))
    ensureResumed(elsewhere)
  })

  test('whose home is killed goes on from what it had kept: at its executor, and in its own run', async () => {
    const { world, atHome, elsewhere, setup } = await meshOf('home killed')
    const id = await begin(world)
    for (const steps of [30, 60]) {
      await reach(world, id, steps)
      const dead = home(world)
      world.kill(dead)
      await world.clock.advance(20_000)
      await world.restart(dead, setup(0))
    }
    expect(await endOf(world, id)).toEqual(await undisturbed())
    expect([atHome.length, elsewhere.length]).toEqual([3, 3])
    for (const begun of [atHome, elsewhere]) {
      expect(begun.at(-1)?.skipped).toBeGreaterThan(REQUESTS_A_STEP * (60 - EVERY - 1))
      ensureResumed(begun)
    }
  })

  test('at quorum:2 is verified from the last as well', async () => {
    const { world, elsewhere } = await meshOf('quorum')
    const id = await begin(world, 'quorum:2')
    expect(await endOf(world, id)).toEqual(await undisturbed())
    expect(elsewhere).toHaveLength(2)
    expect(elsewhere.at(-1)?.skipped).toBeGreaterThan(0)
    ensureResumed(elsewhere)
  })

  test('goes on at a page too, which replays the whole journal', async () => {
    const { world, elsewhere } = await meshOf('a page', undefined, (i) => ({ isPage: i > 1 }))
    const pages = world.peers.slice(2)
    for (const { peer } of pages) peer.pause()
    const id = await begin(world)
    await reach(world, id, 45)
    for (const { peer } of pages) peer.resume()
    world.kill(executorOf(world))
    expect(await endOf(world, id)).toEqual(await undisturbed())
    expect(elsewhere).toHaveLength(2)
    expect(elsewhere.at(-1)).toMatchObject({ skipped: 0 })
    expect(elsewhere.at(-1)?.requests).toBeGreaterThan(REQUESTS_A_STEP * 44)
    expect(home(world).events.filter(({ name }) => name === 'peer.misbehaved')).toEqual([])
  })

  test('of which an executor makes one up goes on elsewhere, from the one before', async () => {
    let forged = 0
    const { world, elsewhere } = await meshOf('forged', (i, host) =>
      i === 1 || i === 2 ? checkpointForger(host, 2, () => void forged++) : host,
    )
    // Whoever it is given to first lies.
    for (const peer of world.peers.slice(3)) peer.peer.pause()
    const id = await begin(world)
    await reach(world, id, 55)
    for (const peer of world.peers.slice(3)) peer.peer.resume()
    expect(await endOf(world, id)).toEqual(await undisturbed())
    expect(forged).toBeGreaterThan(0)
    const refused = home(world).events.filter(({ name }) => name === 'peer.misbehaved')
    expect(refused).toHaveLength(forged)
    for (const { fields } of refused) expect(fields).toMatchObject({ code: 'E_VERIFICATION_FAILED' })
    expect(elsewhere.at(-1)?.skipped).toBeGreaterThan(0)
    ensureResumed(elsewhere)
  })
})
