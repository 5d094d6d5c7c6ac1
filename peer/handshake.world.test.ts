import { describe, expect, test } from 'vitest'
import type { PeerFrame } from '../protocol/frames.ts'
import { CHAIN_MAX } from '../protocol/limits.ts'
import { Membership } from '../protocol/mesh.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'

const one = async (name: string, policy?: 'public'): Promise<{ world: World; host: WorldPeer }> => {
  const world = await worldFor(name, { peers: 1, ...(policy ? { policy: { admission: policy } } : {}) })
  return { world, host: world.peers[0]! }
}

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((neighbour) => neighbour.peer)

/** What a peer that said `hello` was told: welcome, or the code of the goodbye. */
const answerTo = async (guest: ScriptedPeer): Promise<string> => {
  await guest.world.clock.advance(0)
  const [bye] = guest.all('bye')
  return bye?.code ?? guest.all('welcome')[0]?.t ?? 'nothing'
}

test('both sides say hello and welcome, and are neighbours', async () => {
  const { world, host } = await one('welcome')
  const guest = await scriptedPeer(world)
  await guest.dial(host)
  await guest.say(guest.hello())
  expect(guest.heard.map(({ t }) => t)).toEqual(['hello', 'welcome'])
  expect(neighboursOf(host)).toEqual([])
  await guest.say({ t: 'welcome', chain: [] })
  expect(neighboursOf(host)).toEqual([guest.peerId])
  expect(guest.all('hello')[0]).toMatchObject({ protocols: [1], credential: { by: 'membership', chain: [] } })
  expect((await guest.next('advertise')).signed.signer).toBe(host.peerId)
})

test('an unknown feature is ignored: version 1 grows by them', async () => {
  const { world, host } = await one('features')
  const guest = await scriptedPeer(world)
  await guest.dial(host)
  await guest.say(guest.hello({ features: ['carrier-pigeons'], protocols: [1, 2] }))
  expect(await answerTo(guest)).toBe('welcome')
})

describe('who is not let in, and is told why', () => {
  test('a peer of another protocol version', async () => {
    const { world, host } = await one('version')
    const guest = await scriptedPeer(world)
    await guest.dial(host)
    await guest.say(guest.hello({ protocols: [2, 3] }))
    expect(await answerTo(guest)).toBe('E_PROTOCOL_VERSION')
    expect(guest.all('bye')[0]?.message).toContain('we speak protocol 1, the other side 2, 3')
    expect(guest.closed).toBeDefined()
    expect(neighboursOf(host)).toEqual([])
  })

  test('a peer of another mesh: both sides learn it', async () => {
    const { world, host } = await one('here')
    const { world: elsewhere } = await one('elsewhere')
    const other = await world.add({ mesh: { genesis: elsewhere.genesis, chain: [] } })
    await expect(world.until(other.peer.join(host.address))).rejects.toMatchObject({ code: 'E_MESH_MISMATCH' })
    expect(host.events).toContainEqual({
      name: 'peer.refused',
      fields: expect.objectContaining({ peer: other.peerId, code: 'E_MESH_MISMATCH' }),
    })
    expect([neighboursOf(host), neighboursOf(other)]).toEqual([[], []])
  })

  test('a peer without a ticket or a membership', async () => {
    const { world, host } = await one('without')
    const stranger = await scriptedPeer(world, { stranger: true })
    await stranger.dial(host)
    await stranger.say(stranger.hello({ credential: { by: 'none' } }))
    expect(await answerTo(stranger)).toBe('E_NOT_ADMITTED')
    const again = await scriptedPeer(world, { stranger: true })
    await again.dial(host)
    await again.say(again.hello())
    expect(await answerTo(again)).toBe('E_NOT_ADMITTED')
    expect(neighboursOf(host)).toEqual([])
  })

  test('a peer that shows the membership of another', async () => {
    const { world, host } = await one('borrowed')
    const member = await scriptedPeer(world)
    const thief = await scriptedPeer(world, { stranger: true })
    await thief.dial(host)
    await thief.say(thief.hello({ credential: { by: 'membership', chain: member.mesh.chain } }))
    expect(await answerTo(thief)).toBe('E_NOT_ADMITTED')
  })

  test('a peer whose membership has expired', async () => {
    const { world, host } = await one('expired')
    const member = await scriptedPeer(world, { stranger: true })
    const { chain } = await world.membershipOf(member.peerId, 1000)
    await world.clock.advance(1000)
    await member.dial(host)
    await member.say(member.hello({ credential: { by: 'membership', chain } }))
    expect(await answerTo(member)).toBe('E_NOT_ADMITTED')
    expect(member.all('bye')[0]?.message).toContain('expired')
  })

  test('a genesis that is none', async () => {
    const { world, host } = await one('genesis')
    const guest = await scriptedPeer(world)
    await guest.dial(host)
    await guest.say(guest.hello({ genesis: Uint8Array.of(0xa0) }))
    expect(await answerTo(guest)).toBe('E_MESSAGE')
  })
})

