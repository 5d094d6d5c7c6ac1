import { expect, test } from 'vitest'
import { recordCid } from '../protocol/cid.ts'
import { batchOf } from '../protocol/envelope.ts'
import type { PeerFrame } from '../protocol/frames.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { Outcome } from '../protocol/outcome.ts'
import { encodeValue } from '../protocol/values.ts'
import { outcomeOf } from '../scripts/test/scripted-peer.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { machine } from '../scripts/test/world.ts'
import { FakeClock } from '../simulations/clock.ts'
import { headBytes, signHeads } from './journal-heads.ts'
import type { Neighbour } from './neighbours.ts'
import { Outbox } from './outbox.ts'
import { headOf } from './receipts.ts'
import type { WorkItem } from './work.ts'

const { crypto } = machine
const anyCid = recordCid(crypto, Uint8Array.of(1))
const outcome = outcomeOf(1)
const outcomeBytes = Outcome.encode(outcome)

const keyFor = (name: string) => {
  const signer = machine.createSigner(randomFor(name).bytes(32))
  return { signer, network: { peerId: peerIdFromPublicKey(signer.publicKey) } as never, crypto }
}

/** An executor's outbox to a home whose end of the link is here. */
const towards = ({ underWay = 0 } = {}) => {
  const clock = new FakeClock()
  const home = keyFor('home')
  const { peerId } = home.network as { peerId: string }
  const sent: PeerFrame[] = []
  const link = { send: (frame: PeerFrame) => void sent.push(frame) }
  const neighbour = { peer: peerId, link } as unknown as Neighbour
  const ports = { ...keyFor('executor'), clock, log: { event: () => {} } }
  const outbox = new Outbox(
    ports,
    anyCid,
    neighbour,
    () => underWay,
    () => {},
  )
  const limits = { fuel: 1, memory_bytes: 1, output_bytes: 1 }
  const environment = { engine: `quickjs:${'1'.repeat(64)}`, protocol: 1 as const, limits }
  const journal: JournalEntry[] = [{ entry: 'request', n: 0, after: 0, kind: 'call', arguments: encodeValue(1) }]
  const accept = (id: number) => outbox.accept([{ id, ended: false } as WorkItem])
  /** With a journal, or, if it is empty, after a run of `ranMs`. */
  const answer = (id: number, ranMs?: number) => {
    const item = { id, neighbour, task: anyCid, attempt: 1, epoch: id, input: new Uint8Array(1) }
    const template = { function: anyCid, export: 'default', environment }
    const ran = ranMs === undefined ? { journal } : { journal: [], run: { ranMs: () => ranMs } }
    const about = { ...ran, template, invocationBytes: Uint8Array.of(2), invocation: { home: peerId } }
    outbox.answer({ item: { ...item, ...about } as unknown as WorkItem, outcomeBytes, outcome, trace: undefined })
  }
  const invocation = recordCid(crypto, Uint8Array.of(2))
  const sign = async (id: number) => {
    const payload = headBytes({ invocation, epoch: id, journal: headOf(crypto, invocation, journal) })
    const heads = await signHeads(home, [payload])
    await outbox.onHeads({ t: 'heads', ids: [id], signed: batchOf(heads) })
    await clock.advance(100)
  }
  const receipts = () => sent.flatMap((frame) => (frame.t === 'receipts' ? frame.ids : []))
  const started = (id: number) => outbox.started({ id } as WorkItem)
  return { clock, sent, accept, started, answer, sign, receipts }
}

test('what ran for long leaves at once, though more is under way; what was over sooner waits for others of its task', async () => {
  const { clock, sent, answer } = towards({ underWay: 5 })
  const answered = () => sent.flatMap((frame) => (frame.t === 'answers' ? [frame.items.map(({ id }) => id)] : []))
  for (const id of [1, 2]) answer(id, 0.1)
  expect(answered()).toEqual([])
  await clock.advance(0)
  answer(3, 0.1)
  answer(4, 16)
  expect(answered()).toEqual([
    [1, 2],
    [3, 4],
  ])
})

test('a receipt follows when the home has signed the journal, and only once', async () => {
  const { clock, answer, sign, receipts } = towards()
  answer(1)
  await clock.advance(1000)
  expect(receipts()).toEqual([])
  await sign(1)
  await sign(1)
  expect(receipts()).toEqual([1])
})

test('of a home that does not sign, the newest 4096 receipts wait', async () => {
  const { clock, answer, sign, receipts } = towards()
  for (let id = 0; id < 4096 + 100; id++) answer(id)
  await clock.advance(1000)
  for (const id of [0, 99, 100, 4195]) await sign(id)
  expect(receipts()).toEqual([100, 4195])
})

test('a receipt waits while its invoker is quiet, for 3 ms; while others come, for 50 at most', async () => {
  const { clock, answer, receipts } = towards()
  answer(1, 0.1)
  await clock.advance(3)
  expect(receipts()).toEqual([1])
  for (let id = 2; id < 27; id++) {
    expect(receipts()).toEqual([1])
    answer(id, 0.1)
    await clock.advance(2)
  }
  expect(receipts()).toHaveLength(26)
})

test('while more is under way, a receipt waits twice as long as its item ran', async () => {
  const { clock, answer, receipts } = towards({ underWay: 3 })
  answer(1, 16)
  await clock.advance(31)
  expect(receipts()).toEqual([])
  await clock.advance(1)
  expect(receipts()).toEqual([1])
})

test('that items were taken is said with the next answer, or after 100 ms', async () => {
  const { clock, sent, accept, answer } = towards()
  accept(1)
  accept(2)
  answer(2, 1)
  expect(sent.map(({ t }) => t)).toEqual(['accepted', 'answers'])
  accept(3)
  await clock.advance(99)
  expect(sent.filter(({ t }) => t === 'accepted')).toHaveLength(1)
  await clock.advance(1)
  expect(sent.at(-1)).toEqual({ t: 'accepted', ids: [3] })
})

test('that an item has started leaves with the answer before it, or at once', async () => {
  const { clock, sent, started, answer } = towards()
  started(2)
  answer(1, 16)
  expect(sent.map(({ t }) => t)).toEqual(['started', 'answers'])
  started(3)
  await clock.advance(0)
  expect(sent.at(-1)).toEqual({ t: 'started', ids: [3] })
})
