import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { MESSAGE_BYTES_MAX } from '../peer/network/limits.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import type { Channel, Network } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createSigner, generatePrivateKey } from './crypto.ts'
import { createNodeNetwork } from './network.ts'
import { makeCertificate } from './web/certificate.ts'
import type { WebServing } from './web-serving.ts'

const limits = { frameBytesMax: 1000 }

const networkOn = async (listen: string[], web?: WebServing) => {
  const signer = createSigner(generatePrivateKey())
  const { network } = await createNodeNetwork({
    signer,
    storage: createMemoryStorage(),
    listen,
    clock: systemClock,
    log: { event: () => {} },
    web,
  })
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

/** A certificate that nobody vouches for. */
const selfMade = () => makeCertificate(['127.0.0.1'], Date.now())

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

test.each([
  ['who dialled', (agent: Network, dialler: Network) => [dialler, agent]],
  ['who was dialled', (agent: Network, dialler: Network) => [agent, dialler]],
])('%s sends more at once than a message of WebSocket may hold', async (_, ends) => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/ws'])
  const dialler = await networkOn([])
  await roundTrip(dialler, agent.addresses()[0] as string)
  const [from, to] = ends(agent, dialler) as [Network, Network]
  const channel = await from.open(to.peerId, '/test/echo', limits)
  const frames = Math.ceil((8 * MESSAGE_BYTES_MAX) / limits.frameBytesMax)
  await new Promise<void>((resolve, reject) => {
    let came = 0
    channel.receive({ frame: () => void (++came === frames && resolve()), closed: reject })
    for (let i = 0; i < frames; i++) channel.send(new Uint8Array(limits.frameBytesMax))
  })
})

test('whoever sends a longer message of WebSocket is cut off, and others are served', async () => {
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/ws'])
  const [address = ''] = agent.addresses()
  const stranger = new WebSocket(`ws://127.0.0.1:${portOf(address)}`)
  await once(stranger, 'open')
  const closed = once(stranger, 'close')
  stranger.send(new Uint8Array(MESSAGE_BYTES_MAX + 1))
  expect((await closed)[0].code).toBe(1009)
  expect(await roundTrip(await networkOn([]), address)).toEqual(Uint8Array.of(1, 2, 3))
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

test('a certificate that takes the place of another is shown to those who come from then on', async () => {
  const [first, second] = [selfMade(), selfMade()]
  let apply = (_: typeof first) => {}
  const onRenewal = (renewed: typeof apply) => {
    apply = renewed
  }
  const tls = { ...first, onRenewal }
  const agent = await networkOn(['/ip4/127.0.0.1/tcp/0/tls/ws'], { ...page, tls })
  const port = portOf(agent.addresses()[0] as string)
  const shown = async () => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerX509Certificate() ?? {}
    socket.destroy()
    return fingerprint256
  }
  const fingerprintOf = ({ cert }: typeof first) => new X509Certificate(cert).fingerprint256
  const connected = await networkOn([])
  expect(await roundTrip(connected, agent.addresses()[0] as string)).toEqual(Uint8Array.of(1, 2, 3))
  expect(await shown()).toBe(fingerprintOf(first))
  apply(second)
  expect(await shown()).toBe(fingerprintOf(second))
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
