/** Connections that are peers themselves, on a network in memory, with real sandbox processes. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../node/clock.ts'
import { createCrypto, createSigner, generatePrivateKey } from '../node/crypto.ts'
import { systemRandom } from '../node/random.ts'
import { createSandboxHost } from '../node/sandbox-host.ts'
import { createPeer } from '../peer/index.ts'
import { foundMesh, learnMesh, readInvitation } from '../peer/join.ts'
import { createMemoryNetwork } from '../peer/network/memory.ts'
import { LENDS_NOTHING } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { EFFECT_KINDS } from '../protocol/effects.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { MIB, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { ENGINES } from '../sandbox/engines.ts'
import type { ConnectOptions } from './connect.ts'
import { connectWith } from './connect.ts'
import { FakeHost } from './fake-backend.ts'
import { fn, type SdkHost } from './index.ts'
import { BackedMesh } from './mesh.ts'
import { createJoinedPeer } from './own-peer.ts'
import { createPeerBackend } from './peer-backend.ts'

const hub = createMemoryNetwork({ clock: systemClock })
const log = { event() {} }
const echo = fn<(input: unknown) => unknown>('./echo.ts')
const A_WEEK_MS = 7 * 24 * 3_600_000
const TIMEOUT_MS = 60_000

const openPorts = (): Ports => {
  const signer = createSigner(generatePrivateKey())
  return {
    clock: systemClock,
    random: systemRandom,
    crypto: createCrypto(),
    signer,
    storage: createMemoryStorage(),
    network: hub.join(peerIdFromPublicKey(signer.publicKey), { log }),
    sandboxHost: createSandboxHost(),
    log,
  }
}

class MemoryHost extends FakeHost implements SdkHost {
  readonly sandboxes = 1
  readonly engines = ENGINES
  readonly opened: Ports[] = []

  async agent() {
    return undefined
  }

  async member() {
    return undefined
  }

  async ports() {
    const ports = openPorts()
    this.opened.push(ports)
    return ports
  }
}

const connect = async (options?: ConnectOptions, host = new MemoryHost()) => {
  const mesh = await connectWith(host, options)
  onTestFinished(() => mesh.close())
  return mesh
}

/** A peer that lends one sandbox to its mesh; `ticket` says which mesh, without one it founds its own. */
const lend = async (ticket?: string): Promise<Peer> => {
  const ports = openPorts()
  await ports.network.start()
  const invitation = ticket === undefined ? undefined : await readInvitation(ports, ticket)
  const mesh = invitation
    ? await learnMesh(ports, invitation)
    : foundMesh(ports, 'test', { admission: 'private', independence: 'peer' })
  const policy = { ...LENDS_NOTHING, accept: ['mesh'], slots: 1, memoryBytes: 64 * MIB }
  const peer = await createPeer(ports, {
    ...{ mesh, policy, engines: ENGINES, diskBytes: 64 * MIB, sandboxIdleMs: 10_000 },
    effects: EFFECT_KINDS,
    places: NEIGHBOURS_MAX,
  })
  await peer.start()
  for (const address of invitation?.addresses ?? []) await peer.join(address)
  return peer
}

let first: Peer
let second: Peer
let ticket = ''

beforeAll(async () => {
  first = await lend()
  ticket = await first.invite(A_WEEK_MS)
  second = await lend(ticket)
})

afterAll(() => Promise.all([first.stop(), second.stop()]))

test('a peer of its own calls those who lend', async () => {
  const mesh = await connect({ join: [ticket] })
  const { value, receipt } = await mesh.call(echo, { a: [1, 'x'] }, { receipt: true, timeoutMs: TIMEOUT_MS })
  expect(value).toEqual({ a: [1, 'x'] })
  expect(receipt.local).toBe(false)
  expect([first.peerId, second.peerId]).toContain(receipt.executors[0])
  expect(receipt.file.length).toBeGreaterThan(500)
})

test('it finds those whom the inviter knows, and asks as many as the level wants', async () => {
  const mesh = await connect({ join: [ticket] })
  const options = { verify: 'quorum:2', receipt: true, timeoutMs: TIMEOUT_MS } as const
  const { receipt } = await mesh.call(echo, 1, options)
  expect(receipt.executors.toSorted()).toEqual([first.peerId, second.peerId].sort())
  expect(receipt.verification).toEqual({ by: 'quorum', independence: 'peer', verifiers: 1 })
})