test('a public mesh lets everybody in who names it', async () => {
  const { world, host } = await one('public', 'public')
  const stranger = await scriptedPeer(world, { stranger: true })
  await stranger.dial(host)
  await stranger.say(stranger.hello({ credential: { by: 'none' } }))
  expect(await answerTo(stranger)).toBe('welcome')
})

test('who accepts anyone lets strangers in, but as no members', async () => {
  const world = await worldFor('anyone', { peers: 1, setup: () => ({ policy: { accept: ['anyone'] } }) })
  const [host] = world.peers as [WorldPeer]
  const stranger = await scriptedPeer(world, { stranger: true })
  await stranger.join(host, 4)
  expect(host.peer.status().neighbours).toMatchObject([{ peer: stranger.peerId, member: false, slots: 0 }])
})

describe('a chain of memberships', () => {
  /** A chain of `length` links; each member invited the next, and the last one shows it. */
  const chained = async (world: World, length: number) => {
    let mesh = { genesis: world.genesis, chain: [] as Awaited<ReturnType<ScriptedPeer['sign']>> }
    let inviter = await scriptedPeer(world)
    mesh = { ...mesh, chain: inviter.mesh.chain }
    for (let links = 1; links < length; links++) {
      const next = await scriptedPeer(world, { stranger: true })
      const record = {
        v: 1 as const,
        mesh: next.meshId,
        peer: next.peerId,
        expires_ms: world.clock.now() + 1000,
        own: false,
      }
      const issued = await inviter.sign('membership', [Membership.encode(record)])
      mesh = { ...mesh, chain: [...issued, ...mesh.chain] }
      inviter = next
    }
    return { last: inviter, chain: mesh.chain }
  }

  test(`holds up to ${CHAIN_MAX} links`, async () => {
    const { world, host } = await one('deep')
    const { last, chain } = await chained(world, CHAIN_MAX)
    await last.dial(host)
    await last.say(last.hello({ credential: { by: 'membership', chain } }))
    expect(await answerTo(last)).toBe('welcome')
  })

  test('does not hold with a link missing, or links in another order', async () => {
    const { world, host } = await one('broken')
    const { last, chain } = await chained(world, 4)
    for (const broken of [chain.slice(0, -1), chain.slice(1), [chain[0]!, chain[2]!, chain[1]!, chain[3]!]]) {
      await last.dial(host)
      await last.say(last.hello({ credential: { by: 'membership', chain: broken } }))
      expect(last.heard.at(-1)).toMatchObject({ t: 'bye', code: 'E_NOT_ADMITTED' })
    }
  })

  test('does not hold where a signature was changed', async () => {
    const { world, host } = await one('forged')
    const { last, chain } = await chained(world, 2)
    const forged = chain.map((link, i) =>
      i === 1 ? { ...link, signature: link.signature.map((byte) => byte ^ 1) } : link,
    )
    await last.dial(host)
    await last.say(last.hello({ credential: { by: 'membership', chain: forged } }))
    expect(await answerTo(last)).toBe('E_NOT_ADMITTED')
  })
})

