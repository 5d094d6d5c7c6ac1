/** Durable invocations on real agents that are killed and stopped all the while: each ends once, and is paid once. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Random } from '../../protocol/ports.ts'
import { endedWith } from '../../sdk/answer.ts'
import { BackedMesh } from '../../sdk/mesh.ts'
import { createControlBackend } from '../control/backend.ts'
import { connectAgent } from '../control/client.ts'
import { serve, type TestServer } from '../fetching/testing/servers.ts'
import { fn, type Mesh } from '../sdk.ts'
import { sdkHost } from '../sdk-host.ts'
import { type Blow, KilledMesh } from './killed-mesh.ts'
import { freshProject } from './wayside.ts'

const EXECUTORS = 3
/** Under way at a time. */
const LANES = 6
/** Between two blows at most. */
const BREATH_MS = 150
const END_MS_MAX = 120_000

const CODE = `
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export const order = async ({ id, ms, origin }, { DB, PAY, CHARGE }, ctx) => {
  const chance = [...(await ctx.random(4))].join('.')
  await sleep(ms)
  if ((await DB.get('order/' + id)) !== null) throw new Error('ordered before')
  const body = id + ' ' + chance
  const post = async (binding, path) => {
    try {
      return await (await binding.fetch(origin + path, { method: 'POST', body })).text()
    } catch (error) {
      return error.code
    }
  }
  const paid = await post(PAY, '/pay')
  const charged = await post(CHARGE, '/charge')
  await sleep(ms)
  await DB.put('order/' + id, chance)
  return { id, chance, paid, charged }
}
export const visit = async ({ id, ms }, { DB }) => {
  await sleep(ms)
  const count = ((await DB.get('count')) ?? 0) + 1
  await DB.put('count', count)
  return { id, count }
}
export const total = async (_, { DB }) => (await DB.get('count')) ?? 0
`

interface Ordered {
  id: string
  chance: string
  paid: string
  charged: string
}

const project = (origin: string): string => {
  const api = (onUnknown: string) => ({ fetch: [origin], methods: ['POST'], private: true, onUnknown })
  const env = { DB: { state: 'shop' }, PAY: api('retry'), CHARGE: api('fail') }
  return join(freshProject(env, { 'shop.js': CODE }), 'shop.js')
}

/** Takes up to 40 ms over each request. */
const startSink = (random: Random): Promise<TestServer> =>
  serve(async (_, response) => {
    await sleep(random.below(40))
    response.end('did')
  })

/** To its agent alone: while that is down nobody else may hold its data. */
export const connected = async (data: string): Promise<Mesh> =>
  new BackedMesh(sdkHost, createControlBackend(await connectAgent(data)))

class Attack {
  readonly mesh: KilledMesh
  readonly #file: string
  readonly #origin: string
  readonly #random: Random
  /** Those whose beginning was acknowledged. */
  readonly begun: string[] = []
  #isOver = false
  #started = 0
  #client: Promise<Mesh> | undefined

  constructor(mesh: KilledMesh, origin: string, random: Random) {
    this.mesh = mesh
    this.#origin = origin
    this.#file = project(origin)
    this.#random = random
  }

