/** What functions send: after the commit, once where the sink knows the key, and never what was not committed. */
import { describe, expect, test } from 'vitest'
import type { Grants } from '../../protocol/grants.ts'
import type { Clock, Web, WebAnswer } from '../../protocol/ports.ts'
import { encodeValue } from '../../protocol/values.ts'
import { outcomeOf, scriptedPeer } from '../../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const ORIGIN = 'https://mail.example'
const ORDER = `export default async (order, { DB, MAIL, KEY }) => {
  const count = ((await DB.get('count')) ?? 0) + 1
  await DB.put('count', count)
  await MAIL.send('${ORIGIN}/mail', { method: 'POST', headers: { authorization: KEY }, body: 'order ' + order.id })
  if (order.fails) throw new Error('no')
  return count
}`
const ENV = [
  { name: 'DB', kind: 'state' as const },
  { name: 'KEY', kind: 'secret' as const },
  { name: 'MAIL', kind: 'fetch' as const },
]
const home = (world: World) => world.peers[0] as WorldPeer

interface Asked {
  key: string
  body: string
  authorization: string
  atMs: number
}

/** Answers one request after the other as told, the last answer for ever, each after 50 ms. */
const scene = async (
  name: string,
  answers: WebAnswer[],
  { onUnknown = 'retry' as 'retry' | 'fail', peers = 3 } = {},
) => {
  const asked: Asked[] = []
  const webOn = (clock: Clock): Web => ({
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ headers, body }) => {
      const of = (wanted: string) => headers.find(([name]) => name === wanted)?.[1] as string
      const text = Buffer.from(body ?? []).toString()
      const atMs = clock.monotonic()
      asked.push({ key: of('idempotency-key'), body: text, authorization: of('authorization'), atMs })
      const answer = answers[Math.min(asked.length, answers.length) - 1] as WebAnswer
      await new Promise<void>((resolve) => clock.after(50, resolve))
      return answer
    },
  })
  const secrets = { read: async () => 'a secret of the home'.replaceAll(' ', '-') }
  const setup = (i: number, world: World): PeerSetup =>
    i === 0 ? { web: webOn(world.clock), secrets, policy: { slots: 0 } } : {}
  const world = await worldFor(name, { peers, setup })
  const effects = ['get' as const, 'put' as const, 'send' as const]
  const cid = await publish(home(world), ORDER, { effects, env: ENV })
  const grants: Grants = {
    DB: { state: 'shop' },
    MAIL: { fetch: [ORIGIN], methods: ['POST'], onUnknown },
    KEY: { secret: 'MAIL_KEY', origin: ORIGIN, header: 'Authorization' },
  }
  const call = (input: unknown, changes: { level?: string; grants?: Grants } = {}) => {
    const { level = 'self', ...rest } = changes
    return home(world).peer.call(requestOf(cid, input, { level: ensureLevel(level), grants, remote: false, ...rest }))
  }
  const restartHome = async () => {
    world.kill(home(world))
    await world.clock.advance(700)
    const reborn = await world.restart(home(world), setup(0, world))
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
  }
  const failures = () => home(world).events.filter(({ name }) => name === 'send.failed')
  return { world, asked, call, grants, restartHome, failures }
}

const status = (code: number): WebAnswer => ({ kind: 'answered', status: code, headers: [], body: new Uint8Array() })
const DONE = status(202)
const LOST: WebAnswer = { kind: 'lost', reason: 'lost' }
const UNSENT: WebAnswer = { kind: 'unsent', reason: 'no connection' }

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test('each order sends one mail, after its commit, with its secret and a key of its own', async () => {
    const { world, asked, call } = await scene(`orders ${level}`, [DONE])
    const results = await world.until(Promise.all([1, 2, 3, 4, 5].map((id) => call({ id }, { level }))))
    expect(results.map(returned).sort()).toEqual([1, 2, 3, 4, 5])
    await world.clock.advance(1000)
    expect(asked.map(({ body }) => body).sort()).toEqual([1, 2, 3, 4, 5].map((id) => `order ${id}`))
    expect(new Set(asked.map(({ key }) => key)).size).toBe(5)
    expect(asked.every(({ authorization }) => authorization === 'a-secret-of-the-home')).toBe(true)
  })

  test('what an executor made up is not sent', async () => {
    const { world, asked, call } = await scene(`made up ${level}`, [DONE])
    const mail = {
      ...{ binding: 'MAIL', url: `${ORIGIN}/mail`, method: 'POST', headers: [] },
      body: new TextEncoder().encode('spam'),
    }
    const liar = await scriptedPeer(world)
    let lies = 0
    liar.react = (frame) => {
      if (frame.t !== 'invoke') return
      lies += 1
      void liar.perform(frame, { ...outcomeOf(1), requests: [{ kind: 'send', arguments: encodeValue(mail) }] })
    }
    await liar.join(home(world), 1)
    const orders: string[] = []
    while (orders.length < 6 || lies === 0) {
      const id = orders.push(`order ${orders.length + 1}`)
      expect(returned(await world.until(call({ id }, { level })))).toBe(id)
    }
    await world.clock.advance(1000)
    expect(asked.map(({ body }) => body).sort()).toEqual(orders.sort())
  })
})

