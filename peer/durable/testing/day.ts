/** An invocation that works and sleeps for more than a day; then its executor is killed, and the next one lies. */
import { expect } from 'vitest'
import { FUEL_TICK } from '../../../protocol/limits.ts'
import { Outcome } from '../../../protocol/outcome.ts'
import { decodeValue } from '../../../protocol/values.ts'
import { joinWith, publish, requestOf, worldFor } from '../../../scripts/test/world.ts'
import { checkpointForger } from '../../../simulations/adversaries.ts'
import type { PeerSetup, WorldPeer } from '../../../simulations/world.ts'
import { type Begun, watched } from './begun.ts'

const HOUR_MS = 3_600_000
/** Every hour some work, so many requests, 25 at a time, and a sleep that is a little longer than an hour. */
const ASKED = 100
const SLEEP_MS = HOUR_MS + 5000
const REQUESTS_AN_HOUR = ASKED + 1
const HOURS = 24
/** In its last sleep. */
const KILLED_MS = HOURS * HOUR_MS
/** A checkpoint comes with the first answer of an hour, or of the one behind it where that had no whole one's work. */
const REDONE_HOURS = 2.5
const REPLAYED_MAX = 2 * REQUESTS_AN_HOUR
/** An executor that is silent counts as lost after 1.5 s; the rest is on its way. */
const RESUMED_MS = 10_000

const CODE = `export default async ([hours, asked, spins], env, ctx) => {
  const seen = new Map()
  let [sum, before] = [0, 0]
  for (let hour = 0; hour <= hours; hour++) {
    for (let k = 0; k < spins; k++) sum = (sum * 31 + k + hour) | 0
    for (let i = 0; i < asked; i += 25) {
      const times = await Promise.all(Array.from({ length: 25 }, () => ctx.now()))
      if (times.some((now) => now < before)) throw new Error('the clock went back')
      before = times[0]
      for (const [k, now] of times.entries()) seen.set(hour * asked + i + k, now)
    }
    if (hour < hours) await new Promise((resolve) => setTimeout(resolve, ${SLEEP_MS}))
  }
  return [sum, seen.size]
}`

const expected = (spins: number): [number, number] => {
  let sum = 0
  for (let hour = 0; hour <= HOURS; hour++) for (let k = 0; k < spins; k++) sum = (sum * 31 + k + hour) | 0
  return [sum, (HOURS + 1) * ASKED]
}

interface Resumed extends Begun {
  atMs: number
}

/** `spins`: rounds of a loop in each hour, that come to a checkpoint. */
export const workADay = async (spins: number): Promise<void> => {
  const begun = new Map<string, Resumed[]>()
  const setup = (name: string, more: PeerSetup = {}): PeerSetup => ({
    ...more,
    sandboxHost: (host, clock) => {
      const all: Resumed[] = []
      begun.set(name, all)
      return watched(more.sandboxHost?.(host, clock) ?? host, (one) => all.push({ ...one, atMs: clock.monotonic() }))
    },
  })
  // Who is of no use yet would only make the day longer.
  const setups = [setup('home', { policy: { slots: 0 } }), setup('first')]
  const world = await worldFor('a day', { peers: 2, setup: (i) => setups[i] as PeerSetup })
  const [home, first] = world.peers as [WorldPeer, WorldPeer]
  const published = await publish(home, CODE, { effects: ['now', 'sleep'] })
  const wish = { level: { level: 'self' as const }, timeoutMs: 2 * KILLED_MS, remote: true }
  const request = requestOf(published, [HOURS, ASKED, spins], wish)
  const id = await world.until(home.peer.durable.start(request))
  await world.clock.advance(KILLED_MS)

  let forged = 0
  const join = async (peer: PeerSetup) => joinWith(world, await home.peer.invite(HOUR_MS, false), {}, peer)
  await join(setup('liar', { sandboxHost: (host) => checkpointForger(host, 0, () => void forged++) }))
  const killedMs = world.clock.monotonic()
  world.kill(first)
  await world.clock.advance(RESUMED_MS)
  const [liar] = begun.get('liar') as [Resumed]
  expect(liar.requests).toBe(HOURS * REQUESTS_AN_HOUR)
  expect(liar.requests).toBeGreaterThan(2000)
  expect(liar.requests - liar.skipped).toBeLessThanOrEqual(REPLAYED_MAX)
  expect(liar.atMs - killedMs).toBeLessThan(RESUMED_MS)
  expect(forged).toBe(0)

  // The one that it comes to is made up.
  await join(setup('last'))
  const { outcome } = await world.until(home.peer.durable.wait(id))
  const [last] = begun.get('last') as [Resumed]
  expect(forged).toBe(1)
  const refused = home.events.filter(({ name }) => name === 'peer.misbehaved')
  expect(refused.map(({ fields }) => fields)).toMatchObject([{ code: 'E_VERIFICATION_FAILED' }])
  expect(last.skipped).toBe(liar.skipped)
  expect(last.requests - last.skipped).toBeLessThanOrEqual(REPLAYED_MAX)

  const { result, fuel } = Outcome.decode(outcome as Uint8Array)
  if (!result.ok) throw new Error(result.message)
  expect(decodeValue(result.value)).toEqual(expected(spins))
  // Of the work, too, what was done since the last checkpoint alone is done again.
  expect(fuel - liar.ticks * FUEL_TICK).toBeLessThanOrEqual((REDONE_HOURS * fuel) / HOURS)
  for (const one of begun.get('home') as Resumed[]) expect(one.requests - one.skipped).toBeLessThanOrEqual(REPLAYED_MAX)
}