  async run(kills: Record<Blow, number>): Promise<void> {
    const lanes = Array.from({ length: LANES }, () => this.#lane())
    const blows = Object.entries(kills).flatMap(([blow, count]) => new Array<Blow>(count).fill(blow as Blow))
    while (blows.length > 0) {
      await sleep(this.#random.below(BREATH_MS))
      const [blow] = blows.splice(this.#random.below(blows.length), 1)
      await this.mesh.strike(this.#random, blow as Blow)
    }
    this.#isOver = true
    await Promise.all(lanes)
    await this.mesh.allAreUp()
  }

  async total(): Promise<number> {
    const client = await connected(this.mesh.data)
    const total = await client.call(fn<() => number>(this.#file, { export: 'total' }), null as never)
    await client.close()
    return total
  }

  /** One invocation after another, each begun when the one before has ended, or its home has. */
  async #lane(): Promise<void> {
    while (!this.#isOver) {
      await this.mesh.homeIsUp()
      const id = `${this.#started++}`
      const name = Number(id) % 2 === 0 ? 'order' : 'visit'
      const input = { id, ms: 20 + this.#random.below(200), origin: this.#origin }
      try {
        const client = await this.#connected()
        const started = await client.start(fn<(input: unknown) => unknown>(this.#file, { export: name }), input)
        this.begun.push(started.id)
        await started.result()
      } catch {
        // Its home was killed: it is looked at in the end.
        this.#client = undefined
        await sleep(20)
      }
    }
  }

  #connected(): Promise<Mesh> {
    this.#client ??= connected(this.mesh.data)
    return this.#client
  }
}

/** Ends of all that the home knows, by id. */
export const endsOf = async (data: string): Promise<Map<string, unknown>> => {
  const client = await connectAgent(data)
  const { durable } = createControlBackend(client)
  const running = await durable.list(false)
  await Promise.all(running.map(({ id }) => durable.wait(id, AbortSignal.timeout(END_MS_MAX))))
  const ends = new Map<string, unknown>()
  for (const { id } of await durable.list(true)) {
    const end = await durable.end(id)
    ends.set(id, end && endedWith(end, (text) => text))
  }
  client.close()
  return ends
}

const ensurePaid = ({ id, chance, paid, charged }: Ordered, sink: TestServer): { unknown: number } => {
  const body = `${id} ${chance}`
  const came = (path: string) => sink.asked.filter((one) => one.path === path && one.body === body)
  const keys = new Set(came('/pay').map(({ headers }) => headers['idempotency-key']))
  expect([paid, keys.size]).toEqual(['did', 1])
  if (charged !== 'did') expect(charged).toBe('E_EFFECT_OUTCOME_UNKNOWN')
  if (charged === 'did') expect(came('/charge')).toHaveLength(1)
  expect(came('/charge').length).toBeLessThanOrEqual(1)
  return { unknown: charged === 'did' ? 0 : 1 }
}

/** By key, all that was asked under it. */
const bodiesByKey = ({ asked }: TestServer): Map<unknown, Set<string>> => {
  const bodies = new Map<unknown, Set<string>>()
  for (const { headers, body } of asked) {
    const key = headers['idempotency-key']
    bodies.set(key, (bodies.get(key) ?? new Set()).add(body))
  }
  return bodies
}

/** Kills and stops home and executors, and looks at everything that was begun, and at what came to the sink. */
export const killDurables = async (random: Random, kills: Record<Blow, number>): Promise<KilledMesh['blows']> => {
  const sink = await startSink(random)
  const mesh = await KilledMesh.start(EXECUTORS)
  const attack = new Attack(mesh, sink.origin, random)
  await attack.run(kills)
  const ends = await endsOf(mesh.data)
  expect(attack.begun.filter((id) => !ends.has(id))).toEqual([])
  const values = [...ends.values()] as (Ordered | { count: number })[]
  const counts = values.flatMap((one) => ('count' in one ? [one.count] : []))
  expect(counts.sort((a, b) => a - b)).toEqual(counts.map((_, i) => i + 1))
  expect(await attack.total()).toBe(counts.length)
  let unknown = 0
  for (const one of values) if ('paid' in one) unknown += ensurePaid(one, sink).unknown
  const bodies = bodiesByKey(sink)
  expect([...bodies.values()].filter(({ size }) => size > 1)).toEqual([])
  const { SIGKILL, SIGSTOP } = mesh.blows
  const again = sink.asked.length - bodies.size
  console.info(
    `${ends.size} invocations, ${SIGKILL} kills, ${SIGSTOP} stops: ${again} requests came again, of ${unknown} nobody knows`,
  )
  await mesh.stop()
  return mesh.blows
}
