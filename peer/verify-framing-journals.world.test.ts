import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CID, rawCid, recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { type JournalEntry, orderJournal } from '../protocol/journal.ts'
import { Invocation, JournalHead, Receipt, ReceiptFile, Task } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import type { PublishedFunction } from '../registry/functions.ts'
import {
  callAt,
  callerAnd,
  elsewhere,
  fileOf,
  receiptIn,
  SUM,
  someone,
  verdictsOf,
  wrongOutcome,
} from '../scripts/test/receipt-files.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { machine, publish } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { headBytes } from './journal-heads.ts'
import { headOf, upTo } from './receipts.ts'

const { crypto } = machine

type Ask = Omit<FrameOf<'invoke'>['items'][number], 'input'>
type Answering = (n: number) => number | undefined

/** A home that gives an executor whatever journal it likes, signs for it, and keeps what convicts. */
class HostileHome {
  readonly #host: WorldPeer
  readonly #home: ScriptedPeer
  readonly #published: PublishedFunction
  readonly #invoke: FrameOf<'invoke'>

  private constructor(host: WorldPeer, home: ScriptedPeer, published: PublishedFunction, invoke: FrameOf<'invoke'>) {
    this.#host = host
    this.#home = home
    this.#published = published
    this.#invoke = invoke
  }

  static async of(world: World, code: string, input: number): Promise<HostileHome> {
    const host = world.peers[1]!
    const published = await publish(host, code, { effects: ['call'] })
    const home = await (await scriptedPeer(world)).join(host)
    return new HostileHome(host, home, published, await home.invoke(published, [input]))
  }

