/** The conformance suite over WebRTC, from one Node to another: as pages reach agents, on UDP. */
import { createSocket, type Socket } from 'node:dgram'
import { tcp } from '@libp2p/tcp'
import { webRTCDirect } from '@libp2p/webrtc'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { freeUdpPort } from '../../node/webrtc-direct.ts'
import type { FailPoints } from '../../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { networkConformance } from './conformance.ts'
import type { MakePair } from './conformance-scene.ts'
import { createLibp2pNetwork } from './libp2p.ts'
import { onOneChannel } from './webrtc-carrier.ts'

/** A cable between the two that can be cut: then nothing comes through any more, and nobody is told. */
const layCable = async (port: number) => {
  const far = new Map<number, { socket: Socket; to: number }>()
  const near = createSocket('udp4')
  const farEndFor = (from: number) => {
    const known = far.get(from)
    if (known) return known
    const one = { socket: createSocket('udp4'), to: port }
    far.set(from, one)
    one.socket.on('message', (answer, { port: to }) => {
      // Of several listeners in one process, the native part answers from the port of any.
      one.to = to
      near.send(answer, from, '127.0.0.1')
    })
    return one
  }
  near.on('message', (bytes, { port: from }) => {
    const { socket, to } = farEndFor(from)
    socket.send(bytes, to, '127.0.0.1')
  })
  await new Promise<void>((resolve) => near.bind(0, '127.0.0.1', resolve))
  let isCut = false
  const cut = () => {
    if (isCut) return
    isCut = true
    near.close()
    for (const { socket } of far.values()) socket.close()
  }
  return { nearPort: near.address().port, cut }
}

const pair: MakePair = async ({ log, failPoints }) => {
  const create = (listen: string[], failing?: { failPoints: FailPoints }) =>
    createLibp2pNetwork({
      signer: createSigner(generatePrivateKey()),
      listen,
      transports: [onOneChannel(webRTCDirect({ rtcConfiguration: { iceServers: [] } })), tcp()],
      clock: systemClock,
      log,
      ...failing,
    })
  const right = await create([`/ip4/127.0.0.1/udp/${await freeUdpPort('127.0.0.1')}/webrtc-direct`])
  const left = await create([], { failPoints })
  let cable: Awaited<ReturnType<typeof layCable>> | undefined
  return {
    left,
    right,
    address: async () => {
      const address = right.addresses()[0]!
      const port = /udp\/(\d+)/.exec(address)![1]
      cable = await layCable(Number(port))
      return address.replace(/udp\/\d+/, `udp/${cable.nearPort}`)
    },
    kill: () => cable?.cut(),
    stop: async () => {
      await Promise.all([left.stop(), right.stop()])
      cable?.cut()
    },
    deadAddress: '/ip4/127.0.0.1/udp/1/webrtc-direct/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ',
    strangerId: peerIdFromPublicKey(createSigner(generatePrivateKey()).publicKey),
  }
}

networkConformance('libp2p, WebRTC', pair)