describe('a channel that does not shake hands', () => {
  test('is closed after 5 s', async () => {
    const { world, host } = await one('silent')
    const guest = await scriptedPeer(world)
    await guest.dial(host)
    await world.clock.advance(4990)
    expect(guest.closed).toBeUndefined()
    await world.clock.advance(20)
    expect(guest.all('bye')[0]?.code).toBe('E_TIMEOUT')
    expect(guest.closed).toBeDefined()
  })

  test('is closed after 5 s though hello was said: a welcome is owed too', async () => {
    const { world, host } = await one('half')
    const guest = await scriptedPeer(world)
    await guest.dial(host)
    await guest.say(guest.hello())
    await world.clock.advance(5010)
    expect(guest.closed).toBeDefined()
    expect(neighboursOf(host)).toEqual([])
  })

  test('is closed at the first frame that does not belong there', async () => {
    const { world, host } = await one('impatient')
    for (const early of ['ping', 'hello twice', 'welcome twice'] as const) {
      const guest = await scriptedPeer(world)
      await guest.dial(host)
      if (early === 'ping') await guest.say({ t: 'ping', id: 1 })
      if (early === 'hello twice') for (let i = 0; i < 2; i++) await guest.say(guest.hello())
      if (early === 'welcome twice') for (let i = 0; i < 2; i++) await guest.say({ t: 'welcome', chain: [] })
      expect([early, guest.all('bye')[0]?.code]).toEqual([early, 'E_MESSAGE'])
      expect(guest.closed).toBeDefined()
    }
  })

  test.each(['before the hello', 'after the hello', 'as a neighbour'])('garbage %s closes it', async (when) => {
    const { world, host } = await one(`garbage ${when}`)
    const random = randomFor(`bytes ${when}`)
    for (let i = 0; i < 20; i++) {
      const guest = await scriptedPeer(world)
      await guest.dial(host)
      if (when !== 'before the hello') await guest.say(guest.hello())
      if (when === 'as a neighbour') await guest.say({ t: 'welcome', chain: [] })
      await guest.say(random.bytes(1 + random.below(200)))
      expect(guest.all('bye')[0]?.code).toMatch(/^E_MESSAGE/)
      expect(guest.closed).toBeDefined()
    }
    expect(neighboursOf(host)).toEqual([])
    const guest = await scriptedPeer(world)
    await guest.join(host)
    expect(neighboursOf(host)).toEqual([guest.peerId])
  })
})

test('one peer has two handshakes under way at most, however many channels it opens', async () => {
  const { world, host } = await one('flood')
  const guest = await scriptedPeer(world)
  await guest.dial(host)
  const before = world.clock.pending
  for (let i = 0; i < 1000; i++) await guest.dial(host)
  expect(guest.closed).toBeDefined()
  expect(world.clock.pending).toBeLessThanOrEqual(before + 2)
  await world.clock.advance(5010)
  await guest.join(host)
  expect(neighboursOf(host)).toEqual([guest.peerId])
})

test('a peer that shakes hands over and over, right or wrong, is told to wait, and costs few signatures', async () => {
  const checks = { count: 0 }
  const world = await worldFor('over and over', {
    peers: 1,
    crypto: (honest) => ({
      ...honest,
      verify: (...args) => {
        checks.count++
        return honest.verify(...args)
      },
    }),
  })
  const [host] = world.peers as [WorldPeer]
  const guest = await scriptedPeer(world)
  const told: PeerFrame[] = []
  for (let i = 0; i < 1600; i++) {
    await guest.dial(host)
    const hello = guest.hello()
    await guest.say(i % 2 ? { ...hello, credential: { by: 'none' } } : hello)
    await guest.say({ t: 'welcome', chain: [] })
    guest.hangUp()
    await world.clock.advance(0)
    told.push(...guest.all('bye').splice(-1))
    guest.heard.length = 0
  }
  expect(told.filter((frame) => frame.t === 'bye' && frame.code === 'E_BUSY').length).toBeGreaterThan(1500)
  expect(checks.count).toBeLessThan(50)
  await world.clock.advance(2000)
  await guest.join(host)
  expect(neighboursOf(host)).toEqual([guest.peerId])
})
