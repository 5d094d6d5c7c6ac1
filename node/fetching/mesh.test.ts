/** A function with a secret, run by others, which fetches through its home from a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureLevel } from '../../peer/calls.ts'
import { homeKit } from '../../peer/home-kit.ts'
import { createPeer } from '../../peer/index.ts'
import { foundMesh, learnMesh, readInvitation } from '../../peer/join.ts'
import type { MeshState } from '../../peer/membership.ts'
import { createMemoryNetwork } from '../../peer/network/memory.ts'
import { LENDS_NOTHING } from '../../peer/owner-policy.ts'
import type { Peer } from '../../peer/peer.ts'
import { receiptFileOf } from '../../peer/receipt-file.ts'
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import { createMemoryStorage } from '../../peer/storage/memory.ts'
import { EFFECT_KINDS } from '../../protocol/effects.ts'
import type { Grants } from '../../protocol/grants.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { MIB, NEIGHBOURS_MAX } from '../../protocol/limits.ts'
import type { Channel, Network, Ports } from '../../protocol/ports.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { machine, publish, requestOf, returned } from '../../scripts/test/world.ts'
import { createInlineSandboxHost } from '../../simulations/sandbox-host.ts'
import { systemClock } from '../clock.ts'
import { createCrypto, createSigner, generatePrivateKey } from '../crypto.ts'
import { systemRandom } from '../random.ts'
import { openSecrets } from './secrets.ts'
import { serve, type TestServer } from './testing/servers.ts'
import { createWeb } from './web.ts'

const SECRET = 'sk_live_51HqLyjWDarjtT1zdp7dc'
const hub = createMemoryNetwork({ clock: systemClock })
/** Each byte that left the home for a peer, its storage or its log. */
const left: Uint8Array[] = []
const leave = (bytes: Uint8Array | string) => left.push(Buffer.from(bytes as string))

const heard = (channel: Channel): Channel => {
  const send = channel.send.bind(channel)
  channel.send = (frame) => {
    leave(frame)
    return send(frame)
  }
  return channel
}
const tapped = (network: Network): Network => {
  const open = network.open.bind(network)
  const handle = network.handle.bind(network)
  network.open = async (...args) => heard(await open(...args))
  network.handle = (protocol, accept, options) => handle(protocol, (channel) => accept(heard(channel)), options)
  return network
}

const portsOf = (isHome: boolean): Ports => {
  const signer = createSigner(generatePrivateKey())
  const log = { event: (...event: unknown[]) => void (isHome && leave(JSON.stringify(event))) }
  const network = hub.join(peerIdFromPublicKey(signer.publicKey), { log })
  const storage = createMemoryStorage()
  const write = storage.write.bind(storage)
  if (isHome)
    storage.write = (writes, options) => {
      for (const one of writes) if ('put' in one) leave(one.put)
      return write(writes, options)
    }
  const web = createWeb(async () => [{ address: '127.0.0.1' }])
  /** An executor has no business here. */
  const untouched = { resolve: () => Promise.reject(touched()), exchange: () => Promise.reject(touched()) }
  return {
    ...{ clock: systemClock, random: systemRandom, crypto: createCrypto(), signer, storage, log },
    network: isHome ? tapped(network) : network,
    sandboxHost: createInlineSandboxHost(systemClock, machine),
    web: isHome ? web : untouched,
    secrets: isHome
      ? openSecrets(undefined, { WAYSIDE_SECRET_API_KEY: SECRET })
      : { read: () => Promise.reject(touched()) },
  }
}
const touches: Error[] = []
const touched = (): Error => {
  const error = new Error('an executor reached for the web or for secrets')
  touches.push(error)
  return error
}

const start = async (ports: Ports, mesh: MeshState, slots: number): Promise<Peer> => {
  const policy = { ...LENDS_NOTHING, accept: ['mesh'], slots, memoryBytes: 256 * MIB }
  const bounds = { diskBytes: 64 * MIB, sandboxIdleMs: 30_000, places: NEIGHBOURS_MAX }
  const engine = await openStorageEngine({
    storage: ports.storage,
    quotaOf: () => ({ keys: 1000, bytes: MIB }),
    damaged: () => {},
  })
  const state = slots === 0 ? { engine, kit: homeKit } : undefined
  const peer = await createPeer(ports, { mesh, policy, engines: ENGINES, effects: EFFECT_KINDS, state, ...bounds })
  await peer.start()
  return peer
}

let home: Peer
const peers: Peer[] = []

beforeAll(async () => {
  const ports = portsOf(true)
  home = await start(ports, foundMesh(ports, 'fetching', { admission: 'private', independence: 'peer' }), 0)
  peers.push(home)
  for (let i = 0; i < 3; i++) {
    const own = portsOf(false)
    await own.network.start()
    const mesh = await learnMesh(own, await readInvitation(own, await home.invite(60_000)))
    const peer = await start(own, mesh, 1)
    peers.push(peer)
    await peer.join(home.addresses()[0] as string)
  }
})
afterAll(async () => {
  for (const peer of peers) await peer.stop()
})

