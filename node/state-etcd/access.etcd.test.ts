/** An etcd that asks for a name and a password, behind TLS. */
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { makeCertificate } from '../web/certificate.ts'
import type { EtcdCredentials } from './access.ts'
import { openEtcdEngine } from './engine.ts'
import { base64 } from './messages.ts'
import { count, counted } from './testing/counting.ts'

const PREFIX = 'access/'
const user = { name: 'shop', password: 'long and secret' }
const [nodes, homes, strangers] = Array.from({ length: 3 }, () => makeCertificate(['127.0.0.1'], Date.now()))

let cluster: Cluster
const servers: Server[] = []
const endpoints: string[] = []
/** What those who came have shown. */
const shown: string[] = []
let token = ''

/** As root, once there is one. */
const ask = async (path: string, body: object): Promise<Record<string, string>> => {
  const headers: Record<string, string> = token ? { authorization: token } : {}
  const reply = await fetch(cluster.endpoints[0] + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!reply.ok) throw new Error(await reply.text())
  return (await reply.json()) as Record<string, string>
}

const secured = async (endpoint: string): Promise<string> => {
  const server = createServer({ ...nodes, requestCert: true, rejectUnauthorized: false }, (near: TLSSocket) => {
    const { raw } = near.getPeerX509Certificate() ?? {}
    if (raw) shown.push(raw.toString('base64'))
    const far = createConnection(Number(new URL(endpoint).port), '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => {})
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `https://127.0.0.1:${(server.address() as { port: number }).port}`
}

beforeAll(async () => {
  cluster = await startCluster()
  for (const endpoint of cluster.endpoints) endpoints.push(await secured(endpoint))
  const [first, last] = [Buffer.from(PREFIX), Buffer.from('access0')]
  const perm = { permType: 'READWRITE', key: base64(first), range_end: base64(last) }
  await ask('/v3/auth/user/add', { name: 'root', password: 'root' })
  await ask('/v3/auth/user/grant', { user: 'root', role: 'root' })
  await ask('/v3/auth/user/add', user)
  await ask('/v3/auth/role/add', { name: 'homes' })
  await ask('/v3/auth/role/grant', { name: 'homes', perm })
  await ask('/v3/auth/user/grant', { user: user.name, role: 'homes' })
  await ask('/v3/auth/enable', {})
  token = (await ask('/v3/auth/authenticate', { name: 'root', password: 'root' })).token as string
})
afterAll(async () => {
  for (const server of servers) server.close()
  await cluster.close()
})

const tls = { ca: nodes?.cert, cert: homes?.cert, key: homes?.key }
const open = (credentials: EtcdCredentials, prefix = PREFIX, waitMs = 20_000) =>
  openEtcdEngine({
    ...{ endpoints, credentials, prefix, home: 'home', waitMs },
    quotaOf: () => ({ keys: 1000, bytes: 2 ** 20 }),
  })
const raw = (pem: string) => pem.replaceAll(/-----.*-----|\n/g, '')

test('a home that has both commits, shows its certificate, and goes on when its token is none any more', async () => {
  const engine = await open({ tls, user })
  const acknowledged = [await count(engine, 'a', 0)]
  expect(new Set(shown)).toEqual(new Set([raw(homes?.cert as string)]))
  // Etcd forgets the tokens of a user whose password is set.
  await ask('/v3/auth/user/changepw', user)
  acknowledged.push(await count(engine, 'b', 0))
  expect(await counted(engine)).toMatchObject({ total: 2 })
  expect(acknowledged.map(({ revision }) => revision)).toEqual([1, 2])
  await engine.close()
})

test.each([
  [
    'a wrong password',
    { tls, user: { ...user, password: 'guessed' } },
    PREFIX,
    'E_STORAGE',
    /etcd refuses.*invalid user ID or password/,
  ],
  ['no name', { tls }, PREFIX, 'E_STORAGE', /etcd refuses/],
  ['a prefix that it has no rights to', { tls, user }, 'other/', 'E_STORAGE', /etcd refuses.*permission denied/],
  [
    'an authority that does not vouch',
    { tls: { ...tls, ca: strangers?.cert }, user },
    PREFIX,
    'E_STATE_UNAVAILABLE',
    /self-signed/,
  ],
])('%s: it is told so', async (_, credentials, prefix, code, message) => {
  // Nothing here is worth waiting for.
  await expect(open(credentials, prefix, 2000)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})
