import type { Stream } from '@libp2p/interface'
import { decode } from 'it-length-prefixed'
import { expect, test } from 'vitest'
import { KIB, MIB } from '../../protocol/limits.ts'
import { FrameWriter } from './frame-writer.ts'

/** As libp2p's: what does not fit waits in its own buffer; a drain need not mean room, and is followed by a microtask. */
class FakeStream extends EventTarget {
  readonly writes: Uint8Array[] = []
  writableNeedsDrain = false
  roomBytes = Number.POSITIVE_INFINITY
  #buffer = new Uint8Array(0)

  get writeBufferLength(): number {
    return this.#buffer.length
  }

  send(bytes: Uint8Array): boolean {
    this.#buffer = new Uint8Array(Buffer.concat([this.#buffer, bytes]))
    if (!this.writableNeedsDrain) this.#write()
    return !this.writableNeedsDrain
  }

  drain(roomBytes: number): void {
    this.roomBytes = roomBytes
    this.writableNeedsDrain = false
    queueMicrotask(() => this.#write())
    this.dispatchEvent(new Event('drain'))
  }

  #write(): void {
    const written = this.#buffer.slice(0, this.roomBytes)
    this.writes.push(written)
    this.#buffer = this.#buffer.slice(written.length)
    this.roomBytes -= written.length
    this.writableNeedsDrain = this.#buffer.length > 0
  }

  get frames(): Uint8Array[] {
    return [...decode([Buffer.concat(this.writes)], { maxDataLength: MIB })].map((frame) => frame.slice())
  }
}

const createWriter = () => {
  const stream = new FakeStream()
  const failures: unknown[] = []
  const writer = new FrameWriter(stream as unknown as Stream, (cause) => void failures.push(cause))
  return { stream, writer, failures }
}

/** All microtasks, and no timer. */
const microtasks = () => new Promise((resolve) => process.nextTick(() => queueMicrotask(() => resolve(undefined))))
const frame = (length: number) => new Uint8Array(length).fill(length % 251)

test('a lone frame goes out within the microtasks of its turn', async () => {
  const { stream, writer } = createWriter()
  writer.send(frame(5))
  expect(stream.writes).toEqual([])
  await microtasks()
  expect(stream.frames).toEqual([frame(5)])
})

test('frames sent by promises that settle together share a write', async () => {
  const { stream, writer } = createWriter()
  const send = async (length: number) => {
    for (let hop = 0; hop < length % 10; hop += 1) await undefined
    writer.send(frame(length))
  }
  await Promise.all(Array.from({ length: 100 }, (_, length) => send(length)))
  await microtasks()
  expect(stream.writes).toHaveLength(1)
  expect(stream.frames).toHaveLength(100)
})

test('hands over little more than is taken, however often it drains, and everything in the end', async () => {
  const { stream, writer } = createWriter()
  stream.roomBytes = 300 * KIB
  const sent = [MIB, 0, 1, 300 * KIB, MIB].map(frame)
  for (const each of sent) writer.send(each)
  await microtasks()
  for (let drain = 0; drain < 5; drain += 1) {
    expect(stream.writeBufferLength).toBeLessThanOrEqual(256 * KIB)
    stream.drain(0)
    await microtasks()
  }
  while (writer.unsentBytes > 0) {
    stream.drain(100 * KIB)
    await microtasks()
  }
  for (const [index, each] of stream.frames.entries()) expect(Buffer.compare(each, sent[index]!)).toBe(0)
})

test('drained: at once while there is room, else when half of the buffer is free', async () => {
  const { stream, writer } = createWriter()
  await writer.drained()
  writer.send(frame(MIB))
  await writer.drained()
  expect(stream.frames).toHaveLength(1)

  stream.roomBytes = 0
  writer.send(frame(MIB))
  let drained = false
  const draining = writer.drained().then(() => {
    drained = true
  })
  for (const roomBytes of [0, 0, 100 * KIB]) {
    await microtasks()
    stream.drain(roomBytes)
  }
  await microtasks()
  expect(drained).toBe(false)
  stream.drain(MIB)
  await draining
  expect(writer.unsentBytes).toBe(0)
})

test('flush hands over everything, taken or not; stop drops the rest and lets the waiting go on', async () => {
  const { stream, writer } = createWriter()
  stream.roomBytes = 0
  for (const length of [MIB, 10]) writer.send(frame(length))
  writer.flush()
  expect(stream.writeBufferLength).toBeGreaterThan(MIB)
  stream.drain(2 * MIB)
  await microtasks()
  expect(stream.frames).toHaveLength(2)
  writer.send(frame(MIB))
  writer.send(frame(MIB))
  const draining = writer.drained()
  writer.stop()
  await draining
  await writer.drained()
  await microtasks()
  expect(stream.frames).toHaveLength(2)
})

test('a stream that refuses a write is reported once', async () => {
  const { stream, writer, failures } = createWriter()
  stream.send = () => {
    throw new Error('closed')
  }
  writer.send(frame(1))
  await microtasks()
  expect(failures).toEqual([new Error('closed')])
})
