import { describe, expect, test } from 'vitest'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { MIB } from '../protocol/limits.ts'
import type { SandboxHost } from '../protocol/ports.ts'
import { outcomeOf, type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import type { CallRequest } from './calls.ts'

const DOUBLE = 'export default (x) => 2 * x'
const slow = (delayMs: () => number): PeerSetup => ({ sandboxHost: (host, clock) => slowHost(host, clock, delayMs) })

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

const callerAndTwo = (name: string, ms: number) =>
  callerAnd(
    name,
    slow(() => ms),
    slow(() => ms),
  )

/** A call of peer 0 that is under way when this resolves. */
const begin = async (world: World, changes: Partial<CallRequest> = {}) => {
  const caller = world.peers[0]!
  const double = await publish(caller, DOUBLE)
  const result = caller.peer.call(requestOf(double, 21, changes))
  result.catch(() => {})
  await world.clock.advance(100)
  return { result }
}
const runningAt = ({ peer }: WorldPeer) => peer.status().running.length
const whoRuns = (world: World) => world.peers.findIndex((one) => runningAt(one) > 0)

/** Ms until peer `i` runs something. */
const msUntilRuns = async (world: World, i: number) => {
  const fromMs = world.clock.monotonic()
  while (runningAt(world.peers[i]!) === 0) await world.clock.advance(10)
  return world.clock.monotonic() - fromMs
}

describe('an executor is replaced within 2 s', () => {
  test.each<[string, (world: World, executor: WorldPeer) => void]>([
    ['dies', (world, executor) => world.kill(executor)],
    ['falls silent', (world, executor) => void world.hub.partition(world.peers[0]!.peerId, executor.peerId)],
    ['stops', (_, executor) => void executor.peer.stop()],
    ['withdraws', (_, executor) => executor.peer.withdraw()],
  ])('when it %s in the middle of a run', async (how, end) => {
    const world = await callerAndTwo(how, 5000)
    // So that the invoker looks just before the instants at which executors say that they work, and at which they count as lost.
    await world.clock.advance(97)
    const { result } = await begin(world)
    const first = whoRuns(world)
    await world.clock.advance(560)
    end(world, world.peers[first]!)
    expect(await msUntilRuns(world, 3 - first)).toBeLessThanOrEqual(1300)
    const { performed, executions, recovered, ...rest } = await world.until(result)
    expect(returned(rest as never)).toBe(42)
    expect([executions, recovered, performed[0]!.executor]).toEqual([2, 1, world.peers[3 - first]!.peerId])
  })

  test('when its sandbox dies with every run', async () => {
    const dying = (host: SandboxHost): SandboxHost => ({
      spawn: () => {
        const process = host.spawn()
        return { ...process, receive: (handlers) => process.receive(handlers), kill() {}, send: () => process.kill() }
      },
    })
    const world = await callerAnd('sandbox', { sandboxHost: dying }, {})
    const results = []
    for (let i = 0; i < 5; i++) results.push(await world.until((await begin(world)).result))
    expect(results.map(returned)).toEqual([42, 42, 42, 42, 42])
    expect(new Set(results.map(({ performed }) => performed[0]!.executor))).toEqual(new Set([world.peers[2]!.peerId]))
  })

  test('as often as it takes', async () => {
    const world = await callerAnd('often', ...Array.from({ length: 5 }, () => slow(() => 5000)))
    const { result } = await begin(world)
    for (let left = 4; left > 0; left--) {
      const executor = world.peers[whoRuns(world)]!
      world.kill(executor)
      world.peers.splice(world.peers.indexOf(executor), 1)
      await world.clock.advance(1000)
    }
    expect(await world.until(result)).toMatchObject({ executions: 5, recovered: 4 })
  })
})

test('who was lost in silence is asked again as soon as it is heard of', async () => {
  const setup = slow(() => 5000)
  const world = await callerAnd('heard again', setup, setup)
  const { result } = await begin(world)
  const first = whoRuns(world)
  const wake = world.suspend(world.peers[first]!)
  await msUntilRuns(world, 3 - first)
  wake()
  await world.clock.advance(100)
  expect(runningAt(world.peers[first]!)).toBe(0)
  world.kill(world.peers[3 - first]!)
  expect(await msUntilRuns(world, first)).toBeLessThanOrEqual(100)
  expect(returned((await world.until(result)) as never)).toBe(42)
})

test('an honest call of 60 s is never cut', async () => {
  const world = await callerAndTwo('honest', 60_000)
  const fromMs = world.clock.monotonic()
  const result = await world.until((await begin(world, { timeoutMs: 120_000 })).result)
  expect(returned(result)).toBe(42)
  expect(result).toMatchObject({ executions: 1, recovered: 0 })
  expect(world.clock.monotonic() - fromMs).toBeGreaterThanOrEqual(60_000)
  expect(world.peers[0]!.events.filter(({ name }) => name === 'call.lost' || name === 'call.hedged')).toEqual([])
})

test('after a pause of our own, nobody counts as lost whose word was only waiting to be read', async () => {
  const world = await callerAndTwo('asleep', 10_000)
  const { result } = await begin(world, { timeoutMs: 60_000 })
  const executor = world.peers[whoRuns(world)]!
  const heal = world.hub.partition(world.peers[0]!.peerId, executor.peerId)
  const { after } = world.peers[0]!.ports.clock
  const held: (() => void)[] = []
  // All timers of the caller ring late, as when its lid was closed.
  world.peers[0]!.ports.clock.after = (delayMs, run) => after(delayMs, () => void held.push(run))
  await world.clock.advance(3000)
  world.peers[0]!.ports.clock.after = after
  for (const run of held) run()
  heal()
  expect(await world.until(result)).toMatchObject({ executions: 1, recovered: 0 })
})

test('a slow execution gets a second one elsewhere, and the first that answers wins', async () => {
  const delays = [5, 5, 5]
  const world = await callerAnd(
    'hedged',
    slow(() => delays[1]!),
    slow(() => delays[2]!),
  )
  for (let i = 0; i < 12; i++) await world.until((await begin(world)).result)
  delays[1] = 30_000
  let hedged: Awaited<Awaited<ReturnType<typeof begin>>['result']> | undefined
  for (let i = 0; i < 20 && !hedged; i++) {
    const fromMs = world.clock.monotonic()
    const result = await world.until((await begin(world)).result)
    if (result.executions === 1) continue
    hedged = result
    expect(world.clock.monotonic() - fromMs).toBeLessThan(2000)
  }
  expect(hedged).toMatchObject({ executions: 2, recovered: 1, performed: [{ executor: world.peers[2]!.peerId }] })
  await world.clock.advance(0)
  expect(runningAt(world.peers[1]!)).toBe(0)
})

test('where all are slow for a while, no verification waits for the slowest', async () => {
  for (let i = 0; i < 6; i++) {
    const delays = [5, 5, 5, 5]
    const world = await callerAnd(`slowest ${i}`, ...delays.map((_, at) => slow(() => delays[at]!)))
    for (let warm = 0; warm < 8; warm++) await world.until((await begin(world)).result)
    delays.splice(0, 4, 2500, 2500, 2500, 200_000)
    const fromMs = world.clock.monotonic()
    const { result } = await begin(world, { level: { level: 'quorum', n: 2 }, timeoutMs: 300_000 })
    expect(returned(await world.until(result))).toBe(42)
    expect(world.clock.monotonic() - fromMs).toBeLessThan(30_000)
  }
})

describe('a refused item goes elsewhere', () => {
  /** Each of 10 calls has its answer, from the one that does not refuse. */
  const expectElsewhere = async (world: World, refusing: number, willing: number, code?: ErrorCode) => {
    const calls = []
    for (let i = 0; i < 10; i++) calls.push((await begin(world)).result)
    for (const result of await world.until(Promise.all(calls))) {
      expect(returned(result)).toBe(42)
      expect(result).toMatchObject({
        executions: 1,
        recovered: 0,
        performed: [{ executor: world.peers[willing]!.peerId }],
      })
    }
    const refusals = world.peers[refusing]!.peer.status().last_refusal
    if (code) expect(refusals).toMatchObject({ code, peer: world.peers[0]!.peerId })
  }

  test('when the owner has just paused', async () => {
    const world = await callerAnd('paused', {}, {})
    world.peers[1]!.peer.pause()
    await expectElsewhere(world, 1, 2)
    world.peers[2]!.peer.pause()
    world.peers[1]!.peer.resume()
    await world.clock.advance(200)
    await expectElsewhere(world, 2, 1)
  })

  test('when the owner does not accept it', async () => {
    const world = await callerAnd('not accepted', { policy: { accept: ['self'] } }, {})
    await expectElsewhere(world, 1, 2, 'E_NOT_ACCEPTED')
  })

  test.each(['memory', 'engine'] as const)('when there is another %s, without asking', async (what) => {
    const other = { memory: { policy: { memoryBytes: 32 * MIB } }, engine: { engines: [`quickjs:${'1'.repeat(64)}`] } }
    const world = await callerAnd(`other ${what}`, other[what], {})
    await expectElsewhere(world, 1, 2)
    expect(world.peers[1]!.peer.status().last_refusal).toBe(null)
  })
})

describe('when nobody takes it, the caller hears why', () => {
  test.each<[ErrorCode, PeerSetup]>([
    ['E_NOT_ACCEPTED', { policy: { accept: [] } }],
    ['E_NO_MEMORY', { policy: { memoryBytes: MIB } }],
    ['E_ENGINE_UNAVAILABLE', { engines: [`quickjs:${'1'.repeat(64)}`] }],
  ])('%s', async (code, setup) => {
    const world = await callerAnd(code, setup, setup)
    const fromMs = world.clock.monotonic()
    await expect(world.until((await begin(world)).result)).rejects.toMatchObject({ code })
    expect(world.clock.monotonic() - fromMs).toBeLessThanOrEqual(2000)
  })

  test('E_NO_MEMORY names how much is asked and lent', async () => {
    const world = await callerAnd('how much', { policy: { memoryBytes: 32 * MIB } }, { policy: { memoryBytes: MIB } })
    const fields = { asked_bytes: 64 * MIB, lent_bytes: 32 * MIB }
    await expect(world.until((await begin(world)).result)).rejects.toMatchObject({ code: 'E_NO_MEMORY', fields })
  })

  test('E_PAUSED', async () => {
    const world = await worldFor('all paused', { peers: 3, latencyMs: () => 10 })
    // The call and the word of the pause cross.
    for (const { peer } of world.peers.slice(1)) peer.pause()
    const double = await publish(world.peers[0]!, DOUBLE)
    await expect(world.until(world.peers[0]!.peer.call(requestOf(double, 1)))).rejects.toMatchObject({
      code: 'E_PAUSED',
    })
  })
})

/** An executor that lends 4 slots, and does with every batch of items what the test says. */
const executor = async (world: World, act: (peer: ScriptedPeer, invoke: FrameOf<'invoke'>) => void) => {
  const peer = await scriptedPeer(world)
  peer.react = (frame) => frame.t === 'invoke' && act(peer, frame)
  return peer.join(world.peers[0]!, 4)
}
const idsOf = ({ items }: FrameOf<'invoke'>) => items.map(({ id }) => id)

test('a refusal names peers with room: they are believed before what they have told themselves', async () => {
  const world = await callerAnd('better')
  const [refuser, better, other] = [await scriptedPeer(world), await scriptedPeer(world), await scriptedPeer(world)]
  const asked: string[] = []
  for (const peer of [refuser, better, other]) {
    await peer.join(world.peers[0]!, 4)
    peer.react = (frame) => {
      if (frame.t !== 'invoke') return
      asked.push(peer.peerId)
      if (peer !== refuser) return void world.clock.after(20, () => void peer.perform(frame, outcomeOf(42)))
      const ids = idsOf(frame)
      peer.send({ t: 'refused', ids, code: 'E_BUSY', message: 'no room', better: [better.peerId] })
    }
  }
  const tells = async (peer: ScriptedPeer, free: number, queued: number) =>
    peer.say(await peer.advertisement({ slots: 4, free, queued }))
  // What the function takes is known before.
  await tells(refuser, 0, 100)
  for (let i = 0; i < 5; i++) await world.until((await begin(world)).result)
  await tells(refuser, 4, 0)
  await tells(better, 0, 50)
  await tells(other, 0, 20)
  asked.length = 0
  for (let i = 0; i < 8; i++) {
    await world.until((await begin(world)).result)
    await world.clock.advance(2000)
  }
  const after = asked.filter((_, i) => asked[i - 1] === refuser.peerId)
  expect(after.length).toBeGreaterThan(0)
  expect(new Set(after)).toEqual(new Set([better.peerId]))
})

describe('what an executor says of an item', () => {
  test.each<ErrorCode>([
    'E_BUSY',
    'E_STOPPING',
    'E_INCONCLUSIVE',
    'E_CANCELLED',
    'E_TIMEOUT',
    'E_FUNCTION_SYNTAX',
    'E_USAGE',
  ])('is not the last word: %s as refusal and as failure, and another does it', async (code) => {
    const world = await callerAnd(code, {})
    const said = { code, message: 'because' }
    let asked = 0
    const says = async (peer: ScriptedPeer, invoke: FrameOf<'invoke'>) => {
      asked++
      const ids = idsOf(invoke)
      peer.send(asked % 2 ? { t: 'refused', ids, ...said, better: [] } : { t: 'failed', ids, ...said })
    }
    const peer = await executor(world, says)
    for (let i = 0; i < 30; i++) {
      await world.clock.advance(1100)
      expect(returned(await world.until((await begin(world)).result))).toBe(42)
    }
    expect(asked).toBeGreaterThan(3)
    expect(peer.closed).toBeUndefined()
  })

  test.each<ErrorCode>(['E_CANCELLED', 'E_TIMEOUT'])('is never that the caller gave up: %s', async (code) => {
    const world = await callerAnd(`gave up ${code}`)
    await executor(world, (peer, invoke) => {
      peer.send({ t: 'failed', ids: idsOf(invoke), code, message: 'because' })
    })
    await expect(world.until((await begin(world)).result)).rejects.toMatchObject({ code: 'E_INCONCLUSIVE' })
  })

  test('counts when three say so', async () => {
    const world = await callerAnd('three')
    let asked = 0
    for (let i = 0; i < 5; i++)
      await executor(world, (peer, invoke) => {
        asked++
        peer.send({ t: 'failed', ids: idsOf(invoke), code: 'E_BLOCK_MISSING', message: 'gone' })
      })
    const error = new MeshError('E_BLOCK_MISSING', 'gone')
    await expect(world.until((await begin(world)).result)).rejects.toMatchObject({ code: error.code, message: 'gone' })
    expect(asked).toBe(3)
  })

  test('busy is asked again, until the time is up', async () => {
    const world = await callerAnd('busy')
    let asked = 0
    await executor(world, (peer, invoke) => {
      asked++
      peer.send({ t: 'refused', ids: idsOf(invoke), code: 'E_BUSY', message: 'full', better: [] })
    })
    const { result } = await begin(world, { timeoutMs: 2000 })
    await expect(world.until(result)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(asked).toBeGreaterThan(10)
    expect(asked).toBeLessThanOrEqual(100)
  })

  test('that its sandbox does not live is as good as silence', async () => {
    const world = await callerAnd('dead sandbox')
    const peer = await executor(world, (one, invoke) => one.send({ t: 'accepted', ids: idsOf(invoke) }))
    const { result } = await begin(world, { remote: true })
    const [{ items }] = peer.all('invoke') as [FrameOf<'invoke'>]
    const dead = { id: items[0]!.id, state: 'running', fuel: 1, alive: false } as const
    for (let i = 0; i < 5; i++) {
      await peer.say({ t: 'progress', items: [dead] })
      await world.clock.advance(400)
    }
    await expect(world.until(result)).rejects.toMatchObject({ code: 'E_EXECUTOR_LOST' })
    expect(peer.all('cancel')).toEqual([{ t: 'cancel', ids: [items[0]!.id] }])
  })
})

describe('a drawn verifier does not hold up the verdict', () => {
  test('when it is always busy', async () => {
    const world = await callerAnd('busy verifier', {}, {})
    await executor(world, (peer, invoke) => {
      peer.send({ t: 'refused', ids: idsOf(invoke), code: 'E_BUSY', message: 'full', better: [] })
    })
    for (let i = 0; i < 6; i++) {
      const { result } = await begin(world, { level: { level: 'quorum', n: 2 }, timeoutMs: 10_000 })
      expect(returned(await world.until(result))).toBe(42)
    }
  })

  test.each<ErrorCode>(['E_INTERNAL', 'E_TIMEOUT', 'E_CANCELLED', 'E_STOPPING', 'E_QUORUM_INSUFFICIENT'])(
    'when it fails with %s',
    async (code) => {
      const world = await callerAnd(`verifier ${code}`, {}, {})
      let asked = 0
      await executor(world, (peer, invoke) => {
        asked++
        peer.send({ t: 'failed', ids: idsOf(invoke), code, message: 'because' })
      })
      for (let i = 0; i < 8; i++) {
        const { result } = await begin(world, { level: { level: 'quorum', n: 2 }, timeoutMs: 10_000 })
        expect(returned(await world.until(result))).toBe(42)
        await world.clock.advance(1100)
      }
      expect(asked).toBeGreaterThan(0)
    },
  )
})

test('those who wait for one full executor do not hold up those behind them', async () => {
  const large = { ...slow(() => 20_000), policy: { memoryBytes: 256 * MIB } }
  const small = { ...slow(() => 1000), policy: { memoryBytes: 64 * MIB } }
  const world = await callerAnd('head of line', large, small)
  const { peer } = world.peers[0]!
  const wide = await publish(world.peers[0]!, DOUBLE, { memoryBytes: 256 * MIB })
  const narrow = await publish(world.peers[0]!, DOUBLE)
  for (let i = 0; i < 10; i++) peer.call(requestOf(wide, i, { timeoutMs: 500_000 })).catch(() => {})
  await world.clock.advance(100)
  const fromMs = world.clock.monotonic()
  const calls = Array.from({ length: 20 }, (_, i) => peer.call(requestOf(narrow, i, { timeoutMs: 500_000 })))
  await world.until(Promise.all(calls))
  // Two slots, 1 s each: 10 s, where one at a time would take 20.
  expect(world.clock.monotonic() - fromMs).toBeLessThan(13_000)
})
