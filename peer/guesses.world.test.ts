/** Reads that travel with an invocation: nobody waits for them, and nothing else comes of them than of any other read. */
import { describe, expect, test } from 'vitest'
import type { EffectKind } from '../protocol/effects.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { Grants } from '../protocol/grants.ts'
import { Outcome } from '../protocol/outcome.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { outcomeOf, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { type CallResult, ensureLevel } from './calls.ts'

const ABOUT = {
  effects: ['get', 'list', 'now', 'put', 'sleep'] as EffectKind[],
  env: [{ name: 'DB', kind: 'state' as const }],
}
const GRANTS: Grants = { DB: { state: 'shop' } }
/** Moves one from an account to another; one behind the other, so that each read waits by itself. */
const MOVE = `export default async ({ from, to }, { DB }) => {
  const less = ((await DB.get('account/' + from)) ?? 100) - 1
  const more = ((await DB.get('account/' + to)) ?? 100) + 1
  DB.put('account/' + from, less)
  DB.put('account/' + to, more)
  return [less, more]
}`

const meshFor = (name: string, executors: number) =>
  worldFor(name, { peers: 1 + executors, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

const home = (world: World) => world.peers[0] as WorldPeer
const countsOf = (world: World) => home(world).peer.status().reads

interface Wish {
  level?: string
  grants?: Grants
}

const call = async (world: World, code: string, input: Value, { level = 'self', grants = GRANTS }: Wish = {}) => {
  const cid = await publish(home(world), code, ABOUT)
  return world.until(home(world).peer.call(requestOf(cid, input, { level: ensureLevel(level), grants })))
}

const journalOf = ({ performed: [first] }: CallResult) =>
  first?.item.journal.map((one) => (one.entry === 'request' ? `${one.kind} ${one.n}` : `answer ${one.n}`))

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test('the third call waits for no read: the like of its two was read twice before', async () => {
    const world = await meshFor(`travel at ${level}`, 3)
    const names = ['ada', 'bob', 'cyd', 'dan', 'eve']
    const balances = new Map(names.map((name) => [name, 100]))
    for (let i = 0; i < 8; i++) {
      const [from, to] = [names[i % 5] as string, names[(i + 2) % 5] as string]
      balances.set(from, (balances.get(from) as number) - 1)
      balances.set(to, (balances.get(to) as number) + 1)
      const result = await call(world, MOVE, { from, to }, { level })
      expect(returned(result)).toEqual([balances.get(from), balances.get(to)])
      expect(result.disputes).toEqual([])
      expect(journalOf(result)).toEqual(['get 0', 'answer 0', 'get 1', 'answer 1', 'put 2', 'put 3'])
    }
    expect(countsOf(world)).toEqual({ foreseen: 12, asked: 4, waits: 4 })
  })

  test('what the guess cannot know is asked for, and nothing that was not read makes a commit conflict', async () => {
    const world = await meshFor(`unknown at ${level}`, 3)
    const code = `export default async ({ a, b, deep }, { DB }) => {
      const x = await DB.get('k/' + a)
      if (!deep) return [x, await DB.get('k/' + b)]
      return [x, await DB.get('hash/' + a.length * 7919)]
    }`
    for (const a of ['one', 'two', 'six']) await call(world, code, { a, b: 'ten', deep: false }, { level })
    const before = countsOf(world)
    expect(returned(await call(world, code, { a: 'three', b: 'four', deep: true }, { level }))).toEqual([null, null])
    expect(before).toEqual({ foreseen: 2, asked: 4, waits: 4 })
    expect(countsOf(world)).toEqual({ foreseen: 3, asked: 5, waits: 5 })
  })
})

const ROAD_MS = 20
test.each([
  ['at once are waited for once', 'Promise.all([DB.get("a"), DB.get("b")])', 1],
  ['one behind the other are waited for twice', '(async () => [await DB.get("a"), await DB.get("b")])()', 2],
])('two reads that are made %s, a round trip each time', async (name, reads, waits) => {
  const setup = (i: number) => (i === 0 ? { policy: { slots: 0 } } : {})
  const world = await worldFor(name, { peers: 2, setup, latencyMs: () => ROAD_MS })
  const code = `export default async (isReading, { DB }) => {
    const seen = isReading ? await ${reads} : []
    DB.put('seen', isReading)
    return seen
  }`
  const takenMs = async (isReading: boolean) => {
    const begunMs = world.clock.monotonic()
    expect(returned(await call(world, code, isReading))).toEqual(isReading ? [null, null] : [])
    return world.clock.monotonic() - begunMs
  }
  // The code is brought with the first call.
  await takenMs(false)
  const writingMs = await takenMs(false)
  expect(await takenMs(true)).toBe(writingMs + waits * 2 * ROAD_MS)
  expect(countsOf(world)).toEqual({ foreseen: 0, asked: 2, waits })
})

