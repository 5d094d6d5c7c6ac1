/** A bank on six peers of which one forges, others are killed, and no two clocks agree for long: its total never changes, and its history has one order. */
import { expect, test } from 'vitest'
import { decodeValue } from '../../protocol/values.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import { forgingHost } from '../../simulations/adversaries.ts'
import { ACCOUNT_PREFIX, BANK, BankCalls, DONE_PREFIX } from '../../simulations/bank-calls.ts'
import type { WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const CALLS = 80
const KILLS = 6
const CLOCK_OFF_MS = 5 * 3_600_000

test.each(['self', 'quorum:2'])('at %s', async (level) => {
  const random = randomFor(level)
  const world = await worldFor(level, {
    peers: 6,
    setup: (i) => (i === 0 ? { policy: { slots: 0 } } : i === 1 ? { sandboxHost: forgingHost } : {}),
    latencyMs: () => random.below(8),
  })
  const home = world.peers[0] as WorldPeer
  const published = await publish(home, BANK.code, BANK)
  const options = { level: ensureLevel(level), grants: { DB: { state: 'bank' } }, timeoutMs: 600_000 }
  const bank = new BankCalls({
    ...{ random, calls: CALLS, isOver: () => true },
    pause: (ms) => new Promise((resolve) => world.clock.after(ms, resolve)),
    call: async (name, input) => {
      const result = await home.peer.call(requestOf(published, input, { export: name, ...options }))
      return { value: returned(result), lies: result.disputes.length }
    },
  })
  const revive = async (dead: WorldPeer) => {
    const { peer } = await world.restart(dead)
    await world.until(peer.join(home.address))
  }
  // Whoever is asked first forges: at a quorum somebody else is there to say so.
  const absent = world.peers.slice(level === 'self' ? 2 : 3)
  for (const one of absent) world.kill(one)
  const opening = bank.open()
  await world.clock.advance(3000)
  for (const one of absent) await revive(one)
  await world.until(opening)
  expect(bank.lies).toBeGreaterThan(0)

  const clients = bank.run()
  for (let kill = 0; kill < KILLS; kill++) {
    await world.clock.advance(200 + random.below(200))
    // Each in its turn behind, right and ahead.
    for (const [i, one] of world.peers.entries()) world.setWallClock(one, (((i + kill) % 3) - 1) * CLOCK_OFF_MS)
    const victim = world.peers[2 + (kill % 4)] as WorldPeer
    world.kill(victim)
    await world.clock.advance(1000)
    await revive(victim)
  }
  await world.until(clients)

  const list = async (prefix: string) => {
    const { state } = home
    return (await state.list({ namespace: 'bank', prefix, limit: 1000 }, await state.revision())).entries
  }
  const revisions = (await list(DONE_PREFIX)).map(
    ({ key, version }) => [key.slice(DONE_PREFIX.length), version] as const,
  )
  const balances = (await list(ACCOUNT_PREFIX)).map(
    ({ value }) => (decodeValue(value as Uint8Array) as { balance: number }).balance,
  )
  expect(bank.judge(new Map(revisions), balances)).toEqual([])
  expect(bank.audits).toBeGreaterThan(5)
  console.info(`${level}: ${bank.calls} calls, ${bank.audits} audits, ${KILLS} kills, ${bank.lies} lies found`)
})
