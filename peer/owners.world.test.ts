/** One owner with several machines: what they may do for each other, and that nobody becomes one who is not. */
import { describe, expect, test } from 'vitest'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { PEER_PROTOCOL } from '../protocol/frames.ts'
import { FRAME_BYTES_MAX } from '../protocol/limits.ts'
import { Membership, signTicket } from '../protocol/mesh.ts'
import type { Channel } from '../protocol/ports.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { joinBy, joinWith, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost } from '../simulations/adversaries.ts'
import type { World, WorldMachine, WorldPeer } from '../simulations/world.ts'
import { codesOf, DOUBLE } from './attacked-host.ts'
import { ensureLevel } from './calls.ts'
import { learnMesh, readInvitation } from './join.ts'
import { OWN_TICKET_MS_MAX } from './membership.ts'

const MINUTE_MS = 60_000
const audit = ensureLevel('audit')

/** Somebody who founded the mesh and, unless told otherwise, lends to its own machines alone. */
const ownerAlone = async (name: string, accept = ['self'], independence: 'peer' | 'operator' = 'peer') => {
  const world = await worldFor(name, { peers: 1, setup: () => ({ policy: { accept } }), policy: { independence } })
  return { world, first: world.peers[0] as WorldPeer }
}

const ownAt = ({ peer }: WorldPeer) => peer.status().neighbours.flatMap((one) => (one.own ? [one.peer] : []))

/** What `host` answers to a call by `caller`: the value, or the code of the refusal. */
const callBetween = async (world: World, caller: WorldPeer, input = 4, level = 'none') => {
  const double = await publish(caller, DOUBLE)
  const call = caller.peer.call(requestOf(double, input, { level: ensureLevel(level), timeoutMs: 10_000 }))
  return world.until(call.then(returned, ({ code }) => code))
}

