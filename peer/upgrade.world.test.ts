/**
 * A mesh whose peers are stopped, upgraded to another engine and started again, one after the other, under load, and killed
 * between.
 */
import { beforeAll, expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import type { Grants } from '../protocol/grants.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue, type Value } from '../protocol/values.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { carrying, loadOlder, newest } from '../scripts/test/two-releases.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { SandboxRelease } from '../simulations/sandbox-host.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import type { CallRequest } from './calls.ts'
import { HONOURS, Sinks } from './durable/testing/sinks.ts'

let older: SandboxRelease

beforeAll(async () => {
  const loaded = await loadOlder()
  older = loaded.older
  return loaded.remove
})

/** Each says how deep it gets: over 1,000 calls on the newest engine, under 300 on the older. */
const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const reached = () => {
    let depth = 0
    const deeper = () => { depth++; deeper() }
    try { deeper() } catch { return depth }
  }
  export const order = async ([id, ms], { DB, PAY }) => {
    const begun = reached()
    await sleep(ms)
    if ((await DB.get('order/' + id)) !== null) throw new Error('ordered before')
    await (await PAY.fetch('${HONOURS}/pay', { method: 'POST', body: 'pay ' + id })).text()
    await sleep(ms)
    await DB.put('order/' + id, id)
    return [begun, reached()]
  }
  export const visit = async (id, { DB }) => {
    if ((await DB.get('visit/' + id)) === null) {
      DB.put('visit/' + id, id)
      DB.put('count', ((await DB.get('count')) ?? 0) + 1)
    }
    return reached()
  }
`
const GRANTS: Grants = { DB: { state: 'shop' }, PAY: { fetch: [HONOURS], methods: ['POST'], onUnknown: 'retry' } }
const ENV = [
  { name: 'DB', kind: 'state' as const },
  { name: 'PAY', kind: 'fetch' as const },
]
const EFFECTS = ['fetch', 'get', 'put', 'sleep'] as const
const LANES = 3
/** So many of each kind begin, or end, between two upgrades. */
const BETWEEN = 3
/** The sleeps of one that lasts beyond the upgrade of a peer. */
const LONG_MS = 2000
/** Between two of a lane. */
const BREATH_MS = 200
const AGAIN_MS = 100

class Shop {
  readonly world: World
  readonly sinks: Sinks
  /** By ID, whether it was asked for while its home carried the older engine alone. */
  readonly orders = new Map<string, boolean>()
  readonly visits: string[] = []
  #published!: Awaited<ReturnType<typeof publish>>
  /** Wall clock: its home is up, upgraded. */
  upgradedMs = Number.POSITIVE_INFINITY
  #longSinceMs = Number.NEGATIVE_INFINITY
  #isOver = false
  #isUp = true
  /** Rejects when the home is killed: what it was asked has no end then. */
  #killed = unheard()
  readonly #upgraded = new Set<number>()
  #count = 0

  constructor(world: World, sinks: Sinks) {
    this.world = world
    this.sinks = sinks
  }

  get home(): WorldPeer {
    return this.world.peers[0] as WorldPeer
  }

  async open(): Promise<void> {
    this.#published = await publish(this.home, CODE, { exports: ['order', 'visit'], effects: [...EFFECTS], env: ENV })
  }

  run(): Promise<unknown> {
    const lanes = Array.from({ length: LANES }, (_, lane) => [
      this.#ordering(lane === 0 ? LONG_MS : 50),
      this.#visiting(),
    ])
    return Promise.all(lanes.flat())
  }

  over(): void {
    this.#isOver = true
  }

  /** Until more has come and gone, and one has begun that lasts. */
  async flows(): Promise<void> {
    const { clock } = this.world
    const [orders, visits] = [this.orders.size, this.visits.length]
    const isEnough = () =>
      this.orders.size >= orders + BETWEEN &&
      this.visits.length >= visits + BETWEEN &&
      clock.monotonic() < this.#longSinceMs + LONG_MS / 2
    while (!isEnough()) await clock.advance(100)
  }

  get #isUpgraded(): boolean {
    return this.upgradedMs < Number.POSITIVE_INFINITY
  }

  async upgrade(i: number): Promise<void> {
    if (i === 0) this.#isUp = false
    await this.world.until(this.#peer(i).peer.stop())
    this.#upgraded.add(i)
    await this.#startAgain(i)
    if (i === 0) this.upgradedMs = this.world.clock.now()
  }

  /** It says nothing to anybody, and comes back as it was. */
  async kill(i: number): Promise<void> {
    if (i === 0) {
      this.#isUp = false
      this.#killed.reject(new MeshError('E_STOPPING', 'killed'))
      this.#killed = unheard()
    }
    await this.#startAgain(i)
  }

  async #startAgain(i: number): Promise<void> {
    const { world } = this
    const peer = this.#peer(i)
    world.kill(peer)
    await world.clock.advance(AGAIN_MS)
    const carried = this.#upgraded.has(i) ? carrying(newest, older) : carrying(older)
    const started = await world.restart(peer, { ...setupOf(i, this.sinks), ...carried })
    const others = world.peers.filter((one) => one !== started)
    await Promise.all(others.map(({ address }) => world.until(started.peer.join(address).catch(() => {}))))
    if (i === 0) this.#isUp = true
  }

  #peer(i: number): WorldPeer {
    return this.world.peers[i] as WorldPeer
  }

  request(name: string, input: Value): CallRequest {
    const rest = { grants: GRANTS, timeoutMs: 300_000, remote: false, export: name }
    return requestOf(this.#published, input, { level: { level: 'self' }, ...rest })
  }

  async #ordering(sleepMs: number): Promise<void> {
    while (!this.#isOver) {
      const isEarly = !this.#isUpgraded
      // One that its home was killed over may have begun all the same.
      const order = () => this.request('order', [`${this.#count++}`, sleepMs])
      const id = await this.#insist(() => this.home.peer.durable.start(order()))
      this.orders.set(id, isEarly)
      if (sleepMs === LONG_MS) this.#longSinceMs = this.world.clock.monotonic()
      await this.#insist(() => this.home.peer.durable.wait(id))
      await this.#pause(BREATH_MS)
    }
  }

  async #visiting(): Promise<void> {
    while (!this.#isOver) {
      const id = `${this.#count++}`
      const depth = await this.#insist(() => this.home.peer.call(this.request('visit', id)).then(returned))
      this.visits.push(id)
      if (!this.#isUpgraded) expect(depth).toBeLessThan(300)
      await this.#pause(BREATH_MS)
    }
  }

  /** A home that stops says so; it is asked again when it is up. */
  async #insist<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#isUp) {
        try {
          return await Promise.race([ask(), this.#killed.promise])
        } catch (cause) {
          expect(cause).toMatchObject({ code: 'E_STOPPING' })
        }
      }
      await this.#pause(AGAIN_MS)
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.world.clock.after(delayMs, resolve))
  }
}

