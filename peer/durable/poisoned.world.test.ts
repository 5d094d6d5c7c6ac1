/** Executors that poison the journal at a random request: they delay what they are asked for, and change nothing of it. */
import { expect, test } from 'vitest'
import type { Grants } from '../../protocol/grants.ts'
import { Outcome } from '../../protocol/outcome.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import { LIES, type Lie, poisoningHost } from '../../simulations/poisoner.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'
import type { DurableEnd } from './durable.ts'
import { HONOURS, PLAIN, READ, Sinks } from './testing/sinks.ts'

/** Asks for several things at once, so that they can be told in another order. */
const CODE = `
  const post = async (binding, url, body) => (await binding.fetch(url, { method: 'POST', body })).text()
  export default async (id, { DB, PRICES, PAY, CHARGE, MAIL }, ctx) => {
    const [begun, before] = await Promise.all([ctx.now(), DB.get('order/' + id), PRICES.fetch('${READ}/' + id + '/price')])
    if (before !== null) throw new Error('ordered before')
    const paid = await Promise.all([
      post(PAY, '${HONOURS}/pay', 'pay ' + id),
      post(CHARGE, '${PLAIN}/charge', 'charge ' + id),
      ctx.call('#part', id),
    ])
    await MAIL.send('${HONOURS}/mail', { method: 'POST', body: 'mail ' + id })
    await DB.put('order/' + id, id)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await DB.put('last', id)
    return [...paid, (await ctx.now()) >= begun]
  }
  export const part = async (id, { DB, PAY }) => {
    DB.put('part/' + id, id)
    return post(PAY, '${HONOURS}/part', 'part ' + id)
  }
`
const fetches = (origin: string) => ({ fetch: [origin], methods: ['POST'] })
const GRANTS: Grants = {
  CHARGE: fetches(PLAIN),
  DB: { state: 'shop' },
  MAIL: fetches(HONOURS),
  PAY: fetches(HONOURS),
  PRICES: { fetch: [READ], read: true },
}
const ENV = Object.entries(GRANTS).map(([name, grant]) => {
  return { name, kind: 'state' in grant ? ('state' as const) : ('fetch' as const) }
})
const EFFECTS = ['call', 'fetch', 'get', 'now', 'put', 'send', 'sleep'] as const
const SALES = 2

const home = (world: World) => world.peers[0] as WorldPeer

const stateOf = async ({ state }: WorldPeer): Promise<[string, Value][]> => {
  const { entries } = await state.list(
    { namespace: 'shop', prefix: '', after: undefined, limit: 100 },
    await state.revision(),
  )
  return entries.map(({ key, value }) => [key, decodeValue(value as Uint8Array)])
}

/** One by one, in a mesh where `liars` lie. Returns how they lied. */
const sell = async (
  name: string,
  { level, isDurable, liars }: { level: string; isDurable: boolean; liars: number },
) => {
  const random = randomFor(name)
  const lies: Lie[] = []
  const sinks = new Sinks()
  const lying: PeerSetup = { sandboxHost: (host) => poisoningHost(host, random, (lie) => void lies.push(lie)) }
  const homely: PeerSetup = { policy: { slots: 0 }, web: sinks.web(async () => {}) }
  const setup = (i: number): PeerSetup => (i === 0 ? homely : i <= liars ? lying : {})
  const world = await worldFor(name, { peers: 4, setup })
  const published = await publish(home(world), CODE, { exports: ['default', 'part'], effects: [...EFFECTS], env: ENV })
  const { peer } = home(world)
  const ids = Array.from({ length: SALES }, (_, n) => `${n}`)
  for (const id of ids) {
    const request = requestOf(published, id, { level: ensureLevel(level), grants: GRANTS, remote: false })
    const begun = world.clock.monotonic()
    const value = await world.until(
      isDurable
        ? peer.durable
            .start(request)
            .then((started) => peer.durable.wait(started))
            .then(valueIn)
        : peer.call(request).then(returned),
    )
    expect(value).toEqual([`did pay ${id}`, `did charge ${id}`, `did part ${id}`, true])
    expect(world.clock.monotonic() - begun).toBeLessThan(10_000)
  }
  await world.clock.advance(1000)
  expect(await stateOf(home(world))).toEqual([
    ['last', ids.at(-1)],
    ...['order', 'part'].flatMap((of) => ids.map((id) => [`${of}/${id}`, id])),
  ])
  expect(sinks.all()).toEqual(ids.flatMap((id) => [`charge ${id}`, `mail ${id}`, `part ${id}`, `pay ${id}`]).sort())
  return lies
}

const valueIn = ({ outcome, error }: DurableEnd): Value => {
  if (error) throw error
  const { result } = Outcome.decode(outcome as Uint8Array)
  if (!result.ok) throw new Error(result.message)
  return decodeValue(result.value)
}

const SCENES = [
  { level: 'self', isDurable: true, liars: 2, least: 24 },
  { level: 'self', isDurable: false, liars: 2, least: 24 },
  { level: 'quorum:2', isDurable: true, liars: 1, least: 8 },
  { level: 'quorum:2', isDurable: false, liars: 1, least: 8 },
]

test.each(SCENES)('at $level, durable: $isDurable, $least lies, each kind of them', async (scene) => {
  const lies: Lie[] = []
  const isMissing = (lie: Lie) => !lies.includes(lie)
  for (let n = 0; lies.length < scene.least || LIES.some(isMissing); n++)
    lies.push(...(await sell(`${JSON.stringify(scene)} ${n}`, scene)))
  console.info(LIES.map((lie) => `${lie} ${lies.filter((one) => one === lie).length}`).join(', '))
})
