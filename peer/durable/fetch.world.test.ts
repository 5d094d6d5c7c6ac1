/** Durable invocations that fetch: whoever dies, and when, each request is made once, or it is said that nobody knows. */
import { describe, expect, test } from 'vitest'
import type { Grants } from '../../protocol/grants.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Clock, Web } from '../../protocol/ports.ts'
import { decodeValue } from '../../protocol/values.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const ORIGIN = 'https://sink.example'
const PAYS = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (amount, { API }) => {
    const pay = async (what) => {
      try {
        const response = await API.fetch('${ORIGIN}/' + what, { method: 'POST', body: what + ' ' + amount })
        return await response.text()
      } catch (error) {
        return error.code
      }
    }
    await sleep(100)
    const first = await pay('first')
    await sleep(100)
    return [first, await pay('second')]
  }
`
const home = (world: World) => world.peers[0] as WorldPeer

/** Takes 100 ms over each request; knows a request by its key, and answers the second of a key as the first. */
const sink = () => {
  const asked: { key: string; body: string }[] = []
  const bodies = new Map<string, Set<string>>()
  const webOn = (clock: Pick<Clock, 'after'>): Web => ({
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ headers, body }) => {
      const key = headers.find(([name]) => name === 'idempotency-key')?.[1] as string
      const text = Buffer.from(body ?? []).toString()
      asked.push({ key, body: text })
      bodies.set(key, (bodies.get(key) ?? new Set()).add(text))
      await new Promise<void>((resolve) => clock.after(100, resolve))
      return { kind: 'answered', status: 200, headers: [], body: new TextEncoder().encode(`did ${text}`) }
    },
  })
  return { asked, bodies, webOn }
}

const scene = async (name: string, onUnknown: 'retry' | 'fail', level = 'self') => {
  const { asked, bodies, webOn } = sink()
  const setup = (i: number, clock: Pick<Clock, 'after'>): PeerSetup =>
    i === 0 ? { web: webOn(clock), policy: { slots: 0 } } : {}
  const world = await worldFor(name, { peers: 4, setup: (i, world) => setup(i, world.clock) })
  const env = [{ name: 'API', kind: 'fetch' as const }]
  const cid = await publish(home(world), PAYS, { effects: ['fetch', 'sleep'], env })
  const grants: Grants = { API: { fetch: [ORIGIN], methods: ['POST'], onUnknown } }
  const request = requestOf(cid, 5, { level: ensureLevel(level), grants, remote: false })
  const id = await world.until(home(world).peer.durable.start(request))
  const end = async (): Promise<string[]> => {
    const { outcome } = await world.until(home(world).peer.durable.wait(id))
    const { result } = Outcome.decode(outcome as Uint8Array)
    if (!result.ok) throw new Error(result.message)
    return decodeValue(result.value) as string[]
  }
  const restartHome = async () => {
    world.kill(home(world))
    await world.clock.advance(700)
    const reborn = await world.restart(home(world), setup(0, world.clock))
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
  }
  return { world, id, asked, bodies, end, restartHome }
}

const DID = ['did first 5', 'did second 5']

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test.each([20, 110, 190, 260, 320, 390])('its executor killed after %i ms: each is sent once', async (atMs) => {
    let killed = 0
    // It need not be at work at that moment: until it was.
    for (let round = 0; killed === 0; round++) {
      const { world, id, asked, end } = await scene(`executor ${level} ${atMs}, ${round}`, 'fail', level)
      await world.clock.advance(atMs)
      const busy = world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
      if (busy) {
        world.kill(busy)
        killed++
      }
      expect(await end()).toEqual(DID)
      expect(asked.map(({ body }) => body)).toEqual(['first 5', 'second 5'])
      expect(new Set(asked.map(({ key }) => key.slice(0, `wayside-${id}`.length)))).toEqual(new Set([`wayside-${id}`]))
    }
  })
})

describe('its home killed', () => {
  const TIMES = [0, 90, 110, 160, 199, 210, 290, 310, 370, 500]

  test.each(TIMES)('after %i ms, with `retry`: a sink that honours the key has done each once', async (atMs) => {
    const { world, asked, bodies, end, restartHome } = await scene(`retry ${atMs}`, 'retry')
    await world.clock.advance(atMs)
    await restartHome()
    expect(await end()).toEqual(DID)
    expect([...bodies.values()].map((one) => [...one])).toEqual([['first 5'], ['second 5']])
    expect(asked.length).toBeLessThanOrEqual(3)
  })

  test.each(TIMES)(
    'after %i ms, with `fail`: each is sent once at most, and what nobody knows is said',
    async (atMs) => {
      const { world, asked, end, restartHome } = await scene(`fail ${atMs}`, 'fail')
      await world.clock.advance(atMs)
      await restartHome()
      const said = await end()
      for (const [i, what] of ['first 5', 'second 5'].entries()) {
        const times = asked.filter(({ body }) => body === what).length
        expect([DID[i], 'E_EFFECT_OUTCOME_UNKNOWN']).toContain(said[i])
        if (said[i] === DID[i]) expect(times).toBe(1)
        else expect(times).toBeLessThanOrEqual(1)
      }
    },
  )

  test('before the first, in the first, and between them: only in the first is anything not known', async () => {
    const unknowns: number[] = []
    for (const atMs of [20, 160, 250]) {
      const { world, end, restartHome } = await scene(`known ${atMs}`, 'fail')
      await world.clock.advance(atMs)
      await restartHome()
      unknowns.push((await end()).filter((one) => one === 'E_EFFECT_OUTCOME_UNKNOWN').length)
    }
    expect(unknowns).toEqual([0, 1, 0])
  })
})