describe('machines of one owner', () => {
  test('know each other, whichever of them let the others in; a member whom one let in is not one of them', async () => {
    const { world, first } = await ownerAlone('machines')
    const second = await joinBy(world, first, { own: true })
    const third = await joinBy(world, second, { own: true })
    const guest = await joinBy(world, second)
    const machines = [first, second, third]
    for (const one of machines) {
      expect(ownAt(one).sort()).toEqual(
        machines
          .filter((other) => other !== one)
          .map(({ peerId }) => peerId)
          .sort(),
      )
      expect(one.peer.mesh().self.owner).toBe(first.peerId)
      const yours = one.peer.mesh().members.filter(({ own }) => own)
      expect(yours.map(({ owner }) => owner)).toEqual([first.peerId, first.peerId])
    }
    expect(ownAt(guest)).toEqual([])
    expect(guest.peer.mesh().self.owner).toBe(guest.peerId)
    const seen = guest.peer.mesh().members
    expect(new Map(seen.map(({ peer, owner, own }) => [peer, { owner, own }]))).toEqual(
      new Map(machines.map(({ peerId }) => [peerId, { owner: first.peerId, own: false }])),
    )
  })

  test('work for each other at --accept self, and for nobody else', async () => {
    const { world, first } = await ownerAlone('self')
    const second = await joinBy(world, first, { own: true, policy: { accept: [] } })
    expect(await callBetween(world, second)).toBe(8)
    const guest = await joinBy(world, first, { policy: { slots: 0 } })
    expect(await callBetween(world, guest)).toBe('E_NOT_ACCEPTED')
    expect(first.peer.status().last_refusal).toMatchObject({ peer: guest.peerId, code: 'E_NOT_ACCEPTED' })
  })

  test('take each other’s answers at audit without one, and say so; a level that asks for more gets it', async () => {
    const { world, first } = await ownerAlone('no audit', ['mesh'])
    const caller = await joinBy(world, first, { own: true, policy: { slots: 0 } })
    const double = await publish(caller, DOUBLE)
    const call = (input: number, level: string) =>
      world.until(caller.peer.call(requestOf(double, input, { level: ensureLevel(level) })))
    for (let i = 0; i < 60; i++) {
      const result = await call(i, 'audit')
      expect(returned(result)).toBe(2 * i)
      expect(result).toMatchObject({ executions: 1, verification: { by: 'own', independence: 'none', verifiers: 0 } })
    }
    const { trust } = caller.peer.status().neighbours[0]!
    expect(trust).toMatchObject({ receipts: 60, audited: 0, state: 'probation' })
    expect(caller.peer.status().memo.entries).toBe(0)
    expect(await call(0, 'self')).toMatchObject({ executions: 2, verification: { by: 'self', verifiers: 1 } })
  })

  test('that were caught lying are audited like anybody, and what they had answered is checked again', async () => {
    const { world, first } = await ownerAlone('broken', [])
    const caller = await joinBy(world, first, { own: true, policy: { slots: 0 } })
    const born = world.machine({ sandboxHost: lyingHost })
    await born.ports.network.start()
    const invitation = await readInvitation(born.ports, await first.peer.invite(MINUTE_MS, true))
    const broken = await world.add({ mesh: await world.until(learnMesh(born.ports, invitation)) }, born)
    await world.until(broken.peer.join(first.address))
    await world.clock.advance(1000)
    expect(ownAt(caller)).toContain(broken.peerId)
    const double = await publish(caller, DOUBLE)
    const call = (input: number, level: string) =>
      world.until(caller.peer.call(requestOf(double, input, { level: ensureLevel(level) })))
    expect(returned(await call(1, 'audit'))).toBe(3)
    expect(await call(2, 'self')).toMatchObject({ disputes: [{ liar: broken.peerId }] })
    await world.clock.advance(1000)
    const [{ trust } = {}] = caller.peer.status().neighbours.filter(({ peer }) => peer === broken.peerId)
    expect(trust).toMatchObject({ caught: 2, corrected: 1 })
    const result = await call(3, 'audit')
    expect(returned(result)).toBe(6)
    expect(result.verification.by).toBe('self')
  })

  test('count as one where verifiers must be of different operators', async () => {
    const { world, first } = await ownerAlone('one operator', ['mesh'], 'operator')
    const guest = await joinBy(world, first, { policy: { slots: 0 } })
    await joinBy(world, first, { own: true })
    await joinBy(world, first, { own: true })
    const double = await publish(guest, DOUBLE)
    const quorum = guest.peer.call(requestOf(double, 1, { level: ensureLevel('quorum:2') }))
    await expect(world.until(quorum)).rejects.toMatchObject({
      code: 'E_QUORUM_INSUFFICIENT',
      fields: { found: 1, wanted: 2 },
    })
    const audited = await world.until(guest.peer.call(requestOf(double, 2, { level: audit })))
    expect(audited.verification).toEqual({ by: 'self', independence: 'none', verifiers: 1 })
  })

  test('are told apart in what a result says of its verifiers', async () => {
    const { world, first } = await ownerAlone('told apart', ['mesh'])
    const guest = await joinBy(world, first, { policy: { slots: 0 } })
    await joinBy(world, first, { own: true })
    const double = await publish(guest, DOUBLE)
    const quorum = (input: number) =>
      world.until(guest.peer.call(requestOf(double, input, { level: ensureLevel('quorum:2') })))
    expect((await quorum(1)).verification).toEqual({ by: 'quorum', independence: 'owner', verifiers: 1 })
    await joinBy(world, first)
    const found = new Set<string>()
    for (let i = 2; i < 30; i++) found.add((await quorum(i)).verification.independence)
    // Of the two that are left, the more independent is half: it is asked first, unless the first was none of the owner's.
    expect(found).toEqual(new Set(['peer']))
  })

  test('can be put out like anybody, with those that they let in, by those above them', async () => {
    const { world, first } = await ownerAlone('put out')
    const second = await joinBy(world, first, { own: true })
    const third = await joinBy(world, second, { own: true })
    await expect(second.peer.revoke(first.peerId)).rejects.toMatchObject({ code: 'E_USAGE' })
    await expect(third.peer.revoke(second.peerId)).rejects.toMatchObject({ code: 'E_USAGE' })
    await world.until(first.peer.revoke(second.peerId))
    await world.clock.advance(1000)
    expect(first.peer.status().neighbours).toEqual([])
    expect(await callBetween(world, third)).toBe('E_NO_PEER')
    await expect(world.until(third.peer.join(first.address))).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
    await expect(second.peer.invite(MINUTE_MS, true)).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
  })

  test('do not put out whom another of them let in: who steals one cannot empty the mesh', async () => {
    const { world, first } = await ownerAlone('stolen')
    const second = await joinBy(world, first, { own: true })
    const guest = await joinBy(world, first)
    await expect(second.peer.revoke(guest.peerId)).rejects.toMatchObject({ code: 'E_USAGE' })
  })
})

