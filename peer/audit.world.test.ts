import { describe, expect, test } from 'vitest'
import { Membership } from '../protocol/mesh.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Network } from '../protocol/ports.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost, sleeperHost, slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldMachine, WorldOptions, WorldPeer } from '../simulations/world.ts'
import { type CallResult, ensureLevel } from './calls.ts'
import { inputsOf } from './inputs.ts'
import { AUDIT_FLOOR, PROBATION_RECEIPTS } from './trust.ts'

const DOUBLE = 'export default (x) => 2 * x'
const audit = ensureLevel('audit')
const liar: PeerSetup = { sandboxHost: lyingHost }

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, setups: PeerSetup[], policy: WorldOptions['policy'] = {}): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, policy, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

const trustOf = (world: World, { peerId }: { peerId: string }) =>
  world.peers[0]!.peer.status().neighbours.find(({ peer }) => peer === peerId)?.trust

const executorsOf = ({ performed }: CallResult) => performed.map(({ executor }) => executor)
const executionsOf = (results: readonly CallResult[]) => results.reduce((sum, { executions }) => sum + executions, 0)
const liarsOf = (results: readonly CallResult[]) => [
  ...new Set(results.flatMap(({ disputes }) => disputes.map((one) => one.liar))),
]

const callers = (world: World) => {
  const caller = world.peers[0] as WorldPeer
  const published = publish(caller, DOUBLE)
  let next = 0
  return {
    /** One call after another, of inputs never asked before. */
    calls: async (count: number): Promise<CallResult[]> => {
      const double = await published
      const results: CallResult[] = []
      for (let i = 0; i < count; i++) {
        results.push(await world.until(caller.peer.call(requestOf(double, next++, { level: audit }))))
      }
      return results
    },
    /** The same as one map, by input. */
    map: async (count: number): Promise<CallResult[]> => {
      const { input: _, ...request } = requestOf(await published, null, { level: audit })
      const inputs = Array.from({ length: count }, () => encodeValue(next++))
      const results: CallResult[] = []
      for await (const ready of caller.peer.map(request, inputsOf(inputs), false)) {
        for (const one of ready) if ('result' in one) results.push(one.result)
      }
      return results
    },
  }
}

const areRight = (results: readonly CallResult[], from = 0) =>
  expect(results.map(returned)).toEqual(results.map((_, i) => 2 * (from + i)))