const unheard = () => {
  const killed = Promise.withResolvers<never>()
  killed.promise.catch(() => {})
  return killed
}

const setupOf = (i: number, sinks: Sinks): PeerSetup =>
  i === 0 ? { policy: { slots: 0 }, web: sinks.web(async () => {}) } : {}

const open = async (name: string): Promise<Shop> => {
  const sinks = new Sinks()
  const setup = (i: number): PeerSetup => ({ ...setupOf(i, sinks), ...carrying(older) })
  const shop = new Shop(await worldFor(name, { peers: 4, setup }), sinks)
  await shop.open()
  return shop
}

const stateOf = async ({ state }: WorldPeer, prefix: string): Promise<Value[]> => {
  const page = { namespace: 'shop', prefix, after: undefined, limit: 1000 }
  const { entries } = await state.list(page, await state.revision())
  return entries.map(({ value }) => decodeValue(value as Uint8Array))
}

test.each([
  ['its home last', [1, 2, 3, 0]],
  ['its home first', [0, 1, 2, 3]],
])(
  '%s: what was begun ends once, on the engine it began on, and is paid once',
  async (name, order) => {
    const shop = await open(name)
    const { world, sinks } = shop
    const random = randomFor(name)
    const running = shop.run()
    running.catch(() => {})
    for (const [upgraded, i] of order.entries()) {
      await world.clock.advance(random.below(LONG_MS))
      // An executor and the home, in turn.
      await shop.kill(upgraded % 2 === 0 ? 1 + random.below(3) : 0)
      await shop.flows()
      await shop.upgrade(i)
    }
    await shop.flows()
    shop.over()
    await world.until(running)
    const { durable } = shop.home.peer
    const all = await world.until(durable.list(true))
    expect(all.map(({ state }) => state)).toEqual(all.map(() => 'done'))
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([...shop.orders.keys()]))
    const counts = { outlasted: 0, late: 0 }
    for (const { id, endedMs } of all) {
      const { outcome } = await world.until(durable.wait(id))
      const { result } = Outcome.decode(outcome as Uint8Array)
      const [begun, ended] = (result.ok ? decodeValue(result.value) : []) as [number, number]
      const isOlder = begun < 300
      expect(ended < 300).toBe(isOlder)
      if (isOlder && (endedMs as number) > shop.upgradedMs) counts.outlasted++
      if (shop.orders.get(id) !== false) continue
      expect(isOlder).toBe(false)
      counts.late++
    }
    expect(counts.outlasted).toBeGreaterThanOrEqual(1)
    expect(counts.late).toBeGreaterThanOrEqual(1)
    const sold = await stateOf(shop.home, 'order/')
    expect(sold).toHaveLength(all.length)
    expect(sinks.all()).toEqual(sold.map((id) => `pay ${id}`).sort())
    expect(await stateOf(shop.home, 'visit/')).toEqual(expect.arrayContaining(shop.visits))
    expect(await stateOf(shop.home, 'count')).toEqual([(await stateOf(shop.home, 'visit/')).length])
  },
  300_000,
)