  get invocation(): CID {
    return recordCid(crypto, this.#invoke.signed.payloads[0]!)
  }

  /** One attempt; undefined: the executor gives it up, and signs for nothing. `answering` says with what, if at all. */
  async perform(ask: Ask, answering: Answering): Promise<ReceiptFile | undefined> {
    const home = this.#home
    home.send({ ...this.#invoke, items: this.#invoke.items.map((item) => ({ ...item, ...ask })) })
    const journal = [...ask.journal]
    const answer = (n: number) => {
      const value = answering(n)
      if (value === undefined) return
      const given = { ok: true as const, value: encodeValue(value) }
      journal.push({ entry: 'answer', n, answer: given })
      home.send({ t: 'answer', id: ask.id, n, answer: given })
    }
    const ended = new Promise<FrameOf<'answers' | 'failed'>>((resolve) => {
      home.react = (frame) => {
        if (frame.t === 'request') {
          const { id: _, t: __, ...request } = frame
          journal.push({ entry: 'request', ...request })
          answer(frame.n)
        } else if (frame.t === 'answers' || frame.t === 'failed') resolve(frame)
      }
    })
    const numbers = (of: JournalEntry['entry']) =>
      new Set(ask.journal.flatMap(({ entry, n }) => (entry === of ? [n] : [])))
    const answered = numbers('answer')
    for (const n of numbers('request')) if (!answered.has(n)) answer(n)
    const end = await home.world.until(ended)
    if (end.t === 'failed') return undefined
    const { items } = await home.next('journals')
    const entries = upTo(journal, items[0]!.length)
    const at = { invocation: this.invocation, epoch: ask.epoch, journal: headOf(crypto, this.invocation, entries) }
    const [head] = (await home.sign('journal-head', [headBytes(at)])) as [Envelope]
    const { payload, signature } = head
    home.send({ t: 'heads', ids: [ask.id], signed: { payloads: [payload], signature } })
    return this.#file((await home.next('receipts')).signed, head, entries, end.items[0]!.outcome)
  }

  async #file(
    { payloads, signature }: FrameOf<'receipts'>['signed'],
    head: Envelope,
    entries: JournalEntry[],
    outcome: Uint8Array,
  ) {
    const receipt = { payload: payloads[0]!, signer: this.#host.peerId, signature, index: 0, size: 1, path: [] }
    const invocations = await this.#home.sign('invocation', [this.#invoke.signed.payloads[0]!])
    const { input } = this.#invoke.items[0]!
    const task = Task.encode({ v: 1, ...this.#invoke.task, input: rawCid(crypto, input) })
    const fetched = async (cid: CID) => (await this.#home.world.until(this.#host.peer.block(cid)))!
    const blocks = [task, input, ...(await Promise.all(this.#published.blocks.map(fetched))), outcome]
    return {
      v: 1 as const,
      receipts: [receipt],
      invocations,
      heads: [head],
      journal: orderJournal(entries),
      blocks,
      verification: [],
    }
  }
}

const ONCE = `export default async (x, env, ctx) => 1 + await ctx.call('#part', x)`

/** Nobody honest is convicted of a run that requested something, whoever made the file. */
describe('framing with a journal fails by', () => {
  const honest = async (name: string, input = 3, level = 'none') => {
    const world = await callerAnd(name, {}, {})
    return { world, file: await fileOf(world, await callAt(world, level, input, SUM)) }
  }
  const unfit = ['unusable E_RECEIPT']

  test('a forged journal, with and without a signature of somebody else under it', async () => {
    const { file } = await honest('forged')
    expect(await verdictsOf(file)).toEqual(['right'])
    const journal = file.journal.map((entry) =>
      entry.entry === 'answer' ? { ...entry, answer: { ok: true as const, value: encodeValue(1) } } : entry,
    )
    const receipt = receiptIn(file)
    const forged = { ...receipt, journal: headOf(crypto, receipt.invocation, journal) }
    const head = await someone('forger').sign('journal-head', headBytes(forged))
    const inItsName = { ...head, signer: receipt.home }
    for (const heads of [file.heads, [], [head], [inItsName], [...file.heads, inItsName]])
      expect(await verdictsOf({ ...file, journal, heads })).toEqual(unfit)
    const payload = Receipt.encode(forged)
    const receipts = [{ ...file.receipts[0]!, payload }]
    expect(await verdictsOf({ ...file, journal, receipts, heads: [inItsName] })).toEqual(['unusable E_SIGNATURE'])
  })

  test('an executor that says it was answered otherwise: without its home it proves nothing', async () => {
    const { file } = await honest('invented')
    const { peerId, sign } = someone('inventor')
    const journal = file.journal.map((entry) =>
      entry.entry === 'answer' ? { ...entry, answer: { ok: true as const, value: encodeValue(1) } } : entry,
    )
    const receipt = { ...receiptIn(file), executor: peerId }
    const invented = { ...receipt, journal: headOf(crypto, receipt.invocation, journal) }
    const receipts = [await sign('receipt', Receipt.encode(invented))]
    for (const heads of [[], file.heads, [await sign('journal-head', headBytes(invented))]])
      expect(await verdictsOf({ ...file, journal, receipts, heads })).toEqual(unfit)
  })

  test('a head that is not rightly signed, or not of this invocation, epoch or length', async () => {
    const { file } = await honest('heads')
    const [head] = file.heads as [Envelope]
    const says = JournalHead.decode(head.payload)
    const home = someone('a home')
    const changed = async (changes: Partial<JournalHead>) => {
      return { ...(await home.sign('journal-head', JournalHead.encode({ ...says, ...changes }))), signer: head.signer }
    }
    const wrong = [
      { ...head, signature: head.signature.map((byte) => byte ^ 1) },
      { ...(await home.sign('journal-head', head.payload)), signer: head.signer },
      await changed({}),
      await home.sign('journal-head', head.payload),
      await changed({ epoch: 1 }),
      await changed({ invocation: recordCid(crypto, Uint8Array.of(1)) }),
      await changed({ journal: { ...says.journal, length: 3 } }),
    ]
    for (const one of wrong)
      for (const verdict of await verdictsOf({ ...file, heads: [one] }))
        expect(verdict).toMatch(/^unusable E_(RECEIPT|SIGNATURE)$/)
  })

  test('a swapped receipt: of another task, beside the journal and head of this one', async () => {
    const world = await callerAnd('swapped', {}, {})
    const [one, other] = [
      await fileOf(world, await callAt(world, 'none', 1, SUM)),
      await fileOf(world, await callAt(world, 'none', 2, SUM)),
    ]
    expect(await verdictsOf({ ...one, receipts: other.receipts })).toEqual(unfit)
    const blocks = [...one.blocks, ...other.blocks]
    const { receipts, invocations, heads, journal } = other
    expect(await verdictsOf({ ...one, blocks, receipts, invocations })).toEqual(unfit)
    expect(await verdictsOf({ ...one, blocks, receipts, invocations, heads })).toEqual(unfit)
    expect(await verdictsOf({ ...one, blocks, receipts, invocations, journal })).toEqual(unfit)
    expect(await verdictsOf({ ...one, blocks, receipts, invocations, heads, journal })).toEqual(['right'])
  })

  test('a replayed receipt: of another invocation, or of another epoch in which the home answered otherwise', async () => {
    const world = await callerAnd('epochs', {})
    const home = await HostileHome.of(world, ONCE, 5)
    const first = (await home.perform({ id: 1, attempt: 1, epoch: 0, journal: [] }, () => 10))!
    const second = (await home.perform({ id: 2, attempt: 2, epoch: 1, journal: [] }, () => 20))!
    for (const file of [first, second]) expect(await verdictsOf(file)).toEqual(['right'])
    const replayed = { ...second, blocks: [...first.blocks, ...second.blocks], receipts: first.receipts }
    expect(await verdictsOf(replayed)).toEqual(unfit)
    expect(await verdictsOf({ ...replayed, heads: first.heads })).toEqual(unfit)
    expect(await verdictsOf({ ...replayed, journal: first.journal })).toEqual(unfit)
    const renamed = Receipt.encode({ ...receiptIn(first), epoch: 1 })
    const moved = [{ ...first.receipts[0]!, payload: renamed }]
    expect(await verdictsOf({ ...second, receipts: moved })).toEqual(['unusable E_SIGNATURE'])
    const again = await HostileHome.of(world, ONCE, 5)
    const other = (await again.perform({ id: 1, attempt: 1, epoch: 0, journal: [] }, () => 20))!
    expect(await verdictsOf({ ...other, receipts: first.receipts })).toEqual(unfit)
    expect(await verdictsOf({ ...first, ...{ heads: other.heads, journal: other.journal } })).toEqual(unfit)
  })

  test('a colluding home and executor: whatever they sign for, they convict themselves', async () => {
    const { file } = await honest('pair')
    const [home, executor] = [someone('home of a pair'), someone('executor of a pair')]
    const asked = { ...Invocation.decode(file.invocations[0]!.payload), invoker: home.peerId, home: home.peerId }
    const invocation = await home.sign('invocation', Invocation.encode(asked))
    const cid = recordCid(crypto, invocation.payload)
    const outcome = wrongOutcome(71)
    const lie: Receipt = {
      ...receiptIn(file),
      ...{ invocation: cid, home: home.peerId, executor: executor.peerId },
      ...{ journal: headOf(crypto, cid, file.journal), outcome: recordCid(crypto, outcome) },
    }
    const lies = [await executor.sign('receipt', Receipt.encode(lie))]
    const heads = [await home.sign('journal-head', headBytes(lie))]
    const slander = { ...file, receipts: lies, invocations: [invocation], heads, blocks: [...file.blocks, outcome] }
    expect(await verdictsOf(slander)).toEqual(['wrong'])
    // The honest executor's receipt beside it is of the honest home's invocation, and stays right.
    const both = {
      ...slander,
      receipts: [...lies, ...file.receipts],
      invocations: [invocation, ...file.invocations],
      heads: [...heads, ...file.heads],
    }
    expect(await verdictsOf(both)).toEqual(['wrong', 'right'])
    const { signer } = file.receipts[0]!
    expect(await verdictsOf({ ...slander, receipts: [{ ...lies[0]!, signer }] })).toEqual(['unusable E_SIGNATURE'])
    const inItsName = await executor.sign('receipt', Receipt.encode({ ...lie, executor: signer }))
    expect(await verdictsOf({ ...slander, receipts: [inItsName] })).toEqual(unfit)
  })

  test('whatever journal a home gives: an honest executor signs what it can be held to, or nothing', async () => {
    const code = `
      export default async (x, env, ctx) => {
        const parts = [ctx.call('#part', 1), ctx.call('#part', 2)]
        const first = await Promise.race(parts)
        const next = await ctx.call('#part', first)
        return [first, next, ...(await Promise.all(parts))]
      }
    `
    const world = await callerAnd('any journal', {})
    const host = await HostileHome.of(world, code, 5)
    const request = (n: number, after: number, input: number): JournalEntry => ({
      ...{ entry: 'request', n, after, kind: 'call' },
      arguments: encodeValue({ ref: '#part', input }),
    })
    const answer = (n: number, value = n): JournalEntry => ({
      entry: 'answer',
      n,
      answer: { ok: true, value: encodeValue(value) },
    })
    const whole = [request(0, 0, 1), request(1, 0, 2), answer(1), request(2, 1, 1), answer(2), answer(0)]
    const entries = fc.oneof(
      { arbitrary: fc.constantFrom(...whole), weight: 4 },
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2)).map(([n, after, input]) => request(n, after, input)),
      fc.nat(3).map((n) => answer(n, 9)),
    )
    const changed = fc.tuple(fc.nat(6), fc.nat(6), fc.array(entries, { maxLength: 2 })).map(([from, to, put]) => {
      return [...whole.slice(0, from), ...put, ...whole.slice(to)]
    })
    const moved = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(2), fc.nat(4)).map(([length, n, after]) => {
      const place = (one: JournalEntry) => (one.entry === 'request' && one.n === n ? { ...one, after } : one)
      return whole.slice(0, length).map(place)
    })
    const journals = fc.oneof(
      moved,
      fc.nat(6).map((n) => whole.slice(0, n)),
      changed,
      fc.array(entries, { maxLength: 6 }),
    )
    const { verify } = elsewhere()
    let id = 0
    let signed = 0
    const property = fc.asyncProperty(journals, async (journal) => {
      id++
      const file = await host.perform({ id, attempt: 1, epoch: id, journal }, (n) => n)
      if (!file) return
      signed++
      expect((await verify(ReceiptFile.encode(file))).receipts).toMatchObject([{ verdict: 'right' }])
    })
    await checkProperty('any journal', property, { runs: 200 })
    expect(signed).toBeGreaterThan(20)
    expect(signed).toBeLessThan(180)
  })
})

test('an executor whose home signs another journal than it answered signs nothing, and leaves', async () => {
  const world = await callerAnd('other head', {})
  const host = world.peers[1]!
  const published = await publish(host, ONCE, { effects: ['call'] })
  const home = await (await scriptedPeer(world)).join(host)
  const invoke = await home.invoke(published, [5])
  await home.say(invoke)
  await home.next('request')
  await home.say({ t: 'answer', id: 1, n: 0, answer: { ok: true, value: encodeValue(10) } })
  const { items } = await home.next('journals')
  expect(items).toEqual([{ id: 1, length: 2 }])
  const invocation = recordCid(crypto, invoke.signed.payloads[0]!)
  const other = headBytes({ invocation, epoch: 0, journal: { head: new Uint8Array(32), length: 2 } })
  await home.say({ t: 'heads', ids: [1], signed: await home.signBatch('journal-head', [other]) })
  await world.clock.advance(1000)
  expect(home.all('receipts')).toEqual([])
  expect(home.all('bye')).toMatchObject([{ code: 'E_RECEIPT' }])
})
