import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NO_FAIL_POINTS, planFailPoints } from '../../protocol/fail-points.ts'
import { FRAME_BYTES_MAX, KIB, MIB } from '../../protocol/limits.ts'
import { limits } from './conformance-limits.ts'
import { CARELESS, ECHO, eventually, type MakePair, NARROW, Scene, Watched, WIDE, wide } from './conformance-scene.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const patterned = (length: number, seed: number) => new Uint8Array(length).fill(seed).map((byte, index) => byte ^ index)
const counted = (count: number) => Array.from({ length: count }, (_, index) => `frame ${index}`)

const connecting = (scene: () => Scene) => {
  test('connect gives the PeerId found there, again and again', async () => {
    const { right, left } = scene().pair
    expect(await scene().connect()).toBe(right.peerId)
    expect(await scene().connect()).toBe(right.peerId)
    expect(left.peerId).not.toBe(right.peerId)
  })

  test('every address of its own ends in its PeerId', () => {
    const { right } = scene().pair
    expect(right.addresses()).not.toEqual([])
    for (const address of right.addresses()) expect(address).toMatch(new RegExp(`/p2p/${right.peerId}$`))
  })

  test('where nobody listens: E_UNREACHABLE, which names the address', async () => {
    const { left, deadAddress } = scene().pair
    const failed = { code: 'E_UNREACHABLE', fields: { address: deadAddress } }
    await expect(left.connect(deadAddress)).rejects.toMatchObject(failed)
    await expect(left.connect(deadAddress)).rejects.toThrow(deadAddress)
  })

  test('another PeerId than the address names: E_UNREACHABLE, and no connection', async () => {
    const { left, right, strangerId } = scene().pair
    const impostor = scene().address.replace(right.peerId, strangerId)
    await expect(left.connect(impostor)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    for (const peer of [strangerId, right.peerId])
      await expect(left.open(peer, WIDE, wide)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  })

  test.each(['', 'nonsense', '/ip4/127.0.0.1', '/memory', '/ip4/999.0.0.1/tcp/1', '/ip4/127.0.0.1/udp/1'])(
    'no address that can be dialled, %j: E_ADDRESS',
    async (address) => {
      await expect(scene().pair.left.connect(address)).rejects.toMatchObject({ code: 'E_ADDRESS' })
    },
  )

  test('cancelled before it began: E_UNREACHABLE', async () => {
    const { left } = scene().pair
    const dialled = left.connect(scene().address, AbortSignal.abort(new Error('not any more')))
    await expect(dialled).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  })

  test('no channel without a connection, and none for a protocol that is not handled', async () => {
    const { left, right } = scene().pair
    await expect(left.open(right.peerId, WIDE, wide)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    await scene().connect()
    const { here, there } = await scene().channel()
    const unknown = left.open(right.peerId, '/test/unknown', wide)
    await expect(unknown).rejects.toMatchObject({ code: 'E_PROTOCOL_VERSION', fields: { protocol: '/test/unknown' } })
    here.channel.send(bytesOf('still here'))
    await eventually(() => expect(there.texts).toEqual(['still here']))
  })
}

const frames = (scene: () => Scene) => {
  test('each end knows the other, the protocol and who opened it', async () => {
    const { left, right } = scene().pair
    const { here, there } = await scene().channel()
    expect(here.channel).toMatchObject({ peer: right.peerId, protocol: WIDE, outbound: true })
    expect(there.channel).toMatchObject({ peer: left.peerId, protocol: WIDE, outbound: false })
  })

  test('come in order, both ways at once, the empty one too', async () => {
    const { here, there } = await scene().channel()
    const sent = [...counted(2000), '', 'last']
    for (const text of sent) {
      here.channel.send(bytesOf(text))
      there.channel.send(bytesOf(`re: ${text}`))
    }
    await eventually(() => expect(there.texts).toEqual(sent))
    await eventually(() => expect(here.texts).toEqual(sent.map((text) => `re: ${text}`)))
  })

  test('of every size around the borders, and the largest, come as they were sent', async () => {
    const echo = await scene().open(ECHO)
    const sizes = [1, 127, 128, 129, 16_383, 16_384, 16_385, 64 * KIB, 256 * KIB - 12, 256 * KIB, MIB, FRAME_BYTES_MAX]
    const sent = sizes.map((size, index) => patterned(size, index))
    for (const frame of sent) if (!echo.channel.send(frame)) await echo.channel.drained()
    await eventually(() => expect(echo.frames).toHaveLength(sent.length))
    for (const [index, frame] of sent.entries()) expect(Buffer.compare(echo.frames[index]!, frame)).toBe(0)
  })

  test('sent before the other side has its receivers are not lost', async () => {
    const { left, right } = scene().pair
    const sent = counted(100)
    const channel = await left.open(right.peerId, ECHO, wide)
    for (const text of sent) channel.send(bytesOf(text))
    const watched = new Watched(channel)
    await eventually(() => expect(watched.texts).toEqual(sent))
  })

  test('are handed over one at a time: the next waits for the promise of the one before', async () => {
    const { here, there } = await scene().channel()
    there.hold()
    for (const text of counted(3)) here.channel.send(bytesOf(text))
    await eventually(() => expect(there.frames).not.toEqual([]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(there.texts).toEqual(['frame 0'])
    there.release()
    await eventually(() => expect(there.texts).toEqual(counted(3)))
  })

  test('two channels at once, opened from either side, keep apart', async () => {
    const { left, right } = scene().pair
    const one = await scene().open(ECHO, left)
    const two = await scene().open(ECHO, right)
    for (const text of counted(200)) {
      one.channel.send(bytesOf(`one ${text}`))
      two.channel.send(bytesOf(`two ${text}`))
    }
    await eventually(() => expect(one.texts).toEqual(counted(200).map((text) => `one ${text}`)))
    await eventually(() => expect(two.texts).toEqual(counted(200).map((text) => `two ${text}`)))
  })

  test('1,000 channels, 50 at a time, leave nothing behind', async () => {
    for (let wave = 0; wave < 20; wave += 1) {
      const channels = await Promise.all(Array.from({ length: 50 }, () => scene().open(ECHO)))
      for (const { channel } of channels) channel.send(bytesOf('hello'))
      for (const watched of channels) await eventually(() => expect(watched.texts).toEqual(['hello']))
      for (const { channel } of channels) channel.close()
    }
    expect((await scene().channel()).there.ends).toEqual([])
  })
}

const backPressure = (scene: () => Scene) => {
  test('send says when the other side does not keep up, drained when it does again', async () => {
    const { here, there } = await scene().channel()
    there.hold()
    const size = 64 * KIB
    let sent = 0
    let draining: Promise<boolean>
    do {
      while (here.channel.send(patterned(size, sent))) sent += 1
      sent += 1
      draining = here.channel.drained().then(() => true)
    } while (await Promise.race([draining, new Promise((resolve) => setTimeout(resolve, 100))]))
    expect(sent * size).toBeLessThanOrEqual(8 * MIB)
    expect(there.frames.length).toBeLessThanOrEqual(1)
    there.release()
    await draining
    await here.channel.drained()
    await eventually(() => expect(there.frames).toHaveLength(sent))
    for (const [index, frame] of there.frames.entries()) expect(Buffer.compare(frame, patterned(size, index))).toBe(0)
  })

  test('drained comes whether the burst before it had to wait for room or not', async () => {
    const { here, there } = await scene().channel()
    const frame = new Uint8Array(64 * KIB)
    let sent = 0
    for (let burst = 0; burst < 40; burst += 1) {
      do sent += 1
      while (here.channel.send(frame))
      await here.channel.drained()
      if (burst % 2) await eventually(() => expect(there.frames.length).toBe(sent))
    }
    await eventually(() => expect(there.frames.length).toBe(sent))
  })

  test('a receiver that takes its time for each frame loses nothing', async () => {
    const { here, there } = await scene().channel()
    there.received = () => new Promise((resolve) => setTimeout(resolve, 1))
    const sent = Array.from({ length: 100 }, (_, index) => patterned(200 * KIB, index))
    for (const frame of sent) if (!here.channel.send(frame)) await here.channel.drained()
    here.channel.close()
    await there.end()
    expect(there.frames).toHaveLength(sent.length)
    for (const [index, frame] of there.frames.entries()) expect(Buffer.compare(frame, sent[index]!)).toBe(0)
  })

  test('a sender that does not wait for one that does not read loses the channel, not the process', async () => {
    const { here, there } = await scene().channel()
    there.hold()
    let sent = 0
    while (here.ends.length === 0 && sent < 1000) {
      here.channel.send(new Uint8Array(MIB))
      sent += 1
      if (sent % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(sent).toBeLessThan(100)
    expect(await here.end()).toMatch('does not read')
    there.release()
    await there.end()
  })
}

const endings = (scene: () => Scene) => {
  test('close: what was sent arrives first, both ends hear of it once, and it is over', async () => {
    const { here, there } = await scene().channel()
    const sent = [...counted(500), 'x'.repeat(2 * MIB)]
    for (const text of sent) here.channel.send(bytesOf(text))
    here.channel.close()
    here.channel.close({ abort: 'too late' })
    expect(here.channel.send(bytesOf('dropped'))).toBe(true)
    await here.channel.drained()
    expect(await there.end()).not.toBe('')
    expect(there.texts).toEqual(sent)
    expect(await here.end()).not.toBe('too late')
    there.channel.send(bytesOf('dropped'))
    expect(here.frames).toEqual([])
  })

  test('close while the other side still sends: it hears of the end, and can close in turn', async () => {
    const { here, there } = await scene().channel()
    const chatter = setInterval(() => there.channel.send(new Uint8Array(100 * KIB)), 1)
    await eventually(() => expect(here.frames.length).toBeGreaterThan(3))
    here.channel.close()
    await there.end()
    await here.end()
    clearInterval(chatter)
  })

  test('abort: the reason here, an end there, frames not yet delivered may be lost', async () => {
    const { here, there } = await scene().channel()
    here.channel.close({ abort: 'E_BUSY: no room' })
    expect(await here.end()).toBe('E_BUSY: no room')
    expect(await there.end()).not.toBe('')
  })

  test('both close at once', async () => {
    const { here, there } = await scene().channel()
    here.channel.close()
    there.channel.close()
    await Promise.all([here.end(), there.end()])
  })

  test('close from within a receiver, and no frame after it', async () => {
    const { here, there } = await scene().channel()
    there.received = () => there.channel.close()
    for (const text of counted(10)) here.channel.send(bytesOf(text))
    await Promise.all([here.end(), there.end()])
    expect(there.texts).toEqual(['frame 0'])
  })
}

const losses = (scene: () => Scene) => {
  test('a peer that dies: each channel hears it once, waiting senders go on, and it is out of reach', async () => {
    const { pair } = scene()
    const channels = [await scene().channel(), await scene().channel(NARROW)]
    const [blocked] = channels
    blocked!.there.hold()
    while (blocked!.here.channel.send(new Uint8Array(64 * KIB))) await undefined
    const draining = blocked!.here.channel.drained()
    pair.kill()
    for (const { here } of channels) expect(await here.end()).not.toBe('')
    await draining
    await expect(pair.left.open(pair.right.peerId, WIDE, wide)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    await expect(scene().connect()).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  })

  test('disconnect ends every channel at both ends; afterwards they can connect again', async () => {
    const { left, right } = scene().pair
    const channels = [await scene().channel(), await scene().channel()]
    await left.disconnect(right.peerId)
    for (const { here, there } of channels) await Promise.all([here.end(), there.end()])
    await expect(left.open(right.peerId, WIDE, wide)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    await left.disconnect(right.peerId)
    await scene().connect()
    const { here, there } = await scene().channel()
    here.channel.send(bytesOf('again'))
    await eventually(() => expect(there.texts).toEqual(['again']))
  })

  test('stop ends every channel at both ends, after what was sent', async () => {
    const { here, there } = await scene().channel()
    for (const text of counted(50)) here.channel.send(bytesOf(text))
    await scene().pair.left.stop()
    await Promise.all([here.end(), there.end()])
    expect(there.texts).toEqual(counted(50))
  })
}

const faults = (scene: () => Scene, makePair: MakePair) => {
  test('a receiver that throws ends its channel and is reported; others go on', async () => {
    const { left, right } = scene().pair
    const other = await scene().channel()
    const channel = await left.open(right.peerId, ECHO, wide)
    const failing = new Watched(channel, () => {
      throw new Error('a defect')
    })
    channel.send(bytesOf('x'))
    expect(await failing.end()).toMatch('E_INTERNAL')
    expect(scene().events).toEqual(['internal.error'])
    other.here.channel.send(bytesOf('fine'))
    await eventually(() => expect(other.there.texts).toEqual(['fine']))
  })

  test('a channel that is accepted without receivers is ended and reported', async () => {
    const careless = await scene().open(CARELESS)
    await careless.end()
    expect(scene().events).toEqual(['internal.error'])
  })

  test('fails at its fail points, and not otherwise', async () => {
    const plan = 'network.connect=throw@1,network.open=throw@1,channel.send=throw@2'
    const failing = await Scene.set(
      makePair,
      planFailPoints(plan, () => {}),
    )
    await expect(failing.connect()).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    await failing.connect()
    await expect(failing.open()).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
    const { here, there } = await failing.channel()
    here.channel.send(bytesOf('arrives'))
    await eventually(() => expect(there.texts).toEqual(['arrives']))
    here.channel.send(bytesOf('does not'))
    expect(await here.end()).toMatch('channel.send')
    await there.end()
    await failing.stop()
  })
}

/** What every adapter of the Network port does. */
export const networkConformance = (name: string, makePair: MakePair): void => {
  describe(`network: ${name}`, () => {
    let current: Scene
    beforeEach(async () => {
      current = await Scene.set(makePair, NO_FAIL_POINTS)
    })
    afterEach(() => current.stop())

    describe('connecting', () => connecting(() => current))
    describe('once connected', () => {
      beforeEach(() => current.connect().then(() => {}))
      describe('frames', () => frames(() => current))
      describe('limits', () => limits(() => current))
      describe('back-pressure', () => backPressure(() => current))
      describe('endings', () => endings(() => current))
      describe('losses', () => losses(() => current))
      describe('faults', () => faults(() => current, makePair))
    })
  })
}