/** Says back all that it was told, in every way in which servers do. */
const echo = (): Promise<TestServer> =>
  serve((request, response) => {
    const sent = request.headers.authorization ?? 'nothing'
    const forms = { sent, url: encodeURIComponent(sent), base64: Buffer.from(sent).toString('base64') }
    response.setHeader('x-echo', sent)
    if (request.url === '/away') response.writeHead(302, { location: `/?key=${encodeURIComponent(SECRET)}` })
    response.end(JSON.stringify({ ...forms, hex: Buffer.from(sent).toString('hex'), upper: sent.toUpperCase() }))
  })

const CODE = `export default async ({ url, method }, { API, KEY }) => {
  try {
    const response = await API.fetch(url, { method, headers: { authorization: 'Bearer ' + KEY } })
    const text = await response.text()
    console.log(KEY, text)
    return [response.status, response.headers.get('x-echo'), text]
  } catch (error) {
    console.error(error.message)
    return error.code
  }
}`
const grantsFor = (origin: string, read: boolean): Grants => ({
  API: { fetch: [origin], methods: ['GET', 'POST'], private: true, read },
  KEY: { secret: 'API_KEY', origin, header: 'Authorization' },
})
const call = async (input: unknown, grants: Grants, level: string) => {
  const env = [
    { name: 'API', kind: 'fetch' as const },
    { name: 'KEY', kind: 'secret' as const },
  ]
  const cid = await publish({ peer: home }, CODE, { effects: ['fetch'], env })
  return home.call(requestOf(cid, input, { level: ensureLevel(level), grants }))
}

/** In all of what left the home: nothing of the secret in any form, and the marks that were put in its place. */
const expectKept = () => {
  const all = Buffer.concat(left).toString('latin1')
  const forms = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('hex'), SECRET.toUpperCase()]
  const base64 = [0, 1, 2].map((skip) =>
    Buffer.from(SECRET).subarray(skip, 27).toString('base64').replaceAll('=', '').slice(0, 30),
  )
  for (const form of [...forms, ...base64, SECRET.slice(0, 16), SECRET.slice(-16)]) expect(all).not.toContain(form)
  return all
}

describe.each([
  ['none', 'GET', true],
  ['audit', 'GET', true],
  ['self', 'POST', false],
  ['quorum:2', 'POST', false],
  ['quorum:3', 'GET', true],
] as const)('at %s', (level, method, read) => {
  test('the server has the secret, nobody else does, and it is asked once', async () => {
    const server = await echo()
    left.length = 0
    const result = await call({ url: `${server.origin}/`, method }, grantsFor(server.origin, read), level)
    const [status, header, text] = returned(result) as [number, string, string]
    expect(server.asked).toMatchObject([{ method, headers: { authorization: `Bearer ${SECRET}` } }])
    expect(server.connections()).toBe(1)
    expect([status, header]).toEqual([200, 'Bearer [secret KEY]'])
    expect(JSON.parse(text)).toMatchObject({
      sent: 'Bearer [secret KEY]',
      upper: expect.stringContaining('[secret KEY]'),
    })
    for (const performed of result.performed) {
      expect(performed.executor === home.peerId).toBe(level === 'self' && performed !== result.performed[0])
      leave(performed.outcomeBytes)
    }
    leave(JSON.stringify([home.status(), result.outcome.console]))
    leave((await receiptFileOf(result, (cid) => home.block(cid))) as Uint8Array)
    expect(expectKept()).toContain('[secret KEY]')
    expect(touches).toEqual([])
  })
})

test('a redirect to where the secret stands in the address is not followed, and not told of', async () => {
  const server = await echo()
  left.length = 0
  const result = await call({ url: `${server.origin}/away`, method: 'GET' }, grantsFor(server.origin, true), 'self')
  expect(returned(result)).toBe('E_FETCH')
  expect(server.asked.length).toBe(1)
  expectKept()
})

test('to another origin, or with a header of another name, nothing is sent', async () => {
  const [server, other] = [await echo(), await echo()]
  const grants = {
    ...grantsFor(server.origin, true),
    API: { fetch: [server.origin, other.origin], private: true, read: true },
  }
  expect(returned(await call({ url: `${other.origin}/`, method: 'GET' }, grants, 'none'))).toBe('E_GRANT')
  const elsewhere = { ...grants, KEY: { secret: 'API_KEY', origin: server.origin, header: 'x-key' } }
  expect(returned(await call({ url: `${server.origin}/`, method: 'GET' }, elsewhere, 'none'))).toBe('E_GRANT')
  expect([server.connections(), other.connections()]).toEqual([0, 0])
  expectKept()
})
