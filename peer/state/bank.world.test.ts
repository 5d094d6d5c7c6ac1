/** A bank on six peers of which one forges, and others are killed: its total never changes, and its history has one order. */
import { expect, test } from 'vitest'
import type { MeshError } from '../../protocol/errors.ts'
import type { Grants } from '../../protocol/grants.ts'
import type { Random } from '../../protocol/ports.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import { forgingHost } from '../../simulations/adversaries.ts'
import { type Audit, checkBank } from '../../simulations/checkers/bank.ts'
import type { Recorded, Seen } from '../../simulations/checkers/history.ts'
import { checkHistory } from '../../simulations/checkers/serialisability.ts'
import type { World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const ACCOUNTS = 6
const OPENING = 100
const CLIENTS = 4
const CALLS = 80
const KILLS = 6

/** `by` is the number of the write, which no other has; what a transfer did is kept under its own key, too. */
const BANK = `
  const name = (n) => 'account/' + n
  export const open = (x, { DB }) => {
    for (let n = 0; n < ${ACCOUNTS}; n++) DB.put(name(n), { balance: ${OPENING}, by: n + 1 })
    DB.put('done/open', true)
    return ${ACCOUNTS}
  }
  export const transfer = async ([number, from, to, percent], { DB }) => {
    const [a, b] = await Promise.all([DB.get(name(from)), DB.get(name(to))])
    const amount = Math.floor((a.balance * percent) / 100)
    if (amount > 0) {
      DB.put(name(from), { balance: a.balance - amount, by: 2 * number })
      DB.put(name(to), { balance: b.balance + amount, by: 2 * number + 1 })
      DB.put('done/' + number, true)
    }
    return { read: [[name(from), a.by], [name(to), b.by]], moved: amount }
  }
  export const audit = async (x, { DB }) => {
    const { entries } = await DB.list({ prefix: 'account/' })
    return { read: entries.map(({ key, value }) => [key, value.by]), balances: entries.map(({ key, value }) => [key, value.balance]) }
  }
`
const GRANTS: Grants = { DB: { state: 'bank' } }

interface Told {
  read: [key: string, by: number][]
  moved?: number
  balances?: [account: string, balance: number][]
}

/** One call as its client knows it. */
interface Done extends Told {
  number: number
  beganAt: number
  endedAt: number
  written: string[]
}

/** They transfer and audit, each one call after the other. */
const runClients = async (
  world: World,
  random: Random,
  call: (name: string, input: Value) => Promise<Told>,
): Promise<Done[]> => {
  let at = 0
  let next = ACCOUNTS
  const done: Done[] = []
  const client = async () => {
    while (next < ACCOUNTS + CALLS) {
      const number = next++
      const beganAt = at++
      const from = random.below(ACCOUNTS)
      const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS
      const isAudit = random.below(4) === 0
      const told = isAudit
        ? await call('audit', null)
        : await call('transfer', [number, from, to, 1 + random.below(50)])
      const written = (told.moved ?? 0) > 0 ? [`account/${from}`, `account/${to}`] : []
      done.push({ ...told, number, beganAt, endedAt: at++, written })
      // Who is suspended for a lie is asked again later.
      await new Promise<void>((resolve) => world.clock.after(100, resolve))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return done
}

/** What the clients did, for the checkers: which revision each write has, the keys of `done/` tell. */
const historyOf = (done: readonly Done[], revisions: ReadonlyMap<string, number>) => {
  const seen = ([key, by]: [string, number]): Seen => ({
    ...{ key, value: by },
    version: revisions.get(by <= ACCOUNTS ? 'open' : `${Math.floor(by / 2)}`) as number,
  })
  const opening: Recorded = {
    ...{ id: 'open', beganAt: -2, endedAt: -1, outcome: 'committed', snapshot: 0, revision: revisions.get('open') },
    ...{
      reads: [],
      lists: [],
      writes: Array.from({ length: ACCOUNTS }, (_, n) => ({ key: `account/${n}`, value: n + 1 })),
    },
  }
  const snapshotOf = (reads: readonly Seen[]) => Math.max(...reads.map(({ version }) => version))
  const history = done.map(({ number, beganAt, endedAt, read, written }): Recorded => {
    const reads = read.map(seen)
    return {
      ...{ id: `${number}`, beganAt, endedAt, outcome: 'committed', snapshot: snapshotOf(reads), reads, lists: [] },
      ...(written.length > 0 && { revision: revisions.get(`${number}`) }),
      writes: written.map((key, i) => ({ key, value: 2 * number + i })),
    }
  })
  const audits = done.flatMap(({ read, balances }): Audit[] =>
    balances ? [{ revision: snapshotOf(read.map(seen)), balances: new Map(balances) }] : [],
  )
  return { history: [opening, ...history], audits }
}

test.each(['self', 'quorum:2'])('at %s', async (level) => {
  const random = randomFor(level)
  const world = await worldFor(level, {
    peers: 6,
    setup: (i) => (i === 0 ? { policy: { slots: 0 } } : i === 1 ? { sandboxHost: forgingHost } : {}),
    latencyMs: () => random.below(8),
  })
  const home = world.peers[0] as WorldPeer
  const bank = await publish(home, BANK, {
    ...{ exports: ['audit', 'open', 'transfer'], effects: ['get', 'list', 'put'] },
    env: [{ name: 'DB', kind: 'state' }],
  })
  let lies = 0
  const call = async (name: string, input: Value): Promise<Told> => {
    const changes = { export: name, level: ensureLevel(level), grants: GRANTS, timeoutMs: 600_000 }
    for (;;) {
      try {
        const result = await home.peer.call(requestOf(bank, input, changes))
        lies += result.disputes.length
        return returned(result) as unknown as Told
      } catch (cause) {
        // Those who could have agreed are gone: nothing is committed, and the client asks again.
        const { code } = cause as MeshError
        if (!['E_VERIFICATION_FAILED', 'E_QUORUM_INSUFFICIENT', 'E_NO_PEER', 'E_EXECUTOR_LOST'].includes(code))
          throw cause
        if (code === 'E_VERIFICATION_FAILED') lies += 1
        await new Promise<void>((resolve) => world.clock.after(500, resolve))
      }
    }
  }
  const revive = async (dead: WorldPeer) => {
    const { peer } = await world.restart(dead)
    await world.until(peer.join(home.address))
  }
  // Whoever is asked first forges: at a quorum somebody else is there to say so.
  const absent = world.peers.slice(level === 'self' ? 2 : 3)
  for (const one of absent) world.kill(one)
  const opening = call('open', null)
  await world.clock.advance(3000)
  for (const one of absent) await revive(one)
  await world.until(opening)
  expect(lies).toBeGreaterThan(0)

  const clients = runClients(world, random, call)
  for (let kill = 0; kill < KILLS; kill++) {
    await world.clock.advance(200 + random.below(200))
    const victim = world.peers[2 + (kill % 4)] as WorldPeer
    world.kill(victim)
    await world.clock.advance(1000)
    await revive(victim)
  }
  const done = await world.until(clients)

  const { state } = home
  const { entries } = await state.list({ namespace: 'bank', prefix: 'done/', limit: 1000 }, await state.revision())
  const revisions = new Map(entries.map(({ key, version }) => [key.slice('done/'.length), version]))
  const { history, audits } = historyOf(done, revisions)
  expect(checkHistory(history)).toEqual([])
  expect(audits.length).toBeGreaterThan(5)
  expect(checkBank(audits, ACCOUNTS * OPENING)).toEqual([])
  const last = await state.list({ namespace: 'bank', prefix: 'account/', limit: 100 }, await state.revision())
  const balances = last.entries.map(({ value }) => (decodeValue(value as Uint8Array) as { balance: number }).balance)
  expect(balances.reduce((sum, one) => sum + one, 0)).toBe(ACCOUNTS * OPENING)
  console.info(`${level}: ${done.length} calls, ${audits.length} audits, ${KILLS} kills, ${lies} lies found`)
})
