import { describe, expect, test } from 'vitest'
import { rawCid, recordCid } from '../protocol/cid.ts'
import type { FrameOf, PeerFrame } from '../protocol/frames.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { INPUT_BYTES_MAX, MIB } from '../protocol/limits.ts'
import type { Manifest } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import { alice, bob } from '../scripts/protocol/examples.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { machine } from '../scripts/test/world.ts'
import { FakeClock } from '../simulations/clock.ts'
import { type CallRequest, prepareItem, taskOf } from './calls.ts'
import { type AttemptResult, Dispatcher } from './dispatcher.ts'
import type { Link } from './link.ts'
import { NeighbourTable } from './neighbours.ts'

const { crypto } = machine
const mesh = recordCid(crypto, Uint8Array.of(1))
const SIGN_MS = 50
const once = {
  ...{ attempt: 1, epoch: 0, predictedMs: 0, queueMs: 0, holdMs: undefined, onStarted: undefined },
  ...{ onRequest: undefined, onGuessed: undefined, owesNothing: undefined, guesses: [] },
}

/** A dispatcher whose signatures take 50 ms, or fail, and a neighbour whose end of the link is here. */
const dispatching = (name: string, { signs = true } = {}) => {
  const clock = new FakeClock()
  const random = randomFor(name)
  const key = machine.createSigner(random.bytes(32))
  const peerId = peerIdFromPublicKey(key.publicKey)
  const signer = {
    publicKey: key.publicKey,
    sign: async (bytes: Uint8Array) => {
      await new Promise<void>((resolve) => clock.after(SIGN_MS, resolve))
      if (!signs) throw new Error('the key is gone')
      return key.sign(bytes)
    },
  }
  const events: string[] = []
  const log = { event: (event: string) => void events.push(event) }
  const dispatcher = new Dispatcher({ clock, crypto, signer, log, network: { peerId } as never }, mesh, () => {})
  const sent: PeerFrame[] = []
  const link: Link = {
    ...{ peer: 'executor', outbound: true, isOpen: true, receive: () => {}, bye: () => {} },
    send: (frame) => void sent.push(frame),
  }
  const standings = { isSuspended: () => false, isExpelled: () => false, hasLiedAlike: () => false }
  const neighbour = new NeighbourTable({ crypto, clock, network: { peerId } as never }, standings).add(link, {
    member: true,
    own: false,
    features: [],
    chain: [],
  })
  const manifest = {
    tier: 'javascript',
    effects: [],
    limits: { fuel: 1000, memory_bytes: 0, output_bytes: 10 },
  } as unknown as Manifest
  const itemOf = (input: Uint8Array, changes: Partial<CallRequest> = {}) => {
    const request = { function: mesh, export: 'default', input, timeoutMs: 1000, ...changes } as CallRequest
    const named = taskOf(crypto, ['quickjs:e'], manifest, request)
    const preparation = { mesh, named, self: peerId, candidates: { list: [], cid: rawCid(crypto, input) } }
    return prepareItem({ crypto, random, clock }, preparation, manifest, request, clock.monotonic() + request.timeoutMs)
  }
  const invokes = () => sent.filter((frame): frame is FrameOf<'invoke'> => frame.t === 'invoke')
  const send = (...args: Parameters<typeof itemOf>) => dispatcher.send(neighbour, itemOf(...args), once)
  return { clock, dispatcher, neighbour, sent, events, itemOf, invokes, send }
}

const small = encodeValue(1)
const limits = { fuel: 7, memory_bytes: 0, output_bytes: 10 }

test('what is sent for a caller goes with its delegation, apart from others, to whom has said that it reads such', async () => {
  const { clock, send, invokes, neighbour } = dispatching('acting')
  const of = (signer: string) => {
    const delegation = { signer, payload: small, index: 0, size: 1, path: [], signature: new Uint8Array(64) }
    return { durable: { delegation, begins: () => undefined } as unknown as CallRequest['durable'] }
  }
  const [a, b] = [alice.id, bob.id]
  const all = () => {
    for (const changes of [of(a), {}, of(b), of(a)]) send(small, changes)
  }
  all()
  await clock.advance(100)
  expect(invokes().map(({ items, delegation }) => [items.length, delegation])).toEqual(
    [2, 1, 1].map((count) => [count, undefined]),
  )
  Object.assign(neighbour, { features: ['later', 'delegations'] })
  all()
  await clock.advance(100)
  expect(
    invokes()
      .slice(3)
      .map(({ items, delegation }) => [items.length, delegation?.signer]),
  ).toEqual([
    [2, a],
    [1, undefined],
    [1, b],
  ])
})

test('what is sent in one turn leaves in one frame, by function, export and limits; with the longest time of all', async () => {
  const { clock, send, invokes, neighbour } = dispatching('batch')
  for (const timeoutMs of [500, 9000, 700]) send(small, { timeoutMs })
  send(small, { limits })
  send(small, { export: 'other' })
  expect(neighbour.inFlight).toBe(5)
  await clock.advance(100)
  expect(invokes().map(({ items }) => items.length)).toEqual([3, 1, 1])
  expect(invokes()[0]!.timeout_ms).toBe(9000 - SIGN_MS)
})

