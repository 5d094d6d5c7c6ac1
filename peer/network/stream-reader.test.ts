import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { KIB } from '../../protocol/limits.ts'
import { StreamReader } from './stream-reader.ts'

/** As libp2p's: what comes while it is paused waits in its own buffer, and comes out within `resume`. */
class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  readableEnded = false
  #unread: Uint8Array[] = []

  get readBufferLength(): number {
    return this.#unread.reduce((sum, { length }) => sum + length, 0)
  }

  receive(data: Uint8Array): void {
    if (this.readStatus === 'paused') this.#unread.push(data)
    else this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
    for (const data of this.#unread.splice(0)) this.receive(data)
  }

  async closeRead(): Promise<void> {}

  end(event: 'end' | 'close'): void {
    if (event === 'end') this.readableEnded = true
    else this.status = 'closed'
    this.dispatchEvent(new Event(event))
  }
}

/** A reader whose receiver does with the n-th frame what `act` says; `heard` is what it was told, in order. */
const reading = (act: (n: number, reader: StreamReader) => Promise<void> | undefined = () => undefined) => {
  const stream = new FakeStream()
  const reader = new StreamReader(stream as unknown as Stream, 64 * KIB)
  const heard: string[] = []
  let frames = 0
  reader.start({
    frame: (frame) => {
      heard.push(`frame of ${frame.length}`)
      return act(frames++, reader)
    },
    ended: () => void heard.push('ended'),
    failed: (cause) => void heard.push(String(cause)),
  })
  return { stream, heard }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const [one, two, none] = [Uint8Array.of(1, 7), Uint8Array.of(2, 7, 7), new Uint8Array(4).fill(0xff)]

test('what comes before it starts is handed over then, in order', async () => {
  const { stream, heard } = reading()
  stream.receive(one)
  expect(heard).toEqual([])
  await settled()
  stream.receive(two)
  expect(heard).toEqual(['frame of 1', 'frame of 2'])
})

test.each(['end', 'close'] as const)('%s is told once, after the last frame has been dealt with', async (event) => {
  const first = Promise.withResolvers<void>()
  const { stream, heard } = reading((n) => (n === 0 ? first.promise : undefined))
  await settled()
  for (const frame of [one, two]) stream.receive(frame)
  stream.end(event)
  await settled()
  expect(heard).toEqual(['frame of 1'])
  first.resolve()
  await settled()
  stream.end('close')
  expect(heard).toEqual(['frame of 1', 'frame of 2', 'ended'])
})

test('a stream that closes while it is paused: what it holds comes first', async () => {
  const first = Promise.withResolvers<void>()
  const { stream, heard } = reading((n) => (n === 0 ? first.promise : undefined))
  await settled()
  stream.receive(one)
  for (let sent = 0; stream.readStatus === 'readable'; sent += KIB) {
    expect(sent).toBeLessThanOrEqual(256 * KIB)
    stream.receive(new Uint8Array(KIB))
  }
  stream.receive(two)
  stream.end('close')
  await settled()
  expect(heard).toHaveLength(1)
  first.resolve()
  await settled()
  expect(heard.slice(-2)).toEqual(['frame of 2', 'ended'])
})

test('a frame that comes while another is handed over is not handed over within it', async () => {
  let inside = 0
  const { stream, heard } = reading((n) => {
    expect(inside++).toBe(0)
    if (n === 0) stream.receive(two)
    inside--
    return undefined
  })
  await settled()
  stream.receive(one)
  expect(heard).toEqual(['frame of 1', 'frame of 2'])
})

test('what is no frame fails it, once; nothing follows', async () => {
  const { stream, heard } = reading()
  await settled()
  stream.receive(new Uint8Array([...one, ...none]))
  stream.receive(two)
  stream.end('close')
  expect(heard).toEqual(['frame of 1', expect.stringContaining('no shortest varint')])
})

test('discarded from within a frame: what follows is not looked at, and its end is not told', async () => {
  const { stream, heard } = reading((_, reader) => void reader.discard())
  await settled()
  stream.receive(new Uint8Array([...one, ...none]))
  stream.end('close')
  expect(heard).toEqual(['frame of 1'])
})
