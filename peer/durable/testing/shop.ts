/** A shop on a mesh whose home is cut off at awaits of its ports: each order is paid, booked and mailed once. */
import { expect } from 'vitest'
import type { Grants } from '../../../protocol/grants.ts'
import { Outcome } from '../../../protocol/outcome.ts'
import type { Random } from '../../../protocol/ports.ts'
import { decodeValue, type Value } from '../../../protocol/values.ts'
import { seedFor } from '../../../scripts/test/seed.ts'
import { machine, publish, requestOf } from '../../../scripts/test/world.ts'
import { ForgetfulDisk } from '../../../simulations/forgetful-storage.ts'
import { withKeyedHashes } from '../../../simulations/keyed-hash.ts'
import { createWorld, type PeerSetup, type World, type WorldPeer } from '../../../simulations/world.ts'
import { ensureLevel } from '../../calls.ts'
import { Life } from './life.ts'
import { HONOURS, PLAIN, READ, Sinks } from './sinks.ts'

/** Every kind of effect there is; visits meet at one key. */
const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const post = async (binding, url, body) => {
    try {
      return await (await binding.fetch(url, { method: 'POST', body })).text()
    } catch (error) {
      return error.code
    }
  }
  export const order = async ([id, way], env, ctx) => {
    const { DB, PRICES, MAIL } = env
    const begun = await ctx.now()
    const chance = [...(await ctx.random(4))].join('.')
    if ((await DB.get('order/' + id)) !== null) throw new Error('ordered before')
    const price = await (await PRICES.fetch('${READ}/' + id + '/' + chance)).text()
    const body = 'pay ' + id + ' ' + chance
    const paid = await post(env[way], (way === 'PAY' ? '${HONOURS}' : '${PLAIN}') + '/pay', body)
    await sleep(10)
    const part = await ctx.call('#part', [id, chance, Number(price)])
    await MAIL.send('${HONOURS}/mail', { method: 'POST', body: 'mail ' + id + ' ' + chance })
    await DB.put('order/' + id, chance)
    return { id, chance, part, paid, took: (await ctx.now()) - begun }
  }
  export const part = async ([id, chance, price], { DB, PAY }) => {
    DB.put('part/' + id, chance)
    await post(PAY, '${HONOURS}/part', 'part ' + id + ' ' + chance)
    return 10 * price
  }
  export const visit = async (id, { DB }) => {
    const count = ((await DB.get('count')) ?? 0) + 1
    await sleep(5)
    await DB.put('count', count)
    return { id, count }
  }
