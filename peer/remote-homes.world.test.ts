/** Durable invocations at the home of another peer: by what its caller has signed, and no further. */
import { describe, expect, test } from 'vitest'
import { ensureCid, recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import { Delegation } from '../protocol/delegation.ts'
import type { EffectKind } from '../protocol/effects.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import type { Grants } from '../protocol/grants.ts'
import { HOME_PROTOCOL, HomeFrame } from '../protocol/home-frames.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { joinBy, machine, publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { createPeerBackend } from '../sdk/peer-backend.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import type { CallRequest } from './calls.ts'
import type { DurableEnd } from './durable/durable.ts'
import { type RemoteHomes, remoteHomesOf } from './remote-homes.ts'
import { CALLERS, callerPrefixIn } from './state/caller-namespaces.ts'
import type { StateEngine } from './state/engine.ts'
import { openStorageEngine } from './state/storage-engine.ts'
import { createMemoryStorage } from './storage/memory.ts'

const CODE = `export default async (ms, { DB }, ctx) => {
  const n = ((await DB.get('n')) ?? 0) + 1
  await new Promise((resolve) => setTimeout(resolve, ms))
  DB.put('n', n)
  return n
}
export const outer = async (ms, { DB }, ctx) => {
  DB.put('outer', 1)
  return ctx.call('#default', ms)
}`
const ABOUT = {
  exports: ['default', 'outer'],
  effects: ['call', 'get', 'put', 'sleep'] as EffectKind[],
  env: [{ name: 'DB', kind: 'state' as const }],
}
const GRANTS: Grants = { DB: { state: 'shop' } }
const HOUR_MS = 3_600_000

/** Peer 0 is the home, of the mesh's operator; others lend; `caller` was let in by it. */
const scene = async (name: string, own = false, state?: StateEngine) => {
  const setup = (i: number) => (i === 0 ? { policy: { slots: 0 }, ...(state && { state }) } : {})
  const world = await worldFor(name, { peers: 3, setup })
  const home = world.peers[0] as WorldPeer
  const caller = await joinBy(world, home, { own, policy: { slots: 0 } })
  const published = await publish(caller, CODE, ABOUT)
  const homes = remoteHomesOf(caller.ports, caller.peer)
  const request = (input: Value, changes: Partial<CallRequest> = {}) =>
    requestOf(published, input, { level: { level: 'self' }, grants: GRANTS, timeoutMs: HOUR_MS, ...changes })
  return { world, home, caller, homes, request, published }
}

const valueIn = ({ outcome, error }: DurableEnd): Value => {
  if (error) throw error
  const { result } = Outcome.decode(outcome as Uint8Array)
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`)
  return decodeValue(result.value)
}

/** Goes on until the home says of `id` what is expected. */
const until = async (world: World, holds: () => Promise<boolean>): Promise<void> => {
  for (let ms = 0; ms < 60_000; ms += 500) {
    if (await world.until(holds())) return
    await world.clock.advance(500)
  }
  expect(await world.until(holds())).toBe(true)
}

const endsWith = (world: World, homes: RemoteHomes, id: string, code: string) =>
  until(world, () =>
    homes.end(id).then(
      () => false,
      (cause) => cause.code === code,
    ),
  )

describe.each([false, true])('a caller that keeps nothing, a machine of the owner: %s,', (own) => {
  test('has it kept and run by its home, and hears how it ended', async () => {
    const { world, home, homes, request } = await scene(`runs ${own}`, own)
    const id = await world.until(homes.start(request(1000)))
    expect(await world.until(homes.end(id))).toBeUndefined()
    expect(valueIn(await world.until(homes.wait(id)))).toBe(1)
    expect(
      valueIn(await world.until(homes.wait(await world.until(homes.start(request(10, { export: 'outer' })))))),
    ).toBe(2)
    const { state } = home
    const [entry] = await state.read('shop', ['n'], await state.revision())
    // Whoever is not of the owner has namespaces of its own.
    expect(entry?.value && decodeValue(entry.value)).toBe(own ? 2 : undefined)
    const later = remoteHomesOf(home.ports, home.peer)
    await expect(world.until(later.end(id))).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('goes on though its caller is gone, and is found again by it', async () => {
    const { world, home, caller, homes, request } = await scene(`gone ${own}`, own)
    const id = await world.until(homes.start(request(5000)))
    world.kill(caller)
    await world.clock.advance(20_000)
    expect(await home.peer.durable.end(id)).toMatchObject({ state: 'done' })
    const { peer, ports } = await world.restart(caller, { policy: { slots: 0 } })
    await world.until(peer.join(home.address))
    expect(valueIn(await world.until(remoteHomesOf(ports, peer).wait(id)))).toBe(1)
  })

  test('cancels it', async () => {
    const { world, homes, request } = await scene(`cancels ${own}`, own)
    const id = await world.until(homes.start(request(60_000)))
    expect(await world.until(homes.cancel(id))).toBe(true)
    expect(await world.until(homes.wait(id))).toMatchObject({ state: 'cancelled' })
    expect(await world.until(homes.cancel(id))).toBe(false)
  })
})

test('what its caller has revoked stands still, says why, and goes on when it is renewed', async () => {
  const { world, home, caller, homes, request } = await scene('revoked')
  const id = await world.until(homes.start(request(10_000, { export: 'outer' })))
  await until(world, async () => (await home.peer.durable.list(false)).length === 2)
  await world.until(homes.revoke(id))
  await endsWith(world, homes, id, 'E_NO_HOME')
  await world.clock.advance(60_000)
  const { durable } = home.peer
  expect((await durable.list(false)).length).toBe(2)
  // Another program with the same key sees what it may, and gives its word again.
  const later = remoteHomesOf(caller.ports, caller.peer)
  const standing = [{ id, isRevoked: true, running: 2 }]
  expect(await world.until(later.delegations())).toMatchObject({ standing })
  await world.until(later.renew(id))
  expect(await world.until(homes.delegations())).toMatchObject({ standing: [{ id, isRevoked: false }] })
  expect(valueIn(await world.until(homes.wait(id)))).toBe(1)
})

test('what stands is told to its caller and to the home, to nobody else, and no more once it has ended', async () => {
  const { world, home, caller, homes, request, published } = await scene('listed')
  const atMs = world.clock.now()
  const id = await world.until(homes.start(request(60_000, { export: 'outer' })))
  await until(world, async () => (await home.peer.durable.list(false)).length === 2)
  const about = {
    ...{ id, function: published.cid.toString(), namespaces: ['shop'], effects: ABOUT.effects },
    ...{ fuel: published.manifest.limits.fuel, isRevoked: false, running: 2 },
  }
  const all = await world.until(homes.delegations())
  const [told] = all.standing
  const whole = { ...about, caller: undefined, home: home.peerId, expiresMs: expect.any(Number) }
  expect(all).toEqual({ standing: [whole], missing: [] })
  expect(Math.abs((told?.expiresMs as number) - atMs - HOUR_MS)).toBeLessThan(60_000)
  expect(await createPeerBackend(home.peer).durable.delegations()).toMatchObject({
    standing: [{ ...about, caller: caller.peerId, home: undefined }],
  })
  const other = await joinBy(world, home, { policy: { slots: 0 } })
  const nothing = { standing: [], missing: [] }
  expect(await world.until(remoteHomesOf(other.ports, other.peer).delegations())).toEqual(nothing)
  const asked = { t: 'standing', of: [ensureCid(id)] }
  expect(await say(world, other, home, asked)).toMatchObject({ t: 'no', code: 'E_USAGE' })
  await world.until(homes.cancel(id))
  await until(world, async () => (await world.until(homes.delegations())).standing.length === 0)
  await expect(world.until(homes.renew(id))).rejects.toMatchObject({ code: 'E_USAGE' })
})

test('one in reach that hangs is named within five seconds, and what the others hold is told', async () => {
  const { world, home, homes, request } = await scene('hangs')
  const id = await world.until(homes.start(request(600_000)))
  const hung = world.peers[1] as WorldPeer
  // Whether or not there is a channel with it already.
  for (const isOpen of [false, true]) {
    if (isOpen) await world.until(homes.delegations())
    const wake = world.suspend(hung)
    const askedMs = world.clock.monotonic()
    const all = await world.until(homes.delegations())
    expect(world.clock.monotonic() - askedMs).toBeLessThanOrEqual(5001)
    const missing = [{ home: hung.peerId, error: { code: 'E_TIMEOUT' } }]
    expect(all).toMatchObject({ standing: [{ id, home: home.peerId }], missing })
    wake()
    await world.clock.advance(60_000)
  }
})

test('a delegation that another has signed is not taken for one of this peer', async () => {
  const { world, home, caller, homes, request } = await scene('shown')
  const other = await joinBy(world, home, { policy: { slots: 0 } })
  const theirs = remoteHomesOf(other.ports, other.peer)
  const { effects } = ABOUT
  const signed = await theirs.delegate(home.peerId, { effects, fuel: 1, untilMs: world.clock.now() + HOUR_MS })
  const id = await world.until(homes.start(request(60_000)))
  const { delegations } = home.peer.durable
  for (const [delegation, code] of [
    [signed, 'E_SIGNATURE'],
    [{ ...signed, signer: caller.peerId }, 'E_SIGNATURE'],
  ] as const) {
    await delegations.renew(id, delegation)
    const missing = [{ home: home.peerId, error: { code } }]
    expect(await world.until(homes.delegations())).toMatchObject({ standing: [], missing })
    await expect(world.until(homes.renew(id))).rejects.toMatchObject({ code })
  }
  const elsewhere = (world.peers[1] as WorldPeer).peerId
  await delegations.renew(
    id,
    await homes.delegate(elsewhere, { effects, fuel: 1, untilMs: world.clock.now() + HOUR_MS }),
  )
  await expect(world.until(homes.renew(id))).rejects.toMatchObject({ code: 'E_NO_HOME' })
})

test('one whose delegation expires stands still, and fails at its deadline with the reason', async () => {
  const { world, home, caller, homes, request, published } = await scene('expires')
  const { effects, limits } = published.manifest
  const short = await homes.delegate(home.peerId, {
    ...{ function: published.cid, effects, fuel: limits.fuel },
    untilMs: world.clock.now() + 5000,
  })
  const { invocation } = await say(world, caller, home, {
    ...beginOf(request(60_000)),
    delegation: short,
    timeout_ms: 100_000,
  })
  const id = (invocation as { toString(): string }).toString()
  await world.clock.advance(20_000)
  expect(await home.peer.durable.end(id)).toBeUndefined()
  await expect(world.until(homes.end(id))).rejects.toMatchObject({
    code: 'E_NO_HOME',
    message: expect.stringContaining('expired'),
  })
  const expired = { id, expiresMs: world.clock.now() - 15_000 }
  expect(await world.until(homes.delegations())).toMatchObject({ standing: [expired] })
  await world.clock.advance(100_000)
  expect(await home.peer.durable.end(id)).toMatchObject({ state: 'failed', error: { code: 'E_NO_HOME' } })
})

const beginOf = ({ function: cid, export: name, input, grants = {} }: CallRequest) => ({
  ...{ t: 'begin' as const, function: cid, export: name, input, level: 'self', limits: [] },
  ...{ grants: encodeValue(grants as Value), timeout_ms: HOUR_MS, remote: true },
})

/** Asks a home as anybody may, and returns the answer. */
const say = async (
  world: World,
  caller: Pick<WorldPeer, 'ports'>,
  home: WorldPeer,
  frame: object,
): Promise<Record<string, unknown>> => {
  const channel = await world.until(
    caller.ports.network.open(home.peerId, HOME_PROTOCOL, { frameBytesMax: HomeFrame.bytesMax }),
  )
  const answered = Promise.withResolvers<Record<string, unknown>>()
  channel.receive({
    frame: (bytes) => answered.resolve(HomeFrame.decode(bytes) as unknown as Record<string, unknown>),
    closed: (reason) => answered.resolve({ t: 'closed', reason }),
  })
  channel.send(HomeFrame.encode({ id: 1, ...frame } as never))
  const answer = await world.until(answered.promise)
  channel.close()
  return answer
}

test('a delegation that is forged, for another mesh, home, function or time, or covers less, begins nothing', async () => {
  const { world, home, caller, request, published } = await scene('refused')
  const { effects, limits } = published.manifest
  const nowMs = world.clock.now()
  const good: Delegation = {
    ...{ v: 1, mesh: caller.peer.meshId, home: home.peerId, function: published.cid, effects, fuel: limits.fuel },
    ...{ not_before_ms: nowMs, expires_ms: nowMs + HOUR_MS, nonce: new Uint8Array(16) },
  }
  const other = recordCid(machine.crypto, encodeCanonical('other'))
  const signedBy = async ({ ports, peerId }: Pick<WorldPeer, 'ports' | 'peerId'>, changes: Partial<Delegation>) => {
    const payload = Delegation.encode({ ...good, ...changes })
    const [signed] = await signBatch(machine.crypto, ports.signer, peerId, 'delegation', [payload])
    return signed as Envelope
  }
  const ok = await signedBy(caller, {})
  const asAnother = (await signBatch(machine.crypto, caller.ports.signer, caller.peerId, 'ticket', [ok.payload]))[0]
  const wrong: [string, string, unknown][] = [
    ['a byte is changed', 'E_SIGNATURE', { ...ok, payload: (await signedBy(caller, { fuel: 1 })).payload }],
    ['another has signed it', 'E_SIGNATURE', await signedBy(world.peers[1] as WorldPeer, {})],
    ['signed in the name of another', 'E_SIGNATURE', { ...ok, signer: home.peerId }],
    ['signed as something else', 'E_SIGNATURE', asAnother],
    ['of another mesh', 'E_MESH_MISMATCH', await signedBy(caller, { mesh: other })],
    ['for another home', 'E_NO_HOME', await signedBy(caller, { home: (world.peers[1] as WorldPeer).peerId })],
    ['for another function', 'E_NO_HOME', await signedBy(caller, { function: other })],
    ['expired', 'E_NO_HOME', await signedBy(caller, { not_before_ms: 0, expires_ms: nowMs - 1 })],
    ['for later', 'E_NO_HOME', await signedBy(caller, { not_before_ms: nowMs + HOUR_MS })],
    ['for too long', 'E_NO_HOME', await signedBy(caller, { expires_ms: nowMs + 1000 * HOUR_MS })],
    ['for fewer effects', 'E_NO_HOME', await signedBy(caller, { effects: ['get'] })],
    ['for other namespaces', 'E_NO_HOME', await signedBy(caller, { in: ['stock'] })],
    ['for no namespace', 'E_NO_HOME', await signedBy(caller, { in: [] })],
    ['for less fuel', 'E_NO_HOME', await signedBy(caller, { fuel: 1 })],
  ]
  for (const [what, code, delegation] of wrong) {
    const answer = await say(world, caller, home, { ...beginOf(request(1)), delegation })
    expect([what, answer.t, answer.code]).toEqual([what, 'no', code])
  }
  expect(await home.peer.durable.list(true)).toEqual([])
  expect(await say(world, caller, home, { ...beginOf(request(1)), delegation: ok })).toMatchObject({ t: 'begun' })
})

test('a home lends others no secret of its own and nothing on its network, and is none for whom its owner has not let in', async () => {
  const { world, caller, homes, request } = await scene('grants')
  for (const grant of [
    { secret: 'KEY', origin: 'https://a.example', header: 'x' },
    { fetch: ['http://10.0.0.1'], private: true },
    { state: 'a-name-that-is-much-too-long-for-this' },
  ]) {
    const begun = homes.start(request(1, { grants: { DB: grant } }))
    await expect(world.until(begun)).rejects.toMatchObject({ code: 'E_GRANT' })
  }
  const guest = await joinBy(world, caller, { policy: { slots: 0 } })
  await world.until(guest.peer.join((world.peers[0] as WorldPeer).address))
  const home = world.peers[0] as WorldPeer
  expect(await say(world, guest, home, { t: 'offer' })).toMatchObject({ t: 'no', code: 'E_NO_HOME' })
  const outsider = world.machine()
  await outsider.ports.network.start()
  await world.until(outsider.ports.network.connect(home.address))
  expect(await say(world, outsider, home, { t: 'offer' })).toMatchObject({ t: 'closed' })
})

test('more than 64 of one caller are not begun at a time, and others are', async () => {
  const { world, home, homes, request } = await scene('many')
  const begun = Array.from({ length: 64 }, () => homes.start(request(600_000)))
  await world.until(Promise.all(begun))
  await expect(world.until(homes.start(request(1)))).rejects.toMatchObject({ code: 'E_BUSY' })
  const other = await joinBy(world, home, { policy: { slots: 0 } })
  const published = await publish(other, CODE, ABOUT)
  const theirs = remoteHomesOf(other.ports, other.peer)
  await world.until(theirs.start(requestOf(published, 1, { level: { level: 'self' }, grants: GRANTS })))
})

const KEYS = 24

test('a caller who makes many namespaces has the quota of one in all of them together, and others have theirs', async () => {
  const quotaOf = (holder: string) => ({
    keys: holder !== CALLERS && callerPrefixIn(holder) ? KEYS : 1000,
    bytes: 2 ** 20,
  })
  const state = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const { world, home, homes, request } = await scene('together', false, state)
  const ended: string[] = []
  const run = async (of: RemoteHomes, { function: cid, ...wish }: CallRequest, shop: string) => {
    const id = await world.until(of.start({ ...wish, function: cid, grants: { DB: { state: shop } } }))
    ended.push(id)
    return valueIn(await world.until(of.wait(id)))
  }
  const own = await world.until(home.peer.durable.start(request(1)))
  await world.until(home.peer.durable.wait(own))
  // What has ended makes room for what is kept, until that alone is too much.
  const filling = async (): Promise<never> => {
    for (let n = 0; ; n++) expect(await run(homes, request(1), `shop-${n}`)).toBe(1)
  }
  await expect(filling()).rejects.toMatchObject({
    code: 'E_STATE_QUOTA',
    message: expect.stringMatching(
      new RegExp(`of one caller together .* keys, .* allows ${KEYS}.* that have ended none`),
    ),
  })
  expect(ended.length).toBeGreaterThan(KEYS / 2)
  expect(ended.length).toBeLessThanOrEqual(KEYS)
  await expect(world.until(homes.end(ended[0] as string))).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('has forgotten it'),
  })
  const other = await joinBy(world, home, { policy: { slots: 0 } })
  expect(await run(remoteHomesOf(other.ports, other.peer), request(1), 'd')).toBe(1)
  expect(await home.peer.durable.end(own)).toMatchObject({ state: 'done' })
})

test('where no neighbour is its home, a caller is told so', async () => {
  const world = await worldFor('none', { peers: 2 })
  const [, caller] = world.peers as [WorldPeer, WorldPeer]
  const published = await publish(caller, CODE, ABOUT)
  world.kill(world.peers[0] as WorldPeer)
  await world.clock.advance(1000)
  const begun = remoteHomesOf(caller.ports, caller.peer).start(requestOf(published, 1))
  await expect(world.until(begun)).rejects.toMatchObject({ code: 'E_NO_HOME' })
})