test('to an idle neighbour an item leaves with what is sent in the same task; to one at work, with that of the same turn', async () => {
  const { clock, send, invokes, sent } = dispatching('idle')
  const before = clock.pending
  send(small)
  await undefined
  send(small)
  expect(clock.pending).toBe(before)
  await clock.advance(SIGN_MS)
  expect(invokes().map(({ items }) => items.length)).toEqual([2])
  send(small)
  expect(clock.pending).toBe(before + 1)
  await clock.advance(SIGN_MS)
  expect(sent).toHaveLength(2)
})

describe('tied items', () => {
  test('leave in a frame of their own, each with its hold', async () => {
    const { clock, dispatcher, neighbour, itemOf, invokes, sent, send } = dispatching('tied')
    for (const holdMs of [0, 120]) dispatcher.send(neighbour, itemOf(small), { ...once, holdMs })
    send(small)
    await clock.advance(100)
    expect(sent.map((frame) => [frame.t, 'holds' in frame ? frame.holds : []])).toEqual([
      ['tied', [0, 120]],
      ['invoke', []],
    ])
    expect(invokes()[0]!.items).toHaveLength(1)
  })

  test('are heard to start once, each from its own executor', async () => {
    const { clock, dispatcher, neighbour, itemOf, send } = dispatching('started')
    const heard: string[] = []
    const started = (name: string) => ({ ...once, holdMs: 0, onStarted: () => void heard.push(name) })
    const [a, b] = ['a', 'b'].map((name) => dispatcher.send(neighbour, itemOf(small), started(name)))
    const plain = send(small)
    await clock.advance(100)
    dispatcher.onFrame({ ...neighbour }, { t: 'started', ids: [a!.id] })
    expect([heard, a!.startedMs]).toEqual([[], undefined])
    for (const ids of [[a!.id, a!.id], [a!.id, 999, plain.id], [b!.id]])
      dispatcher.onFrame(neighbour, { t: 'started', ids })
    expect(heard).toEqual(['a', 'b'])
    expect([a!.startedMs, plain.startedMs]).toEqual([clock.monotonic(), undefined])
  })
})

describe('while the signature is made', () => {
  test('a cancelled item is not sent, or followed by a cancel', async () => {
    const { clock, dispatcher, send, invokes, sent, neighbour } = dispatching('cancelled')
    const [early, late] = [send(small), send(small)]
    dispatcher.cancel(early, 'E_CANCELLED', 'the caller cancelled')
    await clock.advance(10)
    dispatcher.cancel(late, 'E_CANCELLED', 'the caller cancelled')
    await clock.advance(100)
    expect(invokes().flatMap(({ items }) => items.map(({ id }) => id))).toEqual([late.id])
    expect(sent.at(-1)).toEqual({ t: 'cancel', ids: [late.id] })
    expect(sent).toHaveLength(2)
    expect([neighbour.inFlight, neighbour.inFlightBytes]).toEqual([0, 0])
    expect([...dispatcher.attempts()]).toEqual([])
  })

  test('an answer goes with the journal, and not before the item it belongs to', async () => {
    const { clock, dispatcher, neighbour, itemOf, invokes, sent } = dispatching('answered')
    const item = itemOf(small)
    const answer = { ok: true as const, value: encodeValue(5) }
    item.journal.push({ entry: 'request', n: 0, after: 0, kind: 'call', arguments: small })
    const attempt = dispatcher.send(neighbour, item, {
      ...once,
      attempt: 2,
      epoch: 1,
      onRequest: () => {},
      owesNothing: () => false,
    })
    await clock.advance(10)
    item.journal.push({ entry: 'answer', n: 0, answer })
    dispatcher.answer(attempt, 0, answer)
    await clock.advance(100)
    expect(sent.map(({ t }) => t)).toEqual(['invoke'])
    expect(invokes()[0]!.items[0]!.journal).toEqual(item.journal)
    dispatcher.answer(attempt, 1, answer)
    expect(sent.at(-1)).toEqual({ t: 'answer', id: attempt.id, n: 1, answer })
  })

  test('who waits in vain says so again and again: one word may have crossed the answer', async () => {
    const { clock, dispatcher, neighbour, itemOf } = dispatching('in vain')
    let owes = true
    const attempt = dispatcher.send(neighbour, itemOf(small), {
      ...once,
      onRequest: () => {},
      owesNothing: () => !owes,
    })
    const says = async (state: 'waiting' | 'running') => {
      await clock.advance(500)
      dispatcher.onFrame(neighbour, {
        t: 'progress',
        items: [{ id: attempt.id, state, alive: true, fuel: 1 }],
      } as never)
      return [attempt.inVain, attempt.heardMs]
    }
    expect(await says('waiting')).toEqual([0, 500])
    owes = false
    expect([await says('waiting'), await says('waiting')]).toEqual([
      [1, 500],
      [2, 500],
    ])
    expect(await says('running')).toEqual([0, 2000])
  })

  test.each<[string, boolean, number]>([
    ['it waits for what its home owes', true, 1],
    ['it says that it waits for what nobody owes', false, 0],
  ])('while %s, others may have its slot, until it ends', async (name, owes, waiting) => {
    const { clock, dispatcher, neighbour, itemOf } = dispatching(name)
    const begin = () =>
      dispatcher.send(neighbour, itemOf(small), { ...once, onRequest: () => {}, owesNothing: () => !owes })
    const says = (id: number, state: string) =>
      dispatcher.onFrame(neighbour, { t: 'progress', items: [{ id, state, alive: true, fuel: 1 }] } as never)
    const counts = () => [neighbour.inFlight, neighbour.waiting]
    const [answered, cancelled] = [begin(), begin()]
    await clock.advance(500)
    for (let twice = 0; twice < 2; twice++) says(answered.id, 'waiting')
    expect(counts()).toEqual([2, waiting])
    says(answered.id, 'running')
    expect(counts()).toEqual([2, 0])
    for (const { id } of [answered, cancelled]) says(id, 'waiting')
    expect(counts()).toEqual([2, 2 * waiting])
    dispatcher.cancel(cancelled, 'E_CANCELLED', 'the caller cancelled')
    expect(counts()).toEqual([1, waiting])
    dispatcher.onLeft(neighbour, 'gone')
    says(answered.id, 'waiting')
    expect([...counts(), neighbour.inFlightBytes]).toEqual([0, 0, 0])
  })

  test('a pure item waits for nothing, whatever its executor says', async () => {
    const { clock, dispatcher, neighbour, send } = dispatching('pure')
    const { id } = send(small)
    await clock.advance(500)
    dispatcher.onFrame(neighbour, { t: 'progress', items: [{ id, state: 'waiting', alive: true, fuel: 1 }] } as never)
    expect([neighbour.inFlight, neighbour.waiting]).toEqual([1, 0])
  })

  test('the executor may leave', async () => {
    const { clock, dispatcher, send, neighbour, events } = dispatching('left')
    const { result } = send(small)
    await clock.advance(10)
    dispatcher.onLeft(neighbour, 'gone')
    expect(await result).toMatchObject({ kind: 'failed', code: 'E_EXECUTOR_LOST', message: 'executor left: gone' })
    await clock.advance(100)
    expect(events).toEqual([])
  })

  test('it may fail: so do the attempts, and nothing hangs', async () => {
    const { clock, send, events, sent } = dispatching('no key', { signs: false })
    const { result } = send(small)
    await clock.advance(100)
    expect(await result).toMatchObject({ kind: 'failed', code: 'E_INTERNAL' })
    expect(events).toEqual(['internal.error'])
    expect(sent).toEqual([])
  })
})