test('a function that throws has sent nothing, nor has one that may not', async () => {
  const { world, asked, call, grants } = await scene('throws', [DONE])
  expect((await world.until(call({ id: 1, fails: true }))).outcome.result.ok).toBe(false)
  const { MAIL: _, ...without } = grants
  await expect(world.until(call({ id: 2 }, { grants: without }))).rejects.toMatchObject({ code: 'E_GRANT' })
  const elsewhere = { ...grants, MAIL: { fetch: ['https://other.example'], methods: ['POST'] } }
  await expect(world.until(call({ id: 3 }, { grants: elsewhere }))).rejects.toMatchObject({ code: 'E_GRANT' })
  const misplaced: Grants = { ...grants, KEY: { secret: 'MAIL_KEY', origin: ORIGIN, header: 'x-key' } }
  await expect(world.until(call({ id: 4 }, { grants: misplaced }))).rejects.toMatchObject({ code: 'E_GRANT' })
  await world.clock.advance(5000)
  expect(asked).toEqual([])
  // Nothing else of it was kept either.
  expect(returned(await world.until(call({ id: 5 })))).toBe(1)
})

describe('a server that', () => {
  test.each([
    ['cannot be reached', UNSENT, 'fail'],
    ['has no time', status(503), 'retry'],
    ['drops the connection', LOST, 'retry'],
  ] as const)('%s is asked again, later each time, with the same key', async (name, answer, onUnknown) => {
    const { world, asked, call, failures } = await scene(`again ${name}`, [...new Array(6).fill(answer), DONE], {
      onUnknown,
    })
    await world.until(call({ id: 1 }))
    await world.clock.advance(70_000)
    expect(asked.length).toBe(7)
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1)
    expect(failures()).toEqual([])
  })

  test.each([
    ['drops the connection', LOST, 'fail', /may have been performed/],
    ['refuses', status(400), 'retry', /answered with status 400/],
    ['has no time', status(503), 'fail', /answered with status 503/],
  ] as const)(
    '%s, and is not to be asked again, is not; its owner is told',
    async (name, answer, onUnknown, reason) => {
      const { world, asked, call, failures } = await scene(`once ${name}`, [answer], { onUnknown })
      await world.until(call({ id: 1 }))
      await world.clock.advance(120_000)
      expect(asked.length).toBe(1)
      expect(failures()).toMatchObject([{ fields: { reason: expect.stringMatching(reason) } }])
    },
  )
})

describe('a home that is killed', () => {
  const TIMES = [0, 30, 60, 100, 130, 200]

  test.each(TIMES)('%i ms after it was called, with `retry`: what it committed is delivered', async (atMs) => {
    const { world, asked, call, restartHome, failures } = await scene(`killed, retry ${atMs}`, [DONE])
    const answer = call({ id: 1 }).then(returned, () => undefined)
    await world.clock.advance(atMs)
    await restartHome()
    await world.clock.advance(10_000)
    const count = returned(await world.until(home(world).peer.call(await again(world)))) as number
    expect(new Set(asked.map(({ key }) => key)).size).toBe(count)
    expect(failures()).toEqual([])
    void answer
  })

  test.each(TIMES)('%i ms after it was called, with `fail`: it is delivered, or said not to be known', async (atMs) => {
    const { world, asked, call, restartHome, failures } = await scene(`killed, fail ${atMs}`, [DONE], {
      onUnknown: 'fail',
    })
    const answer = call({ id: 1 }).then(returned, () => undefined)
    await world.clock.advance(atMs)
    await restartHome()
    await world.clock.advance(10_000)
    const count = returned(await world.until(home(world).peer.call(await again(world)))) as number
    expect(asked.length).toBeLessThanOrEqual(count)
    expect(asked.length + failures().length).toBeGreaterThanOrEqual(count)
    void answer
  })
})

/** How many orders were committed. */
const again = async (world: World) => {
  const code = `export default async (x, { DB }) => (await DB.get('count')) ?? 0`
  const cid = await publish(home(world), code, { effects: ['get'], env: [{ name: 'DB', kind: 'state' }] })
  return requestOf(cid, null, { level: ensureLevel('none'), grants: { DB: { state: 'shop' } }, remote: false })
}

test('one that is damaged where it is kept is told, is not sent, and holds up neither the start of its home nor another', async () => {
  const { world, asked, call, restartHome } = await scene('damaged', [UNSENT, DONE])
  expect(returned(await world.until(call({ id: 1 })))).toBe(1)
  const { state } = home(world)
  const revision = await state.revision()
  const { entries } = await state.list({ namespace: '.outbox', prefix: '', limit: 10 }, revision)
  const [letter] = entries as [(typeof entries)[number]]
  const write = { namespace: '.outbox', key: `${letter.key.slice(0, -5)}00000`, put: Uint8Array.of(1) }
  expect(write.key < letter.key).toBe(true)
  await world.until(state.commit({ id: 'damage', revision, reads: [], ranges: [], writes: [write] }))
  await restartHome()
  await world.clock.advance(5000)
  expect(asked.map(({ body }) => body)).toEqual(['order 1', 'order 1'])
  const told = home(world).events.filter(({ name }) => name === 'storage.failed')
  expect(told).toMatchObject([{ fields: { code: 'E_STORAGE', reason: expect.stringContaining(write.key) } }])
})