test('after a sleep nothing is answered by a guess, since a step may have ended', async () => {
  const world = await meshFor('sleep', 2)
  const code = `export default async (key, { DB }) => {
    const first = await DB.get(key)
    await new Promise((resolve) => setTimeout(resolve, 5))
    return [first, await DB.get('late/' + key)]
  }`
  for (let i = 0; i < 4; i++) expect(returned(await call(world, code, `k${i}`))).toEqual([null, null])
  expect(countsOf(world)).toEqual({ foreseen: 2, asked: 6, waits: 6 })
})

test.each([0, 300, 900])(
  'a durable invocation whose home is killed after %i ms counts once, guessed or not',
  async (atMs) => {
    const world = await meshFor(`durable ${atMs}`, 2)
    const code = `export default async (key, { DB }) => {
    const n = ((await DB.get('n/' + key)) ?? 0) + 1
    await new Promise((resolve) => setTimeout(resolve, 500))
    DB.put('n/' + key, n)
    return n
  }`
    const count = (key: string) => call(world, code, key)
    for (const key of ['a', 'b']) expect(returned(await count(key))).toBe(1)
    const cid = await publish(home(world), code, ABOUT)
    const request = requestOf(cid, 'a', { level: ensureLevel('self'), grants: GRANTS, remote: false })
    const id = await world.until(home(world).peer.durable.start(request))
    await world.clock.advance(atMs)
    if (atMs === 300) expect(countsOf(world)).toMatchObject({ foreseen: 1 })
    world.kill(home(world))
    await world.clock.advance(700)
    const reborn = await world.restart(home(world), { policy: { slots: 0 } })
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
    expect(await world.until(reborn.peer.durable.wait(id))).toMatchObject({ state: 'done' })
    expect(returned(await count('a'))).toBe(3)
  },
)

test('reads of a grant that counts them, large values and lists that are full of them do not travel', async () => {
  const world = await meshFor('bounds', 2)
  const write = `export default async ({ key, bytes }, { DB }) => DB.put(key, 'x'.repeat(bytes))`
  await call(world, write, { key: 'large', bytes: 17_000 })
  await call(world, write, { key: 'small', bytes: 10 })
  const code = `export default async (prefix, { DB }) => (await DB.list({ prefix })).entries.length`
  const counted = { DB: { state: 'shop', requests: 9 } }
  for (let i = 0; i < 3; i++) expect(returned(await call(world, code, 'large'))).toBe(1)
  expect(countsOf(world)).toMatchObject({ foreseen: 0, asked: 3 })
  expect(returned(await call(world, code, 'small', { grants: counted }))).toBe(1)
  expect(countsOf(world)).toMatchObject({ foreseen: 0, asked: 4 })
  expect(returned(await call(world, code, 'small'))).toBe(1)
  expect(countsOf(world)).toMatchObject({ foreseen: 1, asked: 4 })
})

test('an executor that was given none, or uses one twice, or while it is owed an answer, is refused', async () => {
  const lies: ((id: number, send: (frame: FrameOf<'guessed'> | FrameOf<'request'>) => void) => void)[] = [
    (id, send) => send({ t: 'guessed', id, n: 0, after: 0, guess: 7 }),
    (id, send) => {
      send({ t: 'guessed', id, n: 0, after: 0, guess: 0 })
      send({ t: 'guessed', id, n: 1, after: 1, guess: 0 })
    },
    (id, send) => {
      send({ t: 'request', id, n: 0, after: 0, kind: 'sleep', arguments: encodeValue({ ms: 1 }) })
      send({ t: 'guessed', id, n: 1, after: 0, guess: 0 })
    },
  ]
  for (const [i, lie] of lies.entries()) {
    const world = await meshFor(`lies ${i}`, 1)
    for (const from of ['ada', 'bob', 'cyd']) await call(world, MOVE, { from, to: 'dan' })
    const liar = await scriptedPeer(world)
    let lied = 0
    liar.react = (frame) => {
      if (frame.t !== 'invoke') return
      for (const { id, guesses = [] } of frame.items) {
        lied += guesses.length > 0 ? 1 : 0
        lie(id, (one) => liar.send(one))
        // Whatever it answers then: the item is not its own any more.
        liar.send({ t: 'answers', items: [{ id, outcome: encodeOutcome() }] })
      }
    }
    await liar.join(home(world), 1)
    for (let n = 0; lied === 0; n++) {
      const result = await call(world, MOVE, { from: 'eve', to: 'fay' })
      expect(returned(result)).toEqual([99 - n, 101 + n])
      expect(n).toBeLessThan(40)
      await world.clock.advance(1100)
    }
    expect(liar.all('cancel').length).toBeGreaterThan(0)
  }
})

const encodeOutcome = () => Outcome.encode(outcomeOf([1, 1000]))