test('it never executes for others', async () => {
  const lender = await lend()
  const theirs = new BackedMesh(new FakeHost(), createPeerBackend(lender))
  onTestFinished(() => theirs.close())
  const mesh = await connect({ join: [await lender.invite(A_WEEK_MS)] })
  await mesh.call(echo, 1, { timeoutMs: TIMEOUT_MS })
  expect(lender.status().neighbours).toMatchObject([{ slots: 0 }])
  const call = theirs.call(echo, 1, { remote: true, timeoutMs: TIMEOUT_MS })
  await expect(call).rejects.toMatchObject({ code: 'E_NO_PEER' })
})

test('a map uses all who lend', async () => {
  const mesh = await connect({ join: [ticket] })
  const spin = fn<(n: number) => number>('./spin.ts')
  const values: unknown[] = []
  const inputs = Array.from({ length: 300 }, (_, i) => i)
  for await (const item of mesh.map(spin, inputs, { verify: 'none', timeoutMs: TIMEOUT_MS })) values.push(item)
  expect(values).toEqual(inputs.map((index) => ({ ok: true, index, value: index })))
  expect(first.status().today.tasks + second.status().today.tasks).toBeGreaterThan(300)
})

test('one invitation that works is enough', async () => {
  const mesh = await connect({ join: ['/memory/nobody', ticket] })
  expect(await mesh.call(echo, 1, { timeoutMs: TIMEOUT_MS })).toBe(1)
})

test.each<[string, () => Promise<string[]>, string]>([
  ['a torn ticket', async () => [ticket.slice(0, -9)], 'E_TICKET'],
  ['an address where nobody is', async () => ['/memory/nobody'], 'E_UNREACHABLE'],
  ['an address that is none', async () => ['nowhere'], 'E_ADDRESS'],
  ['an address without a ticket, of a private mesh', async () => [`/memory/${first.peerId}`], 'E_NOT_ADMITTED'],
  ['a ticket that expired', async () => [await first.invite(-1)], 'E_TICKET_EXPIRED'],
  ['a ticket for a machine of the owner', async () => [await first.invite(60_000, true)], 'E_USAGE'],
])('%s is refused, and leaves nothing', async (_, join, code) => {
  const host = new MemoryHost()
  await expect(connect({ join: await join() }, host)).rejects.toMatchObject({ code })
  const [ports] = host.opened
  await expect(ports?.network.connect(`/memory/${first.peerId}`)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
})

test('tickets of two meshes are refused', async () => {
  const other = await lend()
  onTestFinished(() => other.stop())
  const join = [ticket, await other.invite(A_WEEK_MS)]
  await expect(connect({ join })).rejects.toMatchObject({
    code: 'E_MESH_MISMATCH',
    message: expect.stringMatching(/2 meshes/),
  })
})

test('a peer that is denied is not joined, whatever its ticket says', async () => {
  const host = new MemoryHost()
  const joining = createJoinedPeer(host, [ticket], { deny: [first.peerId] })
  await expect(joining).rejects.toMatchObject({ code: 'E_NOT_ACCEPTED' })
})

test('a signal gives up joining', async () => {
  await expect(connect({ join: [ticket], signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' })
})

test.each([
  [{ join: [undefined as unknown as string] }, /join\[0\] is undefined; give a ticket/],
  [{ join: ['/memory/x', ''] }, /join\[1\] is empty/],
  [{ join: ['/memory/x'], data: '/x' }, /give one of them/],
])('options that make no sense are refused: %j', async (options, message) => {
  await expect(connect(options)).rejects.toMatchObject({ code: 'E_USAGE', message: expect.stringMatching(message) })
})

test('without agent and invitation it executes here, and says so', async () => {
  const mesh = await connect()
  const { value, receipt } = await mesh.call(echo, 'x', { receipt: true })
  expect([value, receipt.local, receipt.executions]).toEqual(['x', true, 1])
  await expect(mesh.call(echo, 'x', { remote: true })).rejects.toMatchObject({ code: 'E_NO_PEER' })
  await expect(mesh.call(echo, 'y', { verify: 'quorum:2' })).rejects.toMatchObject({ code: 'E_NO_PEER' })
})
