/** Traces on request: runs that differ are told apart by the tick, and nobody is accused by one. */
import { describe, expect, test } from 'vitest'
import { Invocation, Receipt, ReceiptFile, type Trace } from '../protocol/records.ts'
import { corruptingHost, marked } from '../scripts/test/corrupting-host.ts'
import { callerAnd, elsewhere, fileOf, proofOf, receiptIn, someone, verdictOf } from '../scripts/test/receipt-files.ts'
import { publish, requestOf, returned } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { QUOTA_DEFAULT } from './admission.ts'
import { ensureLevel } from './calls.ts'

const ROUNDS = 60_000
const AT_TICK = 5

const callTraced = async (world: World, level: string, code: string, traceTicks: number | null = 1) => {
  const [caller] = world.peers as [WorldPeer]
  const request = requestOf(await publish(caller, code), ROUNDS, {
    level: ensureLevel(level),
    traceTicks: traceTicks ?? undefined,
    fresh: true,
  })
  return world.until(caller.peer.call(request))
}

const check = (file: ReceiptFile) => elsewhere().verify(ReceiptFile.encode(file))

const traceIn = (file: ReceiptFile): Trace => receiptIn(file).trace!

const changed = (trace: Trace, tick: number): Trace =>
  trace.map((one) => (one.tick === tick ? { tick, hash: one.hash.map((byte) => byte ^ 1) } : one))

const PARTING = { sameTick: AT_TICK - 1, differsTick: AT_TICK }

describe('a machine whose memory loses a bit', () => {
  test('has another outcome, and its proof says at which tick it went wrong', async () => {
    const world = await callerAnd('a bit', { sandboxHost: corruptingHost(AT_TICK) })
    const result = await callTraced(world, 'self', marked(true))
    expect(result.disputes.map(({ liar }) => liar)).toEqual([world.peers[1]!.peerId])
    const proof = await proofOf(world, result.disputes[0]!)
    expect(traceIn(proof).length).toBeGreaterThan(2 * AT_TICK)
    expect((await check(proof)).receipts).toMatchObject([{ verdict: 'wrong', parting: PARTING }])
    // Both receipts of the call, which carry a trace each: nothing need be run for it.
    const { receipts, parted } = await check(await fileOf(world, result))
    expect(receipts.map(verdictOf).toSorted()).toEqual(['right', 'wrong'])
    expect(parted).toEqual([{ receipts: [0, 1], ...PARTING }])
  })

  test('with hashes further apart, between two of them', async () => {
    const world = await callerAnd('far apart', { sandboxHost: corruptingHost(AT_TICK) })
    const result = await callTraced(world, 'self', marked(true), 3)
    const { receipts } = await check(await proofOf(world, result.disputes[0]!))
    expect(receipts).toMatchObject([{ parting: { sameTick: 3, differsTick: 6 } }])
  })

  test('and the same outcome accuses nobody, and does not pass for right', async () => {
    const world = await callerAnd('the same outcome', { sandboxHost: corruptingHost(AT_TICK) })
    const result = await callTraced(world, 'self', marked(false))
    expect(result.disputes).toEqual([])
    const { receipts, parted } = await check(await fileOf(world, result))
    expect(receipts.map(verdictOf)).toEqual(['unusable E_RECEIPT', 'right'])
    expect(receipts[0]).toMatchObject({
      signer: world.peers[1]!.peerId,
      reason: 'the outcome is right, and the receipt has another trace than the run has here',
      parting: PARTING,
    })
    expect(parted).toEqual([{ receipts: [0, 1], ...PARTING }])
  })
})

describe('an honest trace', () => {
  test.each(['none', 'self', 'quorum:2'])('is the same for whoever makes it, at %s', async (level) => {
    const world = await callerAnd(`honest ${level}`, {}, {})
    const file = await fileOf(world, await callTraced(world, level, marked(true)))
    const { receipts, parted } = await check(file)
    expect(receipts.map(verdictOf)).toEqual(receipts.map(() => 'right'))
    expect(parted).toEqual([])
    const last = traceIn(file).at(-1)!.tick
    expect(traceIn(file).map(({ tick }) => tick)).toEqual(Array.from({ length: last + 1 }, (_, i) => i))
    for (const { parting } of receipts) expect(parting).toEqual({ sameTick: last, differsTick: undefined })
  })

  test('is no part of the task, and not there unless it was asked for', async () => {
    const world = await callerAnd('unasked', {})
    const plain = await callTraced(world, 'none', marked(true), null)
    const traced = await callTraced(world, 'none', marked(true))
    expect(traced.performed[0]!.item.task).toEqual(plain.performed[0]!.item.task)
    expect(returned(traced)).toBe(returned(plain))
    const file = await fileOf(world, plain)
    expect(Object.keys(receiptIn(file))).not.toContain('trace')
    expect(Object.keys(Invocation.decode(file.invocations[0]!.payload))).not.toContain('trace_ticks')
    expect((await check(file)).receipts[0]).not.toHaveProperty('parting')
  })
})

test('a traced run uses up more of a quota than it is billed for', async () => {
  const quota = { ...QUOTA_DEFAULT, fuelPerMinute: 1_000_000 }
  const world = await callerAnd('quota', { policy: { quota } })
  const [, executor] = world.peers as [WorldPeer, WorldPeer]
  const refusals = () =>
    executor.events.filter(({ name, fields }) => name === 'task.refused' && fields.code === 'E_QUOTA')
  for (let i = 0; i < 2; i++) await callTraced(world, 'none', marked(true), null)
  expect(refusals()).toEqual([])
  await callTraced(world, 'none', marked(true))
  const refused = callTraced(world, 'none', marked(true), null)
  await world.clock.advance(1000)
  expect(refusals()).not.toEqual([])
  await refused
})

describe('a lie about the memory', () => {
  /** The receipt of an honest call, signed anew by somebody who says something else. */
  const retold = async (change: (receipt: Receipt) => Receipt): Promise<ReceiptFile> => {
    const world = await callerAnd('retold', {})
    const file = await fileOf(world, await callTraced(world, 'none', marked(true)))
    const { peerId, sign } = someone('teller')
    const receipt = change({ ...receiptIn(file), executor: peerId })
    return { ...file, receipts: [await sign('receipt', Receipt.encode(receipt))] }
  }

  test('with a right outcome proves nothing, and is named', async () => {
    const file = await retold((receipt) => ({ ...receipt, trace: changed(receipt.trace!, 7) }))
    expect((await check(file)).receipts).toMatchObject([
      { verdict: 'unusable', code: 'E_RECEIPT', parting: { sameTick: 6, differsTick: 7 } },
    ])
  })

  test.each<[string, (receipt: Receipt) => Receipt]>([
    ['without hashes', (receipt) => ({ ...receipt, trace: [] })],
    ['that ends early', (receipt) => ({ ...receipt, trace: receipt.trace!.slice(0, 3) })],
    ['that is left out', ({ trace: _, ...receipt }) => receipt],
    ['with a tick twice', (receipt) => ({ ...receipt, trace: [receipt.trace![0]!, ...receipt.trace!] })],
  ])('%s proves nothing', async (_, change) => {
    expect((await check(await retold(change))).receipts).toMatchObject([{ verdict: 'unusable', code: 'E_RECEIPT' }])
  })
})