describe('an item that does not fit a frame', () => {
  const outcomes = async (name: string, journalBytes: number): Promise<AttemptResult | 'sent'> => {
    const { clock, dispatcher, neighbour, itemOf, invokes } = dispatching(name)
    const item = itemOf(new Uint8Array(INPUT_BYTES_MAX))
    const answer = { ok: true as const, value: new Uint8Array(journalBytes) }
    if (journalBytes > 0) item.journal.push({ entry: 'answer', n: 0, answer })
    const { result } = dispatcher.send(neighbour, item, once)
    await clock.advance(100)
    return invokes().length === 1 ? 'sent' : result
  }

  test('with its journal, fails with the reason', async () => {
    expect(await outcomes('fits', 0)).toBe('sent')
    expect(await outcomes('journal', 2 * MIB)).toMatchObject({
      kind: 'failed',
      code: 'E_MESSAGE_LIMIT',
      message: expect.stringContaining('at most'),
    })
  })
})

describe('an item that would wait there', () => {
  const queued = (name: string, count: number) => {
    const scene = dispatching(name)
    const { dispatcher, neighbour, itemOf } = scene
    const send = (queueMs: number) => dispatcher.send(neighbour, itemOf(small), { ...once, queueMs })
    for (let i = 0; i < count; i++) send(0)
    return { ...scene, send }
  }

  test('waits here for company, a quarter of that time', async () => {
    const { clock, invokes, send } = queued('queue', 2)
    await clock.advance(SIGN_MS)
    send(100)
    await clock.advance(24)
    send(100)
    await clock.advance(1 + SIGN_MS)
    expect(invokes().map(({ items }) => items.length)).toEqual([2, 2])
  })

  test('leaves at once when what was there has ended', async () => {
    const { clock, dispatcher, neighbour, invokes, send } = queued('drained', 2)
    await clock.advance(SIGN_MS)
    const last = send(1000)
    const [first, second] = [...dispatcher.attempts()]
    const refused = (id: number) =>
      dispatcher.onFrame(neighbour, { t: 'refused', ids: [id], code: 'E_BUSY', message: '', better: [] })
    await refused(first!.id)
    await clock.advance(SIGN_MS)
    expect(invokes()).toHaveLength(1)
    await refused(second!.id)
    await clock.advance(SIGN_MS)
    expect(
      invokes()
        .at(-1)!
        .items.map(({ id }) => id),
    ).toEqual([last.id])
  })
})