describe('a ticket for a machine of an owner', () => {
  test('lets in one machine, which may show it again, also where two come at once', async () => {
    const { world, first } = await ownerAlone('once')
    const ticket = await first.peer.invite(MINUTE_MS, true)
    const [one, other] = [world.machine(), world.machine()]
    const learn = async (machine: WorldMachine, text = ticket) => {
      const invitation = await readInvitation(machine.ports, text)
      return learnMesh(machine.ports, invitation).then(
        ({ chain }) => chain.length,
        ({ code }) => code as string,
      )
    }
    await Promise.all([one, other].map(({ ports }) => ports.network.start()))
    const learnt = await world.until(Promise.all([learn(one), learn(other)]))
    expect(learnt.toSorted()).toEqual([1, 'E_NOT_ADMITTED'])
    const [winner, loser] = learnt[0] === 1 ? [one, other] : [other, one]
    expect(await world.until(learn(winner))).toBe(1)
    expect(await world.until(learn(loser))).toBe('E_NOT_ADMITTED')
    expect(await world.until(learn(loser, await first.peer.invite(2 * MINUTE_MS, true)))).toBe(1)
  })

  test('that was used is remembered over a restart', async () => {
    const { world, first } = await ownerAlone('restart')
    const machine = world.machine()
    const lasting = { ...machine.ports.storage, close: async () => {} }
    const start = async (network = machine.ports.network) => {
      const one = await world.add({}, { ...machine, ports: { ...machine.ports, network, storage: lasting } })
      await world.until(one.peer.join(first.address))
      return one
    }
    const before = await start()
    const ticket = await before.peer.invite(MINUTE_MS, true)
    await joinWith(world, ticket)
    await world.until(before.peer.stop())
    await start(world.hub.join(machine.peerId, { log: machine.ports.log }))
    await expect(joinWith(world, ticket)).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
  })

  test('holds for an hour at most, and there is none on a public mesh', async () => {
    const { first } = await ownerAlone('too long')
    await expect(first.peer.invite(OWN_TICKET_MS_MAX + 1, true)).rejects.toMatchObject({ code: 'E_USAGE' })
    await expect(first.peer.invite(OWN_TICKET_MS_MAX, true)).resolves.toMatch(/^wayside1/)
    const open = await worldFor('public', { peers: 1, policy: { admission: 'public' } })
    await expect(open.peers[0]!.peer.invite(MINUTE_MS, true)).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('promises what is then signed: an inviter that signs something else is not believed', async () => {
    for (const promised of [true, false]) {
      const { world } = await ownerAlone(`promised ${promised}`)
      const inviter = await scriptedPeer(world)
      const { crypto, signer, clock, network } = inviter.ports
      const says = { mesh: inviter.meshId, addresses: network.addresses(), expires_ms: clock.now() + MINUTE_MS }
      const signed = await signTicket(crypto, signer, {
        ...{ v: 1, inviter: inviter.peerId, own: promised, chain: inviter.mesh.chain },
        ...says,
      })
      const machine = world.machine()
      await machine.ports.network.start()
      const chain = await membershipBy(inviter, machine.peerId, !promised)
      const accept = (channel: Channel) => {
        inviter.hear(channel)
        inviter.send(inviter.hello())
        inviter.send({ t: 'welcome', chain })
      }
      inviter.ports.network.handle(PEER_PROTOCOL, accept, { frameBytesMax: FRAME_BYTES_MAX })
      const ticket = { signed, mesh: String(inviter.meshId), inviter: inviter.peerId, own: promised }
      const learning = learnMesh(machine.ports, { addresses: says.addresses, ticket })
      await expect(world.until(learning)).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
    }
  })
})

const membershipBy = async (inviter: ScriptedPeer, peer: string, own: boolean): Promise<Envelope[]> => {
  const expires_ms = inviter.world.clock.now() + MINUTE_MS
  const record = { v: 1 as const, mesh: inviter.meshId, peer, expires_ms, own }
  return [...(await inviter.sign('membership', [Membership.encode(record)])), ...inviter.mesh.chain]
}

describe('a thief with a membership', () => {
  interface Scene {
    world: World
    first: WorldPeer
    second: WorldPeer
    /** Let in by the first machine, as a plain member. */
    thief: ScriptedPeer
  }

  test.each<[string, 'E_NOT_ADMITTED' | 'let in', (scene: Scene) => Promise<Envelope[]>]>([
    ['shows that', 'let in', async ({ thief }) => thief.mesh.chain],
    [
      'changes it to one of an own machine',
      'E_NOT_ADMITTED',
      async ({ thief }) => {
        const [mine] = thief.mesh.chain as [Envelope]
        return [{ ...mine, payload: Membership.encode({ ...Membership.decode(mine.payload), own: true }) }]
      },
    ],
    [
      'shows that of an own machine, which tells it to whoever says hello',
      'E_NOT_ADMITTED',
      async ({ world, second }) => {
        const spy = await (await scriptedPeer(world, { stranger: true })).dial(second)
        const { credential } = await spy.next('hello')
        return credential.by === 'membership' ? credential.chain : []
      },
    ],
    [
      'signs that it is one, in the name of the owner',
      'E_NOT_ADMITTED',
      async ({ world, first, thief }) => {
        const { crypto, signer } = thief.ports
        const record = { v: 1 as const, mesh: thief.meshId, peer: thief.peerId, expires_ms: world.clock.now() + 1e6 }
        return signBatch(crypto, signer, first.peerId, 'membership', [Membership.encode({ ...record, own: true })])
      },
    ],
    [
      'signs that it is a machine of its own, on top of what it has',
      'let in',
      async ({ thief }) => membershipBy(thief, thief.peerId, true),
    ],
    [
      'puts behind what it has that the owner is a machine of its own',
      'let in',
      async ({ first, thief }) => {
        const [mine] = thief.mesh.chain as [Envelope]
        return [mine, ...(await membershipBy(thief, first.peerId, true))]
      },
    ],
  ])('that %s is no machine of the owner: %s', async (name, code, chainOf) => {
    const { world, first } = await ownerAlone(name)
    const second = await joinBy(world, first, { own: true })
    const thief = await scriptedPeer(world)
    const chain = await chainOf({ world, first, second, thief })
    await thief.dial(first)
    thief.send(thief.hello({ credential: { by: 'membership', chain } }))
    await thief.say({ t: 'welcome', chain: [] })
    thief.send(await thief.advertisement({ slots: 2, free: 2 }))
    await thief.say(await thief.invoke(await publish(first, DOUBLE), [1]))
    await world.clock.advance(1000)
    expect(codesOf(thief)).toEqual(code === 'let in' ? [] : [code])
    expect(ownAt(first)).toEqual([second.peerId])
    expect(thief.all('refused').map((one) => one.code)).toEqual(code === 'let in' ? ['E_NOT_ACCEPTED'] : [])
    expect(first.peer.status().today.tasks).toBe(0)
  })

  test('makes nobody trust it by a ticket that looks like any other', async () => {
    const { world, first } = await ownerAlone('disguised')
    const thief = await joinBy(world, first)
    const ticket = await thief.peer.invite(MINUTE_MS, true)
    const { ticket: read } = await readInvitation(first.ports, ticket)
    expect(read).toMatchObject({ own: true, inviter: thief.peerId })
    const victim = await joinWith(world, ticket)
    await world.clock.advance(1000)
    expect(ownAt(victim)).toEqual([thief.peerId])
    expect(ownAt(first)).toEqual([])
  })
})
