import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { KIB, MIB } from '../../protocol/limits.ts'
import type { Network } from '../../protocol/ports.ts'
import type { EchoState } from '../../scripts/test/echo-process.ts'
import { eventually } from './conformance-scene.ts'
import { createLibp2pNetwork } from './libp2p.ts'
import { CHANNELS_PER_PROTOCOL_MAX } from './limits.ts'

const ECHO = '/test/echo'
const limits = { frameBytesMax: MIB }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let child: ChildProcess
let address: string
let friend: Network

let asked = 0
const ask = (): Promise<EchoState> => {
  asked += 1
  const number = asked
  child.send(number)
  return new Promise((resolve) => {
    const answer = (state: EchoState) => {
      if (state.asked !== number) return
      child.off('message', answer)
      resolve(state)
    }
    child.on('message', answer)
  })
}

beforeEach(async () => {
  child = fork(join(import.meta.dirname, '../../scripts/test/echo-process.ts'))
  const [state] = (await once(child, 'message')) as [EchoState]
  address = state.address
  friend = await createLibp2pNetwork({
    signer: createSigner(generatePrivateKey()),
    listen: [],
    transports: [tcp()],
    clock: systemClock,
    log: { event: () => {} },
  })
  await friend.start()
})

afterEach(async () => {
  await friend.stop()
  child.kill('SIGKILL')
})

const openEcho = async () => {
  const channel = await friend.open(await friend.connect(address), ECHO, limits)
  const ends: string[] = []
  let answered = () => {}
  const answers = { bytes: 0 }
  channel.receive({
    frame: (frame) => {
      answers.bytes += frame.length
      answered()
    },
    closed: (reason) => void ends.push(reason),
  })
  const echo = (frame: Uint8Array) =>
    new Promise<void>((resolve) => {
      answered = resolve
      channel.send(frame)
    })
  return { channel, ends, answers, echo }
}

test('a process killed with SIGKILL: each channel ends once, by what the system tells, long before a ping is missed', async () => {
  const echoes = await Promise.all([openEcho(), openEcho()])
  await echoes[0]!.echo(new Uint8Array(10))
  const killed = performance.now()
  child.kill('SIGKILL')
  for (const { ends } of echoes) await eventually(() => expect(ends).toEqual(['connection lost']))
  expect(performance.now() - killed).toBeLessThan(10_000)
  await pause(100)
  for (const { ends } of echoes) expect(ends).toHaveLength(1)
})

test('64 MiB there and back between two processes, waiting for drained whenever send says so', async () => {
  const { channel, ends, answers } = await openEcho()
  const frame = new Uint8Array(64 * KIB)
  for (let sent = 0; sent < 1024; sent += 1) if (!channel.send(frame)) await channel.drained()
  await eventually(() => expect(answers.bytes).toBe(64 * MIB))
  expect(ends).toEqual([])
})

/** A stranger with a libp2p of its own, which keeps to no limit, and its raw way to the muxer of the other side. */
const createStranger = async () => {
  const unlimited = { maxOutboundStreams: 1e6, maxInboundStreams: 1e6 }
  let raw: MessageStream | undefined
  const muxer = yamux(unlimited)
  const stranger: Libp2p = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    connectionMonitor: { enabled: false },
    streamMuxers: [
      () => {
        const factory = muxer()
        const createStreamMuxer = (stream: MessageStream) => {
          raw = stream
          return factory.createStreamMuxer(stream)
        }
        return { protocol: factory.protocol, createStreamMuxer }
      },
    ],
  })
  const connection = await stranger.dial(multiaddr(address))
  const open = (): Promise<Stream> => connection.newStream(ECHO, unlimited)
  return { stranger, connection, open, raw: raw! }
}

