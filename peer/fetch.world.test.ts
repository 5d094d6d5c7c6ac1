/** Functions that fetch, across a mesh: the home asks, each thing once, and only what the function itself asked for. */
import { describe, expect, test } from 'vitest'
import type { Grants } from '../protocol/grants.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import type { Web, WebRequest } from '../protocol/ports.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { outcomeOf, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { type CallResult, ensureLevel } from './calls.ts'

const ORIGIN = 'https://sink.example'
const GRANTS: Grants = { API: { fetch: [ORIGIN], methods: ['GET', 'POST'] } }
const READS: Grants = { API: { fetch: [ORIGIN], read: true } }

/** A server that counts: what it was asked, and how often that was asked before. */
const sink = (): { web: Web; asked: WebRequest[] } => {
  const asked: WebRequest[] = []
  const web: Web = {
    resolve: async () => ['93.184.215.14'],
    exchange: async (request) => {
      asked.push(request)
      const body = new TextEncoder().encode(`${request.method} ${asked.length}`)
      return { kind: 'answered', status: 200, headers: [['x-count', String(asked.length)]], body }
    },
  }
  return { web, asked }
}

/** It answers after so long. */
const slow = ({ exchange, ...web }: Web, { clock }: Pick<World, 'clock'>, answerMs: number): Web => ({
  ...web,
  exchange: async (...asked) => {
    const answer = await exchange(...asked)
    await new Promise<void>((resolve) => clock.after(answerMs, resolve))
    return answer
  },
})

/** Peer 0 is the home, and all that `asked` holds came from it; others would show in `others`. */
const meshFor = async (name: string, executors: number, answerMs = 0) => {
  const { web, asked } = sink()
  const others = sink()
  const setup = (i: number, world: World): PeerSetup =>
    i === 0 ? { web: answerMs > 0 ? slow(web, world, answerMs) : web, policy: { slots: 0 } } : { web: others.web }
  const world = await worldFor(name, { peers: 1 + executors, setup })
  return { world, asked, others: others.asked }
}

const FETCHES = { effects: ['fetch'] as ['fetch'], env: [{ name: 'API', kind: 'fetch' as const }] }
const call = async (world: World, code: string, input: unknown, changes: { level?: string; grants?: Grants } = {}) => {
  const { level = 'self', grants = GRANTS } = changes
  const cid = await publish(world.peers[0] as WorldPeer, code, FETCHES)
  return world.until(world.peers[0]!.peer.call(requestOf(cid, input, { level: ensureLevel(level), grants })))
}
const READ = `export default async (path, { API }) => {
  const response = await API.fetch('${ORIGIN}' + path)
  return [response.status, response.headers.get('x-count'), await response.text()]
}`
const PAY = `export default async (amount, { API }) => {
  const before = await (await API.fetch('${ORIGIN}/price')).text()
  const paid = await (await API.fetch('${ORIGIN}/pay', { method: 'POST', body: 'amount ' + amount })).text()
  return [before, paid]
}`
const journalOf = (result: CallResult): JournalEntry[] => result.performed[0]!.item.journal
const urlsOf = (asked: WebRequest[]) => asked.map(({ method, url }) => `${method} ${url}`)

describe.each(['none', 'audit', 'self', 'quorum:2', 'quorum:3'])('a fetch that is marked read, at %s', (level) => {
  test('is made by the home, once, and verifiers have its answer from the journal', async () => {
    const { world, asked, others } = await meshFor(`read at ${level}`, 4)
    const result = await call(world, READ, '/a', { level, grants: READS })
    expect(returned(result)).toEqual([200, '1', 'GET 1'])
    expect(urlsOf(asked)).toEqual([`GET ${ORIGIN}/a`])
    expect(others).toEqual([])
    expect(result.performed.length).toBeGreaterThanOrEqual(level === 'quorum:3' ? 3 : 1)
    expect(journalOf(result).map(({ entry }) => entry)).toEqual(['request', 'answer'])
  })
})

describe.each(['self', 'quorum:2'])('any other fetch, at %s', (level) => {
  test('is made once by the home, which has run the function up to it, with a key of its own', async () => {
    const { world, asked, others } = await meshFor(`pay at ${level}`, 3)
    const result = await call(world, PAY, 5, { level })
    expect(returned(result)).toEqual(['GET 1', 'POST 2'])
    expect(urlsOf(asked)).toEqual([`GET ${ORIGIN}/price`, `POST ${ORIGIN}/pay`])
    expect(Buffer.from(asked[1]!.body ?? []).toString()).toBe('amount 5')
    const key = asked[1]!.headers.find(([name]) => name === 'idempotency-key')?.[1]
    expect(key).toBe(`wayside-${result.performed[0]!.item.invocation}-1`)
    expect(others).toEqual([])
  })

  test('is made once where the executor is killed at any moment', async () => {
    let [killed, again] = [0, 0]
    // Nobody need be at work at any of these moments: until somebody was, and another has gone on.
    for (let round = 0; killed === 0 || again === 0; round++) {
      for (let killMs = 0; killMs <= 120; killMs += 20) {
        const { world, asked } = await meshFor(`killed after ${killMs} at ${level}, ${round}`, 3, 60)
        const cid = await publish(world.peers[0] as WorldPeer, PAY, FETCHES)
        const answer = world.peers[0]!.peer.call(requestOf(cid, 5, { level: ensureLevel(level), grants: GRANTS }))
        await world.clock.advance(killMs)
        const busy = world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
        if (busy) {
          world.kill(busy)
          killed++
        }
        const result = await world.until(answer)
        expect((returned(result) as Value[]).length).toBe(2)
        expect(urlsOf(asked)).toEqual([`GET ${ORIGIN}/price`, `POST ${ORIGIN}/pay`])
        again += result.recovered
      }
    }
  })
})

test('is refused at levels that verify nothing', async () => {
  const { world, asked } = await meshFor('unverified', 1)
  for (const level of ['none', 'audit'])
    await expect(call(world, PAY, 1, { level })).rejects.toMatchObject({ code: 'E_USAGE' })
  expect(asked).toEqual([])
})

test('what is not granted reaches nobody, and the function is told', async () => {
  const { world, asked } = await meshFor('not granted', 1)
  const code = `export default async (urls, { API }) => Promise.all(urls.map((url) => API.fetch(url).then(() => 'made', (error) => error.code)))`
  const urls = [
    'https://other.example/',
    'http://sink.example/',
    'https://sink.example:444/',
    'https://user@sink.example/',
  ]
  expect(returned(await call(world, code, urls, { grants: READS }))).toEqual(expect.not.arrayContaining(['made']))
  const post = `export default async (x, { API }) => API.fetch('${ORIGIN}/', { method: 'POST', body: 'x' }).catch((error) => error.code)`
  expect(returned(await call(world, post, null, { grants: READS }))).toBe('E_GRANT')
  expect(returned(await call(world, post, null, { grants: {} }))).toBe('E_GRANT')
  expect(asked).toEqual([])
})

describe('an executor that asks for what the function does not', () => {
  const args = (url: string, method: string, body: string | null): Uint8Array =>
    encodeValue({
      binding: 'API',
      url,
      method,
      headers: [],
      body: body === null ? null : new TextEncoder().encode(body),
    })
  const priced = { kind: 'fetch' as const, arguments: args(`${ORIGIN}/price`, 'GET', null) }
  const stolen = { kind: 'fetch' as const, arguments: args(`${ORIGIN}/pay`, 'POST', 'amount 1000000') }

  /** Makes the first `honest` requests of PAY as they are, then others, and answers when it has been answered, if ever. */
  const liar = async (world: World, honest: number) => {
    const peer = await scriptedPeer(world)
    const made = [priced, stolen].slice(honest === 0 ? 1 : 0)
    const met: number[] = []
    peer.react = (frame) => {
      if (frame.t === 'invoke') {
        met.push(...frame.items.map(({ id }) => id))
        for (const { id } of frame.items) peer.send({ t: 'request', id, n: 0, after: 0, ...made[0]! })
      }
      if (frame.t !== 'answer') return
      const next = made[frame.n + 1]
      if (next) peer.send({ t: 'request', id: frame.id, n: frame.n + 1, after: frame.n + 1, ...next })
    }
    await peer.join(world.peers[0]!, 1)
    return { peer, met }
  }

  test.each(['self', 'quorum:2'].flatMap((level) => [0, 1].map((honest) => [level, honest] as const)))(
    'at %s, after %i that are right, is refused: nothing of it is sent, and all that is right once',
    async (level, honest) => {
      let refused = 0
      for (let i = 0; i < 20 && refused === 0; i++) {
        const { world, asked } = await meshFor(`stolen at ${level} ${honest} ${i}`, 2)
        const { peer, met } = await liar(world, honest)
        const result = await call(world, PAY, 5, { level })
        expect(returned(result)).toEqual(['GET 1', 'POST 2'])
        expect(urlsOf(asked)).toEqual([`GET ${ORIGIN}/price`, `POST ${ORIGIN}/pay`])
        expect(Buffer.from(asked[1]!.body ?? []).toString()).toBe('amount 5')
        // Asked to verify, it is given the journal, and what it asks for has been asked.
        const told = world.peers[0]!.events.filter(({ name }) => name === 'peer.misbehaved')
        if (told.length === 0) continue
        refused++
        expect(met.length).toBeGreaterThan(0)
        expect(told).toMatchObject([{ fields: { peer: peer.peerId, code: 'E_VERIFICATION_FAILED' } }])
      }
      expect(refused).toBe(1)
    },
  )

  test('alone in the mesh does not stop the call: the home runs it', async () => {
    const { world, asked } = await meshFor('only liars', 0)
    await liar(world, 1)
    const cid = await publish(world.peers[0] as WorldPeer, PAY, FETCHES)
    const request = requestOf(cid, 5, { level: ensureLevel('self'), grants: GRANTS, remote: false })
    const result = await world.until(world.peers[0]!.peer.call(request))
    expect(returned(result)).toEqual(['GET 1', 'POST 2'])
    expect(asked.length).toBe(2)
  })

  test.each(['self', 'quorum:2'])(
    'and one that answers without having asked for anything is found out, at %s',
    async (level) => {
      const { world, asked } = await meshFor(`invented outcome ${level}`, 3)
      const peer = await scriptedPeer(world)
      peer.react = (frame) => {
        if (frame.t === 'invoke') void peer.perform(frame, outcomeOf([0, 0]))
      }
      await peer.join(world.peers[0]!, 1)
      for (let i = 0; i < 6; i++) {
        asked.length = 0
        expect((returned(await call(world, PAY, i, { level })) as Value[]).length).toBe(2)
        expect(urlsOf(asked)).toEqual([`GET ${ORIGIN}/price`, `POST ${ORIGIN}/pay`])
      }
    },
  )

  test('and one that only says that it waits is lost within seconds', async () => {
    let met = 0
    for (let i = 0; i < 20 && met === 0; i++) {
      const { world, asked } = await meshFor(`waits for nothing ${i}`, 1)
      const peer = await scriptedPeer(world)
      const say = (id: number) => {
        peer.send({ t: 'progress', items: [{ id, state: 'waiting', fuel: 0, alive: true }] })
        world.clock.after(500, () => say(id))
      }
      peer.react = (frame) => {
        if (frame.t !== 'invoke') return
        met += frame.items.length
        for (const { id } of frame.items) say(id)
      }
      await peer.join(world.peers[0]!, 1)
      const begunMs = world.clock.monotonic()
      expect(returned(await call(world, PAY, 5))).toEqual(['GET 1', 'POST 2'])
      expect(world.clock.monotonic() - begunMs).toBeLessThan(5000)
      expect(asked).toHaveLength(2)
    }
    expect(met).toBeGreaterThan(0)
  })
})
