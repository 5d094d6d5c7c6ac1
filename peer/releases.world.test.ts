import { beforeAll, describe, expect, test } from 'vitest'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue } from '../protocol/values.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { DEPTH } from '../scripts/test/older-release.ts'
import { elsewhere } from '../scripts/test/receipt-files.ts'
import { carrying, loadOlder, newest } from '../scripts/test/two-releases.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { SandboxRelease } from '../simulations/sandbox-host.ts'
import type { PeerSetup, World } from '../simulations/world.ts'
import { receiptFileOf } from './receipt-file.ts'
import { openInvocation } from './replay.ts'

let older: SandboxRelease

beforeAll(async () => {
  const loaded = await loadOlder()
  older = loaded.older
  return loaded.remove
})

const lendsNothing = { policy: { slots: 0 } }

describe('in a mesh of two versions', () => {
  test('a task is done by those that carry its engine, the newest of its home, at any number of calls', async () => {
    const setups = [{ ...carrying(newest, older), ...lendsNothing }, carrying(older), carrying(newest)]
    const world = await worldFor('mixed', { peers: 3, setup: (i) => setups[i] as PeerSetup })
    const [home, , peer] = world.peers
    const depth = await publish(home!, DEPTH, { effects: ['call'] })
    for (let i = 0; i < 5; i++) {
      const result = await world.until(home!.peer.call(requestOf(depth, i, { level: { level: 'self' } })))
      expect(returned(result)).toBeGreaterThanOrEqual(1000)
      expect(result.performed[0]!.executor).toBe(peer!.peerId)
    }
  })

  test('a newer agent does the tasks of an older home on its engine, and both agree on the outcome', async () => {
    const setups = [carrying(older), carrying(newest, older)]
    const world = await worldFor('older home', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const [home, peer] = world.peers
    const depth = await publish(home!, DEPTH, { effects: ['call'] })
    // The home runs it again itself, on its own engine.
    const result = await world.until(home!.peer.call(requestOf(depth, 1, { level: { level: 'self' } })))
    expect(returned(result)).toBeLessThan(300)
    expect(result.performed[0]!.executor).toBe(peer!.peerId)
  })

  test('nobody has the engine: the home runs it, or it is E_ENGINE_UNAVAILABLE', async () => {
    const setups = [carrying(older), carrying(newest)]
    const world = await worldFor('nobody', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const home = world.peers[0]!
    const depth = await publish(home, DEPTH, { effects: ['call'] })
    const alone = await world.until(home.peer.call(requestOf(depth, 1, { level: { level: 'self' }, remote: false })))
    expect(returned(alone)).toBeLessThan(300)
    const insists = home.peer.call(requestOf(depth, 2, { level: { level: 'self' } }))
    await expect(world.until(insists)).rejects.toMatchObject({ code: 'E_ENGINE_UNAVAILABLE' })
  })
})

/** On the older engine, which gives it a quarter of the stack. */
const SLOWLY = `${DEPTH.replace("await ctx.call('#default', 1)", 'await new Promise((resolve) => setTimeout(resolve, 60_000))')}`

describe('what began on an older engine', () => {
  const engines = () => [...ENGINES, ...older.engines]
  const carriesBoth = () => elsewhere(carrying(newest, older))

  const receiptOf = async (world: World): Promise<Uint8Array> => {
    const [home] = world.peers
    const depth = await publish(home!, DEPTH, { effects: ['call'] })
    const result = await world.until(home!.peer.call(requestOf(depth, 'ask', { level: { level: 'self' } })))
    return world.until(receiptFileOf(result, (cid) => home!.peer.block(cid)))
  }

  test('a receipt is verified and replayed on it where it is, and else named', async () => {
    const setups = [carrying(older), carrying(newest, older)]
    const world = await worldFor('receipt', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const file = await receiptOf(world)
    const { receipts } = await carriesBoth().verify(file, engines())
    expect(receipts.map(({ verdict }) => verdict)).toEqual(receipts.map(() => 'right'))
    const { difference, gives } = await carriesBoth().replay(file, {}, engines())
    expect({ difference, depth: gives?.result.ok && decodeValue(gives.result.value) }).toMatchObject({
      ...{ difference: undefined, depth: expect.any(Number) },
    })
    const engine = older.engines[0] as string
    const refused = { code: 'E_ENGINE_UNAVAILABLE', message: expect.stringContaining(engine), fields: { engine } }
    await expect(elsewhere().replay(file)).rejects.toMatchObject(refused)
    expect((await elsewhere().verify(file)).receipts).toMatchObject(
      receipts.map(() => ({ verdict: 'unusable', code: 'E_ENGINE_UNAVAILABLE' })),
    )
  })

  test('a durable invocation ends on it, though its home was updated meanwhile, and is replayed on it', async () => {
    const setups = [{ ...carrying(older), ...lendsNothing }, carrying(newest, older)]
    const world = await worldFor('durable', { peers: 2, setup: (i) => setups[i] as PeerSetup })
    const home = world.peers[0]!
    const depth = await publish(home, SLOWLY, { effects: ['sleep'] })
    const request = requestOf(depth, 'ask', { level: { level: 'self' }, timeoutMs: 600_000 })
    const id = await world.until(home.peer.durable.start(request))
    await world.clock.advance(20_000)
    world.kill(home)
    const updated = await world.restart(home, { ...carrying(newest, older), ...lendsNothing })
    await world.until(updated.peer.join(world.peers[1]?.address as string))
    const { outcome } = await world.until(updated.peer.durable.wait(id))
    const { result } = Outcome.decode(outcome as Uint8Array)
    expect(result.ok && decodeValue(result.value)).toBeLessThan(300)
    const bytes = await world.until(updated.peer.durable.recorded(id))
    const recording = openInvocation(machine.crypto, engines(), id, bytes)
    expect(await carriesBoth().replayed(recording)).toMatchObject({ difference: undefined, gives: { result } })
  })
})