describe('a stranger', () => {
  let hostile: Awaited<ReturnType<typeof createStranger>>
  beforeEach(async () => {
    hostile = await createStranger()
  })
  afterEach(() => hostile.stranger.stop())

  const isCutOff = () => eventually(() => expect(hostile.connection.status).not.toBe('open'))
  const isServedDuring = async (work: () => Promise<unknown>) => {
    const { echo } = await openEcho()
    const working = work().then(() => 'over')
    do await echo(new Uint8Array(100))
    while ((await Promise.race([working, pause(5)])) !== 'over')
    await echo(new Uint8Array(100))
  }
  /** The most that its memory grew by, in MiB. */
  const growthOver = async (work: () => Promise<unknown>) => {
    const { rssBytes: before } = await ask()
    let most = before
    const watching = setInterval(async () => {
      most = Math.max(most, (await ask()).rssBytes)
    }, 100)
    try {
      await work()
    } finally {
      clearInterval(watching)
    }
    return (Math.max(most, (await ask()).rssBytes) - before) / MIB
  }

  test('opens 10,000 streams on one connection: the excess is reset, others are served all the while', async () => {
    const streams: Stream[] = []
    const flood = () => {
      const opening = Array.from({ length: 10_000 }, () => hostile.open().then((stream) => streams.push(stream)))
      return Promise.allSettled(opening)
    }
    const growth = await growthOver(() => isServedDuring(flood))
    await eventually(() => {
      const open = streams.filter(({ status }) => status === 'open').length
      expect(open).toBeLessThanOrEqual(CHANNELS_PER_PROTOCOL_MAX)
    })
    expect(hostile.connection.status).toBe('open')
    const { channels } = await ask()
    expect(channels).toBeLessThanOrEqual(CHANNELS_PER_PROTOCOL_MAX + 1)
    expect(growth).toBeLessThan(300)
  })

  test.each([
    ['what is no length', new Uint8Array(64).fill(0xff)],
    ['a length above the limit', Uint8Array.of(0x81, 0x80, 0x40, 1, 2, 3)],
  ])('sends %s: that channel is reset, its others go on', async (_, garbage) => {
    const [bad, good] = [await hostile.open(), await hostile.open()]
    bad.send(garbage)
    await eventually(() => expect(bad.status).toBe('reset'))
    expect((await ask()).misbehaved).toBe(1)
    const answers: Uint8Array[] = []
    good.addEventListener('message', ({ data }) => void answers.push(new Uint8Array(data.subarray())))
    good.send(Uint8Array.of(2, 5, 6))
    await eventually(() => expect(answers).toEqual([Uint8Array.of(2, 5, 6)]))
  })

  test('sends garbage instead of muxer frames: only its connection ends', async () => {
    hostile.raw.send(new Uint8Array(100).fill(0xee))
    await isCutOff()
    await (await openEcho()).echo(new Uint8Array(10))
  })

  test('announces a muxer frame of 1 GiB and sends it: its connection ends after a window of it', async () => {
    const stream = await hostile.open()
    const header = new Uint8Array(12)
    new DataView(header.buffer).setUint32(4, Number(stream.id))
    new DataView(header.buffer).setUint32(8, 1024 * MIB)
    let sent = 0
    const growth = await growthOver(async () => {
      hostile.raw.send(header)
      while (hostile.connection.status === 'open' && sent < 64 * MIB) {
        if (!hostile.raw.send(new Uint8Array(64 * KIB))) await hostile.raw.onDrain().catch(() => {})
        sent += 64 * KIB
        await pause(0)
      }
    })
    await isCutOff()
    expect(sent).toBeLessThan(32 * MIB)
    expect(growth).toBeLessThan(50)
    await (await openEcho()).echo(new Uint8Array(10))
  })

  test.each([
    ['never', 1e9],
    ['hardly ever', 100],
  ])('asks and %s reads the answers: its connection ends, and memory stays within bounds', async (_, readEveryMs) => {
    const ping = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    const pings = new Uint8Array(Buffer.concat(new Array(4096).fill(ping)))
    hostile.raw.pause()
    const reading = setInterval(() => {
      if (hostile.raw.status !== 'open') return
      hostile.raw.resume()
      hostile.raw.pause()
    }, readEveryMs)
    let sent = 0
    const flood = async () => {
      while (hostile.connection.status === 'open' && sent < 100 * MIB) {
        if (!hostile.raw.send(pings)) await Promise.race([hostile.raw.onDrain().catch(() => {}), pause(500)])
        sent += pings.length
        await pause(0)
      }
    }
    const growth = await growthOver(() => isServedDuring(flood))
    clearInterval(reading)
    await isCutOff()
    expect(growth).toBeLessThan(500)
  })

  test('sends and never reads the echo: it is read no further, and memory stays within bounds', async () => {
    const stream = await hostile.open()
    stream.pause()
    const frame = new Uint8Array(3 + 100 * KIB)
    frame.set([0x80, 0xa0, 0x06])
    const growth = await growthOver(async () => {
      for (let index = 0; index < 1000; index += 1) stream.send(frame)
      await pause(2000)
    })
    expect(stream.writeBufferLength).toBeGreaterThan(80 * MIB)
    expect(growth).toBeLessThan(60)
    await (await openEcho()).echo(new Uint8Array(10))
  })

  test('opens 300 connections and says nothing: those who are in are served, others get in again soon', async () => {
    const { echo } = await openEcho()
    const port = Number(/tcp\/(\d+)/.exec(address)![1])
    const sockets = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    await echo(new Uint8Array(10))
    await pause(1100)
    const { stranger } = await createStranger()
    await stranger.stop()
    for (const socket of sockets) socket.destroy()
  })
})