`
const GRANTS: Grants = {
  DB: { state: 'shop' },
  PRICES: { fetch: [READ], read: true },
  PAY: { fetch: [HONOURS], methods: ['POST'], onUnknown: 'retry' },
  CHARGE: { fetch: [PLAIN], methods: ['POST'], onUnknown: 'fail' },
  INSIST: { fetch: [PLAIN], methods: ['POST'], onUnknown: 'retry' },
  MAIL: { fetch: [HONOURS], methods: ['POST'], onUnknown: 'retry' },
}
const ENV = Object.entries(GRANTS)
  .map(([name, grant]) => ({ name, kind: 'state' in grant ? ('state' as const) : ('fetch' as const) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))
/** Orders pay in these, by turns. */
const WAYS = ['CHARGE', 'PAY', 'INSIST'] as const
const EFFECTS = ['call', 'fetch', 'get', 'now', 'put', 'random', 'send', 'sleep'] as const
const wayOf = (id: number) => WAYS[id % WAYS.length] as (typeof WAYS)[number]
/** Awaits of a home on its way up, and until it has gone on with what it found. */
const WAY_UP = 90
const NEVER = Number.POSITIVE_INFINITY

/** What becomes of an executor; and how it is there again. */
const LOSSES = {
  killed: (world: World, peerId: string) => {
    const dead = world.peers.find((one) => one.peerId === peerId) as WorldPeer
    world.kill(dead)
    return async () => {
      await world.clock.advance(1000)
      const { peer } = await world.restart(dead)
      await world.until(peer.join(world.peers[0]?.address as string))
    }
  },
  /** When it goes on, all that was to be sent has its epoch. */
  stopped: (world: World, peerId: string) => {
    const resume = world.suspend({ peerId })
    return async () => {
      resume()
      await world.clock.advance(2000)
    }
  },
}

/** A mesh of a home and `executors`; the home keeps everything on a disk that forgets what was not synced. */
export class Shop {
  readonly world: World
  readonly sinks = new Sinks()
  readonly #random: Random
  readonly #disk = new ForgetfulDisk()
  readonly #level: string
  #life = new Life(() => {})
  /** Invocations that are known to be done. */
  readonly #done = new Set<string>()
  /** Told of the executor when something is sent between it and the home. */
  #executorSteps: (peerId: string) => void = () => {}
  #inputs = 0
  #visits = 0
  /** So often it was cut off. */
  points = 0

  private constructor(world: World, random: Random, level: string) {
    this.world = world
    this.#random = random
    this.#level = level
  }

  static async open(name: string, random: Random, { level = 'self', executors = 2 }: ShopOptions = {}): Promise<Shop> {
    const open: { shop?: Shop } = {}
    // The hub asks for each thing that is sent.
    const latencyMs = (from: string, to: string) => {
      open.shop?.sent(from, to)
      return 0
    }
    const setup = (i: number): PeerSetup => (i === 0 ? { policy: { slots: 0 } } : {})
    const options = { machine: withKeyedHashes(machine), seed: seedFor(name), peers: 1 + executors, setup, latencyMs }
    const world = await createWorld({ ...options, keepsEvent: () => false })
    const shop = new Shop(world, random, level)
    open.shop = shop
    world.kill(shop.home)
    await shop.start(NEVER)
    return shop
  }

  get home(): WorldPeer {
    return this.world.peers[0] as WorldPeer
  }

  sent(from: string, to: string): void {
    const home = this.home.peerId
    if (from !== home && to !== home) return
    this.#life.step()
    this.#executorSteps(from === home ? to : from)
  }

  /** Sells one thing, paid in one of `WAYS`. False: it ended before await `at`. */
  sell(at: number, cuts: number): Promise<boolean> {
    return this.#crash(at, cuts, 'order', this.#next())
  }

  /** Counts two visits that begin at once. */
  visit(at: number, cuts: number): Promise<boolean> {
    return this.#crash(at, cuts, 'visit', [0, 1])
  }

  /** Sells one thing; when the `at`th thing is sent between its home and an executor, that one is lost. */
  async sellWithout(how: keyof typeof LOSSES, at: number): Promise<boolean> {
    const ids: string[] = []
    let left = at
    let revive: (() => Promise<void>) | undefined
    this.#executorSteps = (peerId) => {
      left -= 1
      if (left === 0) revive = LOSSES[how](this.world, peerId)
    }
    const inputs = this.#next()
    await this.world.until(this.#begin('order', inputs, ids))
    await this.world.until(this.#allEnded())
    this.#executorSteps = () => {}
    if (revive) this.points += 1
    await revive?.()
    await this.#ensureDone('order', ids)
    return revive !== undefined
  }

  #next(): Value[] {
    const id = this.#inputs++
    return [[`${id}`, wayOf(id)]]
  }

  /** Begins them, is cut off at await `at`, and again on its way up until that has been `cuts` times; then all end. */
  async #crash(at: number, cuts: number, name: string, inputs: readonly Value[]): Promise<boolean> {
    const ids: string[] = []
    this.#life.cutAt(at)
    await this.#unlessCut(() => this.#begin(name, inputs, ids))
    await this.#unlessCut(() => this.#allEnded())
    const wasCut = this.#life.isCut
    for (let cut = 1; this.#life.isCut; cut++) {
      this.points += 1
      await this.start(cut < cuts ? 1 + this.#random.below(WAY_UP) : NEVER)
      await this.#unlessCut(() => this.#allEnded())
    }
    this.#life.cutAt(NEVER)
    await this.#ensureDone(name, ids)
    return wasCut
  }

  /** As a program does: it brings the function along. `ids`: gets those whose beginning was acknowledged. */
  async #begin(name: string, inputs: readonly Value[], ids: string[]): Promise<void> {
    const exports = ['order', 'part', 'visit']
    const published = await publish(this.home, CODE, { exports, effects: [...EFFECTS], env: ENV })
    const changes = { level: ensureLevel(this.#level), grants: GRANTS, remote: false, export: name }
    const start = async (input: Value) => {
      ids.push(await this.home.peer.durable.start(requestOf(published, input, changes)))
    }
    await Promise.all(inputs.map(start))
  }

  async #allEnded(): Promise<void> {
    const { durable } = this.home.peer
    const running = await durable.list(false)
    await Promise.all(running.map(({ id }) => durable.wait(id)))
  }

  /** What began is done, and what was acknowledged began. */
  async #ensureDone(name: string, acknowledged: readonly string[]): Promise<void> {
    const all = await this.home.peer.durable.list(true)
    const fresh = all.filter(({ id }) => !this.#done.has(id))
    expect(fresh.filter(({ state }) => state !== 'done')).toEqual([])
    expect(acknowledged.filter((id) => !fresh.some((one) => one.id === id))).toEqual([])
    // Each order has called one part, however often it was begun again.
    expect(fresh.filter(({ export: part }) => part === 'part').length).toBe(name === 'order' ? fresh.length / 2 : 0)
    for (const { id, export: part } of fresh) {
      this.#done.add(id)
      if (part === 'part') continue
      const value = await this.#valueOf(id)
      if (name === 'order') await this.#ensureSold(value as unknown as Sold)
    }
    if (name === 'visit') this.#visits += fresh.length
    expect((await this.#stateOf('count')) ?? 0).toBe(this.#visits)
  }

  async #valueOf(id: string): Promise<Value> {
    const end = await this.home.peer.durable.end(id)
    const { result } = Outcome.decode(end?.outcome as Uint8Array)
    if (!result.ok) throw new Error(`${result.code}: ${result.message}`)
    return decodeValue(result.value)
  }

  async #stateOf(key: string): Promise<Value | undefined> {
    const { state } = this.home
    const [entry] = await state.read('shop', [key], await state.revision())
    return entry?.value && decodeValue(entry.value)
  }

  async #ensureSold({ id, chance, part, paid }: Sold): Promise<void> {
    expect(await this.#stateOf(`order/${id}`)).toBe(chance)
    expect(await this.#stateOf(`part/${id}`)).toBe(chance)
    expect(this.sinks.timesOf(HONOURS, `part ${id} ${chance}`)).toBe(1)
    expect(part).toBe(70)
    const { sinks } = this
    const body = `pay ${id} ${chance}`
    const isKnown = paid === `did ${body}`
    const way = wayOf(Number(id))
    const raw = sinks.rawOf(PLAIN, body)
    if (way === 'PAY') expect([isKnown, sinks.timesOf(HONOURS, body)]).toEqual([true, 1])
    else if (way === 'INSIST') {
      expect(isKnown).toBe(true)
      expect(raw).toBeGreaterThanOrEqual(1)
      sinks.repeated += raw - 1
    } else if (isKnown) expect(raw).toBe(1)
    else {
      expect(paid).toBe('E_EFFECT_OUTCOME_UNKNOWN')
      expect(raw).toBeLessThanOrEqual(1)
      sinks.unknown += 1
    }
    const mail = `mail ${id} ${chance}`
    for (let ms = 0; ms < 10_000 && sinks.timesOf(HONOURS, mail) === 0; ms += 100) await this.world.clock.advance(100)
    expect(sinks.timesOf(HONOURS, mail)).toBe(1)
    expect(sinks.contradicted).toEqual([])
    expect(sinks.readsOf(id)).toEqual([`/${id}/${chance}`])
  }

  /** Works until it is done, or the machine is cut off. */
  async #unlessCut(work: () => Promise<unknown>): Promise<void> {
    if (!this.#life.isCut) await this.world.until(Promise.race([work(), this.#life.cut]))
  }

  /** The next life of the home, on what the one before has left. */
  async start(at: number): Promise<void> {
    const dead = this.home
    const random = this.#random
    const life = new Life(() => {
      disk.cutOff()
      this.world.kill(dead)
    })
    const stepped = () => life.stepped()
    const disk = this.#disk.start({ random, cut: () => {}, delay: stepped })
    this.#life = life
    life.cutAt(at)
    // Its neighbours take one handshake of it a second.
    await this.world.clock.advance(1000)
    const setup: PeerSetup = { policy: { slots: 0 }, web: this.sinks.web(stepped) }
    await this.#unlessCut(async () => {
      const { peer } = await this.world.restart(dead, setup, disk.storage)
      await peer.join(this.world.peers[1]?.address as string)
    })
  }
}

export interface ShopOptions {
  level?: string
  executors?: number
}

interface Sold {
  id: string
  chance: string
  part: number
  paid: string
}
