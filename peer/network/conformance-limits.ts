/** Conformance: how long frames may be, and how fast they are read. */
import { expect, test } from 'vitest'
import { FRAME_BYTES_MAX } from '../../protocol/limits.ts'
import { eventually, NARROW, NARROW_BYTES_MAX, type Scene } from './conformance-scene.ts'
import { FRAMES_BURST_MAX, FRAMES_PER_SECOND_MAX } from './limits.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

export const limits = (scene: () => Scene) => {
  test('a frame longer than its own limit is refused, and the channel goes on', async () => {
    const { here, there } = await scene().channel()
    expect(() => here.channel.send(new Uint8Array(FRAME_BYTES_MAX + 1))).toThrow(`${FRAME_BYTES_MAX}`)
    here.channel.send(bytesOf('short'))
    await eventually(() => expect(there.texts).toEqual(['short']))
  })

  test("a frame longer than the other side's limit ends the channel, and no other", async () => {
    const other = await scene().channel()
    const { here, there } = await scene().channel(NARROW)
    here.channel.send(new Uint8Array(NARROW_BYTES_MAX))
    await eventually(() => expect(there.frames).toHaveLength(1))
    here.channel.send(new Uint8Array(NARROW_BYTES_MAX + 1))
    here.channel.send(bytesOf('too late'))
    expect(await there.end()).toMatch('E_MESSAGE_LIMIT')
    expect(await here.end()).not.toBe('')
    expect(there.frames).toHaveLength(1)
    expect(scene().events).toEqual(['peer.misbehaved'])
    other.here.channel.send(bytesOf('fine'))
    await eventually(() => expect(other.there.texts).toEqual(['fine']))
  })
  test('a longer frame once it is allowed, which each side does for itself', async () => {
    const { here, there } = await scene().channel(NARROW)
    const long = new Uint8Array(10 * NARROW_BYTES_MAX)
    there.received = ({ length }) => length === 1 && there.channel.allow(long.length)
    here.channel.send(new Uint8Array(1))
    here.channel.allow(long.length)
    here.channel.send(long)
    await eventually(() => expect(there.frames.map(({ length }) => length)).toEqual([1, long.length]))
    there.channel.send(long)
    await eventually(() => expect(here.frames.map(({ length }) => length)).toEqual([long.length]))
    expect(() => there.channel.send(new Uint8Array(long.length + 1))).toThrow(`${long.length}`)
    here.channel.send(new Uint8Array(1))
    expect(() => here.channel.send(new Uint8Array(long.length + 1))).toThrow(`${long.length}`)
  })

  test('a flood is read no faster than a channel is, and nothing of it is lost', async () => {
    const { here, there } = await scene().channel()
    const other = await scene().channel()
    const frames = FRAMES_BURST_MAX + FRAMES_PER_SECOND_MAX / 2
    const frame = new Uint8Array(10)
    const fromMs = performance.now()
    for (let sent = 0; sent < frames; sent += 1) if (!here.channel.send(frame)) await here.channel.drained()
    await eventually(() => expect(there.frames.length).toBeGreaterThanOrEqual(FRAMES_BURST_MAX))
    other.here.channel.send(bytesOf('meanwhile'))
    await eventually(() => expect(other.there.texts).toEqual(['meanwhile']))
    await eventually(() => expect(there.frames).toHaveLength(frames))
    expect(performance.now() - fromMs).toBeGreaterThan(450)
  })
}
