import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import { type Envelope, verifyEnvelope } from '../protocol/envelope.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { Outcome } from '../protocol/outcome.ts'
import { Invocation, Receipt, ReceiptFile } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import { outcomeOf, type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import type { CallResult } from './calls.ts'
import { receiptFileOf } from './receipt-file.ts'
import { type Execution, receiptBytes, receiptFault, upTo } from './receipts.ts'

const { crypto } = machine
const DOUBLE = 'export default (x) => 2 * x'
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** A caller that lends nothing, and `honest` executors of the world. */
const callerAnd = (name: string, honest: number): Promise<World> =>
  worldFor(name, { peers: 1 + honest, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

/** An executor with 4 slots that doubles as it should, as far as `act` lets it. */
const executor = async (world: World, act: (peer: ScriptedPeer, invoke: FrameOf<'invoke'>) => Promise<void>) => {
  const peer = await scriptedPeer(world)
  peer.react = (frame) => frame.t === 'invoke' && void act(peer, frame)
  return peer.join(world.peers[0]!, 4)
}

/** What the function gives for 21, in a real run: outcomes are compared with their fuel and memory. */
const trueOutcome = async (world: World): Promise<Outcome> => {
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  const { performed } = await world.until(caller.peer.call(requestOf(double, 21, { remote: false })))
  return performed[0]!.outcome
}

const call = async (world: World, level: Parameters<typeof requestOf>[2] = {}) => {
  const double = await publish(world.peers[0]!, DOUBLE)
  return world.until(world.peers[0]!.peer.call(requestOf(double, 21, level)))
}

type Fault = (receipt: Receipt) => Receipt
const otherCid = recordCid(crypto, Uint8Array.of(7))
const anotherKey = '12D3KooWEiwvKJBX4bGGTrW6n85wNL1pGRa1w3aPjrZDzEFCMBEX'
const FAULTS: [string, Fault][] = [
  ['task', (receipt) => ({ ...receipt, task: otherCid })],
  ['invocation', (receipt) => ({ ...receipt, invocation: otherCid })],
  ['mesh', (receipt) => ({ ...receipt, mesh: otherCid })],
  ['engine', (receipt) => ({ ...receipt, engine: `quickjs:${'2'.repeat(64)}` })],
  ['limits', (receipt) => ({ ...receipt, limits: { ...receipt.limits, fuel: receipt.limits.fuel + 1 } })],
  ['attempt', (receipt) => ({ ...receipt, attempt: receipt.attempt + 1 })],
  ['epoch', (receipt) => ({ ...receipt, epoch: receipt.epoch + 1 })],
  ['executor', (receipt) => ({ ...receipt, executor: anotherKey })],
  ['home', (receipt) => ({ ...receipt, home: anotherKey })],
  ['outcome', (receipt) => ({ ...receipt, outcome: otherCid })],
  ['usage', (receipt) => ({ ...receipt, usage: { ...receipt.usage, fuel: 1e12 } })],
  ['journal', (receipt) => ({ ...receipt, journal: { ...receipt.journal, length: 1 } })],
  ['trace', (receipt) => ({ ...receipt, trace: [] })],
]

/** Answers rightly, and sends the receipt that `fault` makes of the right one. */
const faulty =
  (outcome: Outcome, fault: Fault) =>
  async (peer: ScriptedPeer, invoke: FrameOf<'invoke'>): Promise<void> => {
    const ids = invoke.items.map(({ id }) => id)
    peer.send({ t: 'answers', items: ids.map((id) => ({ id, outcome: Outcome.encode(outcome) })) })
    const receipts = ids.map((_, i) => Receipt.encode(fault(peer.receiptOf(invoke, i, outcome))))
    peer.send({ t: 'receipts', ids, signed: await peer.signBatch('receipt', receipts) })
  }

const isMisbehaviour = (world: World, peer: ScriptedPeer, code: string) =>
  expect(world.peers[0]!.events).toContainEqual({
    name: 'peer.misbehaved',
    fields: expect.objectContaining({ peer: peer.peerId, code }),
  })

test('the right receipt is accepted: what follows is not for another reason', async () => {
  const world = await callerAnd('right', 0)
  const outcome = await trueOutcome(world)
  const peer = await executor(
    world,
    faulty(outcome, (receipt) => receipt),
  )
  const result = await call(world)
  const receipt = await world.until(result.performed[0]!.receipt())
  await verifyEnvelope(crypto, 'receipt', receipt)
  const verified = await call(world, { level: { level: 'self' } })
  expect(verified.performed[0]!.executor).toBe(peer.peerId)
  expect(verified).toMatchObject({ executions: 2, disputes: [] })
})

describe('a receipt with another', () => {
  test.each(FAULTS)('%s is E_RECEIPT at none, and counts for nothing at self', async (field, fault) => {
    const world = await callerAnd(`fault ${field}`, 0)
    const outcome = await trueOutcome(world)
    const peer = await executor(world, faulty(outcome, fault))
    const result = await call(world)
    expect(returned(result)).toBe(42)
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject({
      code: 'E_RECEIPT',
      fields: { field },
    })
    isMisbehaviour(world, peer, 'E_RECEIPT')
    expect(peer.closed).toBeUndefined()
    await world.clock.advance(61_000)
    const verified = await call(world, { level: { level: 'self' } })
    expect(verified.performed.map(({ executor: who }) => who)).toEqual([world.peers[0]!.peerId])
    expect(verified).toMatchObject({ executions: 2, disputes: [] })
  })
})

describe('a trace that was asked for', () => {
  const traced = (...ticks: number[]): Fault => {
    const trace = ticks.map((tick) => ({ tick, hash: new Uint8Array(32) }))
    return (receipt) => ({ ...receipt, trace })
  }
  const receiptWith = async (name: string, fault: Fault) => {
    const world = await callerAnd(name, 0)
    await executor(world, faulty(await trueOutcome(world), fault))
    const result = await call(world, { traceTicks: 4, fresh: true })
    return world.until(result.performed[0]!.receipt())
  }

  test('is the word of its executor', async () => {
    const { payload } = await receiptWith('traced', traced(0, 5, 9))
    expect(Receipt.decode(payload).trace).toHaveLength(3)
  })

  test.each<[string, Fault]>([
    ['is missing', (receipt) => receipt],
    ['goes back', traced(0, 8, 4)],
    ['is denser', traced(0, 4, 7)],
  ])('and %s is E_RECEIPT', async (name, fault) => {
    await expect(receiptWith(name, fault)).rejects.toMatchObject({ code: 'E_RECEIPT', fields: { field: 'trace' } })
  })
})

describe('at a quorum, an answer does not count whose receipt', () => {
  const expectOthers = async (world: World, peer: ScriptedPeer, outcome: Outcome) => {
    let met = 0
    for (let i = 0; i < 15; i++) {
      const result = await call(world, { level: { level: 'quorum', n: 2 } })
      expect(returned(result)).toBe(42)
      expect(result.performed.map(({ executor: who }) => who)).not.toContain(peer.peerId)
      expect(result.disputes).toEqual([])
      if (result.executions === 3) met++
      await world.clock.advance(61_000)
    }
    expect(outcome.result.ok).toBe(true)
    expect(met).toBeGreaterThan(0)
  }

  test('names another task', async () => {
    const world = await callerAnd('quorum task', 2)
    const outcome = await trueOutcome(world)
    await expectOthers(world, await executor(world, faulty(outcome, FAULTS[0]![1])), outcome)
  })

  test('does not come', async () => {
    const world = await callerAnd('quorum missing', 2)
    const outcome = await trueOutcome(world)
    const peer = await executor(world, async (one, { items }) =>
      one.send({ t: 'answers', items: items.map(({ id }) => ({ id, outcome: Outcome.encode(outcome) })) }),
    )
    await expectOthers(world, peer, outcome)
  })
})

test.each([
  ['of one that goes on talking is held against it', 2500, true],
  ['of one that falls silent before it is due is not: perhaps it has moved', 1500, false],
  ['of one that has fallen silent is not: perhaps it sleeps', undefined, false],
])(
  'a receipt that does not come within 5 s, %s; self does not wait longer, and then asks others',
  async (name, talksAfterMs, isBlamed) => {
    const world = await callerAnd(name, 1)
    const outcome = await trueOutcome(world)
    const peer = await executor(world, async (one, { items }) => {
      one.send({ t: 'answers', items: items.map(({ id }) => ({ id, outcome: Outcome.encode(outcome) })) })
      if (talksAfterMs) world.clock.after(talksAfterMs, () => one.send({ t: 'progress', items: [] }))
    })
    const took: number[] = []
    for (let i = 0; i < 20; i++) {
      const fromMs = world.clock.monotonic()
      const result = await call(world, { level: { level: 'self' } })
      expect(returned(result)).toBe(42)
      took.push(world.clock.monotonic() - fromMs)
    }
    const late = took.filter((ms) => ms > 1000)
    expect(late).toHaveLength(1)
    expect(late[0]).toBeGreaterThanOrEqual(5000)
    expect(late[0]).toBeLessThanOrEqual(5100)
    if (isBlamed) isMisbehaviour(world, peer, 'E_RECEIPT')
    else expect(world.peers[0]!.events.filter((event) => event.name === 'peer.misbehaved')).toEqual([])
  },
)

describe('receipts that are broken', () => {
  const sending = async (
    name: string,
    batch: (peer: ScriptedPeer, right: Uint8Array[]) => Promise<FrameOf<'receipts'>['signed']>,
  ) => {
    const world = await callerAnd(name, 0)
    const outcome = await trueOutcome(world)
    const peer = await executor(world, async (one, invoke) => {
      const ids = invoke.items.map(({ id }) => id)
      one.send({ t: 'answers', items: ids.map((id) => ({ id, outcome: Outcome.encode(outcome) })) })
      const right = ids.map((_, i) => Receipt.encode(one.receiptOf(invoke, i, outcome)))
      one.send({ t: 'receipts', ids, signed: await batch(one, right) })
    })
    return { world, peer, result: await call(world) }
  }

  test('a signature by another key: E_SIGNATURE, and the link is closed', async () => {
    const { world, peer, result } = await sending('signature', async (one, right) => {
      const { payloads, signature } = await one.signBatch('receipt', right)
      return { payloads, signature: signature.map((byte) => byte ^ 1) }
    })
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject({ code: 'E_SIGNATURE' })
    isMisbehaviour(world, peer, 'E_SIGNATURE')
    expect(peer.closed).toBeDefined()
  })

  test('a signature made for another kind of record', async () => {
    const { world, result } = await sending('kind', (one, right) => one.signBatch('invocation', right))
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject({ code: 'E_SIGNATURE' })
  })

  test('bytes that are no receipt, rightly signed', async () => {
    const { world, result } = await sending('garbage', (one) => one.signBatch('receipt', [Uint8Array.of(0xf6)]))
    const failure = { code: 'E_RECEIPT', fields: { field: 'encoding' } }
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject(failure)
  })

  test('fewer receipts than ids', async () => {
    const { world, peer, result } = await sending('fewer', async (one, right) => {
      const batch = await one.signBatch('receipt', [...right, ...right])
      return batch
    })
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject({ code: 'E_EXECUTOR_LOST' })
    isMisbehaviour(world, peer, 'E_MESSAGE')
  })
})

describe('the journal of a receipt', () => {
  const request = (n: number, after: number): JournalEntry => {
    return { entry: 'request', n, after, kind: 'call', arguments: encodeValue(n) }
  }
  const answer = (n: number): JournalEntry => ({ entry: 'answer', n, answer: { ok: true, value: encodeValue(-n) } })
  const outcome = outcomeOf(1)
  const outcomeBytes = Outcome.encode(outcome)
  const execution = (journal: JournalEntry[]): Execution => ({
    ...{ mesh: otherCid, invocation: otherCid, task: otherCid, inputBytes: 1, attempt: 1, epoch: 0, journal, outcome },
    template: {
      ...{ function: otherCid, export: 'default' },
      environment: {
        ...{ engine: `quickjs:${'1'.repeat(64)}`, protocol: 1 },
        limits: { fuel: 1, memory_bytes: 1, output_bytes: 1 },
      },
    },
    ...{ executor: anotherKey, home: anotherKey, outcomeBytes, outcomeCid: recordCid(crypto, outcomeBytes) },
    traceTicks: undefined,
  })
  const atHome = [request(0, 0), request(1, 0), answer(1), request(2, 1), answer(0), answer(2)]

  test.each([3, 4, 5, 6])('may end before answers that were on their way: %i entries', (length) => {
    const answers = length - 3
    const there = [request(0, 0), request(1, 0), request(2, 1), ...[answer(1), answer(0), answer(2)].slice(0, answers)]
    const payload = receiptBytes(crypto, execution(there))
    expect(receiptFault(crypto, execution(upTo(atHome, length)), payload)).toBeUndefined()
  })

  test.each([
    ['lacks a request', [request(0, 0), request(1, 0), answer(1), answer(0), answer(2)]],
    ['has an answer that was never given', [...atHome, answer(3)]],
    ['has another answer', [request(0, 0), request(1, 0), request(2, 1), answer(0)]],
    ['is empty', []],
  ])('must not be one that %s', (_, there) => {
    const asSaid = execution(upTo(atHome, there.length))
    expect(receiptFault(crypto, asSaid, receiptBytes(crypto, execution(there)))).toBe('journal')
  })
})

describe('the draw of a verifier', () => {
  /** What each executor was asked and told, in the order of asking. */
  const drawn = async (name: string, n: number) => {
    const world = await callerAnd(name, 0)
    const outcome = await trueOutcome(world)
    const asked: { peer: ScriptedPeer; invoke: FrameOf<'invoke'>; receipt: Uint8Array }[] = []
    const peers: ScriptedPeer[] = []
    for (let i = 0; i < 5; i++) {
      const act = async (peer: ScriptedPeer, invoke: FrameOf<'invoke'>) => {
        asked.push({ peer, invoke, receipt: Receipt.encode(peer.receiptOf(invoke, 0, outcome)) })
        await peer.perform(invoke, outcome)
      }
      peers.push(await executor(world, act))
    }
    await call(world, { level: { level: 'quorum', n } })
    await world.clock.advance(0)
    return { peers: peers.map(({ peerId }) => peerId).sort(), asked }
  }

  test('can be checked by the executor before it, once the secret is out', async () => {
    const { peers, asked } = await drawn('checked', 3)
    expect(asked).toHaveLength(3)
    const [root] = asked
    const invocation = Invocation.decode(root!.invoke.signed.payloads[0]!)
    const [verdict] = root!.peer.all('verdict')
    expect(verdict).toMatchObject({ verdict: 'agreed' })
    expect(sha256(verdict!.secret)).toEqual(invocation.draw.commitment)
    expect(recordCid(crypto, encodeCanonical(peers)).equals(invocation.draw.candidates)).toBe(true)
    const before: string[] = []
    for (const [round, { peer, receipt }] of asked.entries()) {
      before.push(peer.peerId)
      const next = asked[round + 1]
      if (!next) break
      const numberOf = (one: string) => {
        const digest = sha256(verdict!.secret, sha256(receipt), Uint8Array.of(round + 1), Buffer.from(one))
        return Buffer.from(digest).readUIntBE(0, 6)
      }
      const left = peers.filter((one) => !before.includes(one))
      expect(next.peer.peerId).toBe(left.sort((a, b) => numberOf(a) - numberOf(b))[0])
    }
  })

  test('looks to the verifier like any other call: nothing says that it verifies', async () => {
    const { asked } = await drawn('alike', 2)
    const [first, second] = asked.map(({ invoke }) => invoke)
    expect(Object.keys(second!)).toEqual(Object.keys(first!))
    expect(second!.items[0]).toMatchObject({ attempt: first!.items[0]!.attempt, epoch: first!.items[0]!.epoch })
    const [one, other] = [first, second].map((invoke) => Invocation.decode(invoke!.signed.payloads[0]!))
    expect(other!.nonce).not.toEqual(one!.nonce)
    expect(other!.draw.commitment).not.toEqual(one!.draw.commitment)
    expect(other!.task.equals(one!.task)).toBe(true)
  })

  test('each executor that was compared gets the secret of its own invocation with the verdict', async () => {
    const { asked } = await drawn('own secret', 2)
    for (const { peer, invoke } of asked) {
      const payload = invoke.signed.payloads[0]!
      const [verdict] = peer.all('verdict')
      expect(verdict!.invocation.equals(recordCid(crypto, payload))).toBe(true)
      expect(sha256(verdict!.secret)).toEqual(Invocation.decode(payload).draw.commitment)
    }
  })
})

describe('a receipt file', () => {
  const fileOf = async (world: World, result: CallResult) =>
    ReceiptFile.decode(await world.until(receiptFileOf(result, (cid) => world.peers[0]!.peer.block(cid))))

  test('carries receipts that stand alone, the invocations they answer, and every block they name', async () => {
    const world = await callerAnd('file', 2)
    const file = await fileOf(world, await call(world, { level: { level: 'quorum', n: 2 } }))
    expect(file.receipts).toHaveLength(2)
    const held = new Set(file.blocks.map((bytes) => recordCid(crypto, bytes).toString()))
    for (const [i, signed] of file.receipts.entries()) {
      await verifyEnvelope(crypto, 'receipt', signed)
      await verifyEnvelope(crypto, 'invocation', file.invocations[i]!)
      const receipt = Receipt.decode(signed.payload)
      expect(recordCid(crypto, file.invocations[i]!.payload).equals(receipt.invocation)).toBe(true)
      expect(held).toContain(receipt.task.toString())
      expect(held).toContain(receipt.outcome.toString())
    }
  })

  test('shows a path or a place that was changed', async () => {
    const world = await callerAnd('path', 1)
    const double = await publish(world.peers[0]!, DOUBLE)
    const calls = Array.from({ length: 5 }, (_, i) => world.peers[0]!.peer.call(requestOf(double, i)))
    const results = await world.until(Promise.all(calls))
    const signed = await world.until(results[3]!.performed[0]!.receipt())
    expect(signed.path.length).toBeGreaterThan(0)
    await verifyEnvelope(crypto, 'receipt', signed)
    const changes: Partial<Envelope>[] = [
      { path: signed.path.slice(1) },
      { path: signed.path.map((hash, i) => (i === 0 ? hash.map((byte) => byte ^ 1) : hash)) },
      { index: (signed.index + 1) % signed.size },
      { size: signed.size + 1 },
    ]
    for (const change of changes)
      await expect(verifyEnvelope(crypto, 'receipt', { ...signed, ...change })).rejects.toMatchObject({
        code: 'E_SIGNATURE',
      })
  })
})