describe('a liar', () => {
  test('on probation is caught at once, at each of its lies, until it is expelled', async () => {
    const world = await callerAnd('probation', [liar, {}, {}])
    const { calls } = callers(world)
    const results = await calls(60)
    areRight(results)
    expect(liarsOf(results)).toEqual([world.peers[1]!.peerId])
    expect(results.filter(({ disputes }) => disputes.length > 0)).toHaveLength(6)
    for (const honest of world.peers.slice(2)) expect(trustOf(world, honest)).toMatchObject({ caught: 0 })
    const [caller] = world.peers as [WorldPeer]
    expect(trustOf(world, world.peers[1]!)).toBeUndefined()
    const rejoined = world.until(world.peers[1]!.peer.join(caller.address))
    await expect(rejoined).rejects.toMatchObject({ code: 'E_VERIFICATION_FAILED' })
    await world.clock.advance(120_000)
    expect(caller.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(world.peers[1]!.peerId)
  })

  test('that behaves for 50 receipts and then lies on one in five is caught, and what it got through is found', async () => {
    const random = randomFor('one in five')
    const sleeper: PeerSetup = { sandboxHost: (host) => sleeperHost(host, 50, () => random.below(5) === 0) }
    const world = await callerAnd('sleeper', [sleeper, {}, {}, {}])
    const { map } = callers(world)
    const results = await world.until(map(3000))
    await world.clock.advance(1000)
    const accepted = results.filter((one, i) => returned(one) !== 2 * i)
    expect(liarsOf(results)).toEqual([world.peers[1]!.peerId])
    const corrected = world.peers[0]!.events.filter(({ name }) => name === 'call.corrected')
    expect(corrected.map(({ fields }) => String(fields.task)).sort()).toEqual(
      accepted.map(({ performed }) => String(performed[0]!.item.task)).sort(),
    )
    for (const one of accepted) expect(executorsOf(one)).toEqual([world.peers[1]!.peerId])
    for (const honest of world.peers.slice(2)) expect(trustOf(world, honest)).toMatchObject({ caught: 0 })
  })
})

describe('among honest peers', () => {
  test('audits cost the floor once probation is over', async () => {
    const world = await callerAnd('honest', Array<PeerSetup>(10).fill({}))
    const { map } = callers(world)
    const first = await world.until(map(2000))
    areRight(first)
    expect(liarsOf(first)).toEqual([])
    const standings = world.peers.slice(1).map((one) => trustOf(world, one))
    expect(standings.map((one) => one?.state)).toEqual(Array(10).fill('trusted'))
    for (const one of standings) expect(one!.audited).toBeGreaterThanOrEqual(PROBATION_RECEIPTS)
    // Each audit serves two: that of the executor and that of the verifier.
    const probation = (10 * PROBATION_RECEIPTS) / 2
    const audits = executionsOf(first) - 2000
    expect(audits).toBeGreaterThanOrEqual(probation)
    // However many come at once: those that a probation does not need wait for its end. The last term is chance.
    expect(audits).toBeLessThan(10 * PROBATION_RECEIPTS + AUDIT_FLOOR * 2000 + 80)

    const second = await world.until(map(4000))
    areRight(second, 2000)
    const share = (executionsOf(second) - 4000) / 4000
    const deviation = Math.sqrt((AUDIT_FLOOR * (1 - AUDIT_FLOOR)) / 4000)
    expect(Math.abs(share - AUDIT_FLOOR)).toBeLessThan(5 * deviation)
  })

  test('an audit looks to the verifier like any other call, and both hear of it afterwards', async () => {
    const world = await callerAnd('alike', [])
    const outcomes = await trueOutcomes(world, 1)
    const peers = [await honest(world, outcomes), await honest(world, outcomes)]
    const { calls } = callers(world)
    const [result] = await calls(1)
    await world.clock.advance(0)
    expect(executorsOf(result!).toSorted()).toEqual(peers.map(({ peerId }) => peerId).toSorted())
    const invokes = peers.map((peer) => peer.all('invoke'))
    expect(invokes.map((one) => one.length)).toEqual([1, 1])
    const [one, other] = invokes.map(([invoke]) => invoke!)
    expect(Object.keys(one!)).toEqual(Object.keys(other!))
    expect(one!.items[0]).toMatchObject({ attempt: 1, epoch: 0, journal: [], input: other!.items[0]!.input })
    for (const peer of peers) expect(peer.all('verdict')).toMatchObject([{ verdict: 'agreed' }])
  })
})

test('an answer that waits for the end of a probation waits no longer than its caller', async () => {
  let delayMs = 0
  const slow: PeerSetup = { sandboxHost: (host, clock) => slowHost(host, clock, () => delayMs) }
  const world = await callerAnd('waits', [{}, slow])
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  delayMs = 10_000
  let ended = 0
  const calls = Array.from({ length: 400 }, (_, i) => {
    const wish = requestOf(double, i, { level: audit, timeoutMs: i < 200 ? 300_000 : 2000 })
    const call = caller.peer.call(wish).then(returned, ({ code }) => code)
    if (i >= 200) void call.then(() => ended++)
    return call
  })
  await world.clock.advance(2300)
  expect(ended).toBe(200)
  const codes = new Set((await world.until(Promise.all(calls))).filter((one) => typeof one === 'string'))
  expect(codes).toEqual(new Set(['E_TIMEOUT']))
})

describe('without an eligible verifier', () => {
  test('the home re-executes', async () => {
    const world = await callerAnd('alone', [{}])
    const { calls } = callers(world)
    const [caller, executor] = world.peers.map(({ peerId }) => peerId)
    for (const result of await calls(PROBATION_RECEIPTS)) {
      expect(executorsOf(result)).toEqual([executor, caller])
    }
    const after = (await calls(100)).filter(({ performed }) => performed.length > 1)
    expect(after.length).toBeLessThan(40)
  })

  test('a lie is caught there too', async () => {
    const world = await callerAnd('alone with a liar', [liar])
    const results = await callers(world).calls(3)
    areRight(results)
    for (const { disputes } of results) expect(disputes).toMatchObject([{ liar: world.peers[1]!.peerId }])
  })

  test('a verifier that sends no receipt is passed over', async () => {
    const world = await callerAnd('no receipt', [{}])
    const silent = await scriptedPeer(world)
    const outcome = await trueOutcome(world)
    silent.react = (frame) => {
      if (frame.t !== 'invoke') return
      silent.send({ t: 'answers', items: frame.items.map(({ id }) => ({ id, outcome })) })
    }
    await silent.join(world.peers[0]!, 2)
    const double = await publish(world.peers[0]!, DOUBLE)
    for (let i = 0; i < 10; i++) {
      const result = await world.until(world.peers[0]!.peer.call(requestOf(double, 21, { level: audit })))
      expect(returned(result)).toBe(42)
      expect(executorsOf(result)).not.toContain(silent.peerId)
      await world.clock.advance(61_000)
    }
  })

  test('a verifier whose receipts do not come is left alone for a minute: no verdict waits for it', async () => {
    const world = await callerAnd('left alone', [{}, {}])
    const silent = await scriptedPeer(world)
    const outcome = await trueOutcome(world)
    let asked = 0
    silent.react = (frame) => {
      if (frame.t !== 'invoke') return
      asked += frame.items.length
      silent.send({ t: 'answers', items: frame.items.map(({ id }) => ({ id, outcome })) })
    }
    await silent.join(world.peers[0]!, 2)
    const [caller] = world.peers as [WorldPeer]
    const double = await publish(caller, DOUBLE)
    const timed = async () => {
      const begun = world.clock.monotonic()
      expect(returned(await world.until(caller.peer.call(requestOf(double, 21, { level: audit }))))).toBe(42)
      return world.clock.monotonic() - begun
    }
    while (asked === 0) await timed()
    await world.clock.advance(6000)
    for (let i = 0; i < 20; i++) expect(await timed()).toBeLessThan(1000)
    expect(asked).toBe(1)
  })
})

/** The outcome for 21, in bytes. */
const trueOutcome = async (world: World): Promise<Uint8Array> => {
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  const { performed } = await world.until(caller.peer.call(requestOf(double, 21)))
  return performed[0]!.outcomeBytes
}

interface Origin {
  inviter?: ScriptedPeer | undefined
  address?: string
}

/** What DOUBLE gives for 0, 1, 2, …, as runs at the caller find it. Nobody may lend yet. */
const trueOutcomes = async (world: World, count: number): Promise<Outcome[]> => {
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  const outcomes: Outcome[] = []
  for (let i = 0; i < count; i++) {
    outcomes.push((await world.until(caller.peer.call(requestOf(double, i, { remote: false })))).outcome)
  }
  return outcomes
}

/** A scripted executor that gives `outcomes`, by input. */
const honest = async (world: World, outcomes: readonly Outcome[], { inviter, address }: Origin = {}) => {
  const peer = await scriptedPeer(world)
  if (inviter) {
    const { meshId, mesh } = inviter
    const record = {
      v: 1 as const,
      mesh: meshId,
      peer: peer.peerId,
      expires_ms: world.clock.now() + 3_600_000,
      own: false,
    }
    const [signed] = await inviter.sign('membership', [Membership.encode(record)])
    peer.mesh.chain.splice(0, peer.mesh.chain.length, signed!, ...mesh.chain)
  }
  peer.react = (frame) => {
    if (frame.t === 'invoke') void peer.perform(frame, outcomes[decodeValue(frame.items[0]!.input) as number]!)
  }
  await peer.join(world.peers[0]!, 2)
  if (address) await peer.say(await peer.advertisement({ slots: 2, free: 2, addresses: [address] }))
  return peer
}

describe('on a mesh whose verifiers are of other operators', () => {
  const floor = { independence: 'operator' } as const

  test('peers of one inviter, or of networks not known, verify nothing of each other', async () => {
    const world = await callerAnd('one inviter', [{}, {}, {}], floor)
    const { calls } = callers(world)
    const caller = world.peers[0]!
    for (const result of await calls(10)) expect(executorsOf(result)[1]).toBe(caller.peerId)
    const double = await publish(caller, DOUBLE)
    const quorum = world.until(caller.peer.call(requestOf(double, 1, { level: ensureLevel('quorum:2') })))
    await expect(quorum).rejects.toMatchObject({ code: 'E_QUORUM_INSUFFICIENT', fields: { found: 1, wanted: 2 } })
  })

  test('only those of another inviter and another network are drawn', async () => {
    const world = await callerAnd('several inviters', [], floor)
    const outcomes = await trueOutcomes(world, 50)
    const inviter = await scriptedPeer(world)
    const a = await honest(world, outcomes, { address: '/ip4/1.2.3.4/tcp/1' })
    const b = await honest(world, outcomes, { inviter, address: '/ip4/5.6.7.8/tcp/1' })
    const c = await honest(world, outcomes, { inviter, address: '/ip4/5.6.7.9/tcp/1' })
    const d = await honest(world, outcomes, { address: '/ip4/9.9.9.9/tcp/1' })
    const ofA = await honest(world, outcomes, { inviter: a, address: '/ip4/7.7.7.7/tcp/1' })
    const results = await callers(world).calls(40)
    areRight(results)
    const named = (...peers: string[]) => peers.toSorted().join(' ')
    const pair = (one: ScriptedPeer, other: ScriptedPeer) => named(one.peerId, other.peerId)
    const allowed = [pair(a, b), pair(a, c), pair(d, b), pair(d, c), pair(ofA, b), pair(ofA, c), pair(ofA, d)]
    const found = new Set(results.map((one) => named(...executorsOf(one))))
    expect(allowed).toEqual(expect.arrayContaining([...found]))
    expect(found.size).toBeGreaterThan(3)
    const double = await publish(world.peers[0]!, DOUBLE)
    const quorum = world.peers[0]!.peer.call(requestOf(double, 49, { level: ensureLevel('quorum:2') }))
    expect(allowed).toContain(named(...executorsOf(await world.until(quorum))))
  })
})

describe('after a restart', () => {
  test('the home trusts and expels whom it did', async () => {
    const world = await callerAnd('restart', [{}, {}, liar])
    const machine: WorldMachine = world.machine()
    const lasting = { ...machine.ports.storage, close: async () => {} }
    const born = async (network: Network) => {
      const one = await world.add(
        { policy: { slots: 0 } },
        { ...machine, ports: { ...machine.ports, network, storage: lasting } },
      )
      await world.until(one.peer.join(world.peers[1]!.address))
      await world.clock.advance(1000)
      return one
    }
    const before = await born(machine.ports.network)
    const double = await publish(before, DOUBLE)
    const call = (home: WorldPeer, i: number) =>
      world.until(home.peer.call(requestOf(double, i, { level: audit, remote: true })))
    for (let i = 0; i < 160; i++) expect(returned(await call(before, i))).toBe(2 * i)
    const trust = (home: WorldPeer) =>
      Object.fromEntries(home.peer.status().neighbours.map((one) => [one.peer, one.trust]))
    const known = trust(before)
    expect(known[world.peers[1]!.peerId]).toMatchObject({ state: 'trusted' })
    await world.until(before.peer.stop())
    const after = await born(world.hub.join(machine.peerId, { log: machine.ports.log }))
    await publish(after, DOUBLE)
    expect(trust(after)).toEqual(known)
    expect(Object.keys(known)).not.toContain(world.peers[3]!.peerId)
    let executions = 0
    for (let i = 1000; i < 1050; i++) executions += (await call(after, i)).executions
    expect(executions).toBeLessThan(75)
  })
})

describe('a colluding pair', () => {
  test('is believed only where the draw falls on the other of them', async () => {
    const world = await callerAnd('colluders', [liar, liar, {}, {}, {}])
    const colluders = world.peers.slice(1, 3).map(({ peerId }) => peerId)
    const results = await callers(world).calls(200)
    for (const [i, one] of results.entries()) {
      if (returned(one) === 2 * i) continue
      expect(executorsOf(one).toSorted()).toEqual(colluders.toSorted())
    }
    expect(liarsOf(results).toSorted()).toEqual(colluders.toSorted())
    expect(world.peers.slice(1, 3).map((one) => trustOf(world, one))).toEqual([undefined, undefined])
    for (const honest of world.peers.slice(3)) expect(trustOf(world, honest)).toMatchObject({ caught: 0 })
  })

  test('that outvotes an honest executor frames nobody', async () => {
    const world = await callerAnd('outvoted', [liar, liar, {}])
    const caller = world.peers[0]!
    const double = await publish(caller, DOUBLE)
    const areThere = () => world.peers.slice(1, 3).some((one) => trustOf(world, one))
    for (let i = 0; i < 60 && areThere(); i++) {
      const call = caller.peer.call(requestOf(double, i, { level: ensureLevel('quorum:2') }))
      await world.until(call.catch(() => {}))
      await world.clock.advance(100)
    }
    expect(trustOf(world, world.peers[3]!)).toMatchObject({ caught: 0 })
    expect(trustOf(world, world.peers[3]!)!.state).not.toBe('suspended')
    expect(areThere()).toBe(false)
  })
})

describe('the level of a call that names none', () => {
  test.each([
    ['audit', []],
    ['self', ['call' as const]],
  ])('is %s for a function with effects %j', async (level, effects) => {
    const world = await callerAnd(`default ${level}`, [{}, {}])
    const caller = world.peers[0]!
    const double = await publish(caller, DOUBLE, { effects: [...effects] })
    const { level: _, ...wish } = requestOf(double, 4)
    expect((await world.until(caller.peer.call(wish))).level).toEqual({ level })
  })
})
