import { connect, createServer, type Socket } from 'node:net'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import type { FailPoints } from '../../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { networkConformance } from './conformance.ts'
import type { MakePair } from './conformance-scene.ts'
import { createLibp2pNetwork } from './libp2p.ts'

/** A cable between the two that can be cut: then both ends find their sockets reset. */
const layCable = async (port: number) => {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: nearPort } = server.address() as { port: number }
  const cut = () => {
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return { nearPort, cut }
}

const pairOver =
  (suffix: string): MakePair =>
  async ({ log, failPoints }) => {
    const create = (listen: string[], failing?: { failPoints: FailPoints }) =>
      createLibp2pNetwork({
        signer: createSigner(generatePrivateKey()),
        listen,
        transports: [tcp(), webSockets()],
        clock: systemClock,
        log,
        ...failing,
      })
    const right = await create([`/ip4/127.0.0.1/tcp/0${suffix}`])
    const left = await create([], { failPoints })
    let cable: Awaited<ReturnType<typeof layCable>> | undefined
    return {
      left,
      right,
      address: async () => {
        const port = /tcp\/(\d+)/.exec(right.addresses()[0]!)![1]
        cable = await layCable(Number(port))
        return `/ip4/127.0.0.1/tcp/${cable.nearPort}${suffix}/p2p/${right.peerId}`
      },
      kill: () => cable?.cut(),
      stop: async () => {
        await Promise.all([left.stop(), right.stop()])
        cable?.cut()
      },
      deadAddress: `/ip4/127.0.0.1/tcp/1${suffix}`,
      strangerId: peerIdFromPublicKey(createSigner(generatePrivateKey()).publicKey),
    }
  }

networkConformance('libp2p, TCP', pairOver(''))
networkConformance('libp2p, WebSockets', pairOver('/ws'))

describe('listening', () => {
  const create = (listen: string[]) =>
    createLibp2pNetwork({
      signer: createSigner(generatePrivateKey()),
      listen,
      transports: [tcp()],
      clock: systemClock,
      log: { event: () => {} },
    })

  test('on every interface gives the addresses of each, with the port that was free', async () => {
    const network = await create(['/ip4/0.0.0.0/tcp/0'])
    await network.start()
    expect(network.addresses().join()).toMatch(/\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d+\/p2p\//)
    await network.stop()
  })

  test('on a port that is taken: E_ADDRESS, which says so in one line', async () => {
    const first = await create(['/ip4/127.0.0.1/tcp/0'])
    await first.start()
    const [taken] = first.addresses()[0]!.split('/p2p/')
    const second = await create([taken!])
    const failed = await second.start().catch((error) => error)
    expect(failed).toMatchObject({ code: 'E_ADDRESS' })
    expect(failed.message).toMatch(/^cannot listen on .+: listen EADDRINUSE.+; choose another address or port$/)
    await first.stop()
  })

  test('has the PeerId of its key, as the protocol writes it', async () => {
    const signer = createSigner(generatePrivateKey())
    const options = { signer, listen: [], transports: [tcp()], clock: systemClock, log: { event: () => {} } }
    expect((await createLibp2pNetwork(options)).peerId).toBe(peerIdFromPublicKey(signer.publicKey))
  })
})
