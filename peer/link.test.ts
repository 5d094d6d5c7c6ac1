import { expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import { PeerFrame } from '../protocol/frames.ts'
import { FRAME_BYTES_MAX, MIB } from '../protocol/limits.ts'
import type { LogEventName, LogFields } from '../protocol/log.ts'
import type { Channel } from '../protocol/ports.ts'
import { createLink, type LinkHandlers } from './link.ts'

/** A link over a channel whose other side takes `room` frames before it is full. */
const linked = (handlers: Partial<LinkHandlers> = {}, waiting = { bytes: 0 }) => {
  const sent: PeerFrame[] = []
  const events: [LogEventName, LogFields | undefined][] = []
  const drains: (() => void)[] = []
  const end = { room: Number.POSITIVE_INFINITY, closed: undefined as string | undefined }
  let receivers: Parameters<Channel['receive']>[0] | undefined
  const channel: Channel = {
    peer: 'them',
    protocol: 'p',
    outbound: true,
    allow: () => {},
    send: (bytes) => {
      sent.push(PeerFrame.decode(bytes))
      end.room--
      return end.room > 0
    },
    drained: () => new Promise((resolve) => drains.push(resolve)),
    receive: (given) => {
      receivers = given
    },
    close: ({ abort = 'closed' } = {}) => {
      end.closed = abort
      receivers?.closed(abort)
    },
  }
  const log = { event: (name: LogEventName, fields?: LogFields) => void events.push([name, fields]) }
  const link = createLink(channel, { log, waiting }, () => ({ frame: () => {}, closed: () => {}, ...handlers }))
  const drain = async (room: number) => {
    end.room = room
    for (const resume of drains.splice(0)) resume()
    await Promise.resolve()
  }
  const hear = (frame: PeerFrame | Uint8Array) =>
    receivers?.frame(frame instanceof Uint8Array ? frame : PeerFrame.encode(frame))
  return { link, sent, events, end, drain, hear }
}

const ping = (id: number): PeerFrame => ({ t: 'ping', id })
const large = (bytes: number): PeerFrame => ({
  t: 'answer',
  id: 1,
  n: 0,
  answer: { ok: true, value: new Uint8Array(bytes) },
})
const ids = (frames: readonly PeerFrame[]) => frames.map((frame) => ('id' in frame ? frame.id : frame.t))

test('frames leave in order, as fast as the other side reads', async () => {
  const { link, sent, end, drain } = linked()
  end.room = 2
  for (let id = 0; id < 7; id++) link.send(ping(id))
  expect(ids(sent)).toEqual([0, 1])
  await drain(3)
  expect(ids(sent)).toEqual([0, 1, 2, 3, 4])
  link.send(ping(7))
  expect(ids(sent)).toEqual([0, 1, 2, 3, 4])
  await drain(100)
  expect(ids(sent)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  link.send(ping(8))
  expect(ids(sent).at(-1)).toBe(8)
})

test('a peer that does not read is given up when 64 MiB wait for it', () => {
  const { link, end } = linked()
  end.room = 1
  for (let sentMib = 0; sentMib < 64; sentMib += 4) link.send(large(4 * MIB))
  expect(end.closed).toBeUndefined()
  link.send(large(4 * MIB))
  expect(end.closed).toBe('the other side does not read')
  expect(link.isOpen).toBe(false)
})

test('over all links 256 MiB wait: then one with more than a little is given up, and one with little is not', () => {
  // What other links have.
  const waiting = { bytes: 250 * MIB }
  const [greedy, modest] = [linked({}, waiting), linked({}, waiting)]
  for (const one of [greedy, modest]) one.end.room = 0
  for (let i = 0; i < 12; i++) {
    greedy.link.send(large(MIB))
    if (i % 4 === 0) modest.link.send(large(MIB))
  }
  expect(greedy.end.closed).toBe('the other side does not read')
  expect(modest.end.closed).toBeUndefined()
  modest.link.bye('E_STOPPING', 'over')
  expect(waiting.bytes).toBe(250 * MIB)
})

test('what is sent to a closed link is dropped', async () => {
  const { link, sent, end, drain } = linked()
  end.room = 1
  for (let id = 0; id < 3; id++) link.send(ping(id))
  link.bye('E_STOPPING', 'over')
  link.send(ping(9))
  await drain(10)
  expect(ids(sent)).toEqual([0, 'bye'])
})

test('a frame that is too long does not throw at whoever sends: the link ends, and the log tells why', () => {
  const { link, sent, events, end } = linked()
  link.send(large(FRAME_BYTES_MAX))
  expect(sent).toMatchObject([{ t: 'bye', code: 'E_INTERNAL' }])
  expect(end.closed).toBeDefined()
  expect(events).toMatchObject([['internal.error', { code: 'E_MESSAGE_LIMIT' }]])
})

test.each([
  ['at once', (error: Error) => ({ frame: () => void raise(error) })],
  ['later', (error: Error) => ({ frame: () => Promise.reject(error) })],
])('a handler that refuses a frame %s ends the link with its code', async (_, handlers) => {
  const refusing = linked(handlers(new MeshError('E_MESH_MISMATCH', 'not ours')))
  await refusing.hear(ping(1))
  expect(refusing.sent).toEqual([{ t: 'bye', code: 'E_MESH_MISMATCH', message: 'not ours' }])
  expect(refusing.events).toMatchObject([['peer.misbehaved', { peer: 'them', code: 'E_MESH_MISMATCH' }]])
})

test('a defect in a handler is ours: the other side is not told what', async () => {
  const { hear, sent, events } = linked({ frame: () => void raise(new TypeError('x is undefined')) })
  await hear(ping(1))
  expect(sent).toEqual([{ t: 'bye', code: 'E_INTERNAL', message: 'internal error' }])
  expect(events).toMatchObject([['internal.error', { reason: expect.stringContaining('x is undefined') }]])
})

test('bytes that are no frame end the link', async () => {
  const { hear, sent, link } = linked()
  await hear(Uint8Array.of(0xff))
  expect(sent).toMatchObject([{ t: 'bye', code: 'E_MESSAGE' }])
  expect(link.isOpen).toBe(false)
})

const raise = (error: Error): never => {
  throw error
}
