import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Channel } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createSigner, generatePrivateKey } from './crypto.ts'
import { createNodeNetwork } from './network.ts'
import type { WebServing } from './websockets.ts'

const limits = { frameBytesMax: 1000 }

const networkOn = async (listen: string[], web?: WebServing) => {
  const signer = createSigner(generatePrivateKey())
  const { network } = await createNodeNetwork({ signer, listen, clock: systemClock, log: { event: () => {} }, web })
  network.handle('/test/echo', (channel) => echo(channel), limits)
  await network.start()
  onTestFinished(() => network.stop())
  return network
}

const echo = (channel: Channel) => channel.receive({ frame: (frame) => void channel.send(frame), closed: () => {} })

/** One frame there and back. */
const roundTrip = async (from: Awaited<ReturnType<typeof networkOn>>, address: string): Promise<Uint8Array> => {
  const channel = await from.open(await from.connect(address), '/test/echo', limits)
  return new Promise((resolve, reject) => {
    channel.receive({ frame: resolve, closed: reject })
    channel.send(Uint8Array.of(1, 2, 3))
  })
}

const page: WebServing = {
  serve: (asked, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`a page at ${asked.url}`)
  },
}

/** A certificate that nobody vouches for, as an agent at home makes one. */
const selfMade = () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const subject = ['-subj', '/CN=wayside', '-days', '2', '-keyout', key, '-out', cert]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject], { stdio: 'ignore' })
  const made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return made
}

const portOf = (address: string) => Number(/tcp\/(\d+)/.exec(address)?.[1])

test('one port has the peer, by WebSocket, and the files of the page, by HTTP', async () => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/ws'], page)
  const [address = ''] = agent.addresses()
  expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws\/p2p\//)
  const dialler = await networkOn([])
  expect(await roundTrip(dialler, address)).toEqual(Uint8Array.of(1, 2, 3))
  const response = await fetch(`http://127.0.0.1:${portOf(address)}/x`)
  expect([response.status, await response.text()]).toEqual([200, 'a page at /x'])
})

test('an agent without a page refuses requests', async () => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/ws'])
  expect((await fetch(`http://127.0.0.1:${portOf(agent.addresses()[0] as string)}/`)).status).toBe(400)
})

test('with a certificate of its own making it is reached by wss, and its page by https', async () => {
  const tls = selfMade()
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/tls/ws'], { ...page, tls })
  const [address = ''] = agent.addresses()
  expect(address).toContain('/tls/ws/')
  expect(await roundTrip(await networkOn([]), address)).toEqual(Uint8Array.of(1, 2, 3))
  const text = await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: portOf(address), path: '/y', ca: tls.cert, servername: 'wayside' }
    request({ ...options, checkServerIdentity: () => undefined }, (response) => {
      response.once('data', (data) => resolve(String(data)))
    })
      .on('error', reject)
      .end()
  })
  expect(text).toBe('a page at /y')
})

test('another peer at the address than the one meant is not taken for it, whatever its certificate says', async () => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/tls/ws'], { tls: selfMade() })
  const other = await networkOn([])
  const [place] = (agent.addresses()[0] as string).split('/p2p/')
  const meant = other.connect(`${place}/p2p/${other.peerId}`)
  await expect(meant).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  await expect(other.open(agent.peerId, '/test/echo', limits)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
})

test('a web server that is no peer, and one that is not there, are out of reach', async () => {
  const dialler = await networkOn([])
  const server = createServer(selfMade(), (_, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  await expect(dialler.connect(`/ip4/127.0.0.1/tcp/${port}/tls/ws`)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  await expect(dialler.connect('/ip4/127.0.0.1/tcp/1/ws')).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
})

test('one that connects and says nothing is cut', { timeout: 30_000 }, async () => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/ws'], page)
  const silent = connect(portOf(agent.addresses()[0] as string), '127.0.0.1')
  await new Promise((resolve) => silent.once('close', resolve))
})
