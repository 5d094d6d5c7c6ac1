import { describe, expect, test } from 'vitest'
import { ensureCid, rawCid, recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { Invocation, JournalHead, Receipt, ReceiptFile } from '../protocol/records.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import {
  callAt,
  callerAnd,
  elsewhere,
  fileOf,
  liar,
  proofOf,
  receiptIn,
  SUM,
  someone,
  verdictOf,
  verdictsOf,
  verify,
} from '../scripts/test/receipt-files.ts'
import { machine, publish, requestOf, returned } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { WorldPeer } from '../simulations/world.ts'
import { headBytes } from './journal-heads.ts'
import { headOf } from './receipts.ts'
import type { CheckedReceipt } from './verify-file.ts'

const { crypto } = machine

const says = ({ says: outcome }: CheckedReceipt) => outcome?.result.ok && decodeValue(outcome.result.value)

describe('an honest file', () => {
  test.each(['none', 'self', 'quorum:2'])('is right at %s: each receipt, by whoever signed it', async (level) => {
    const world = await callerAnd(`honest ${level}`, {}, {})
    const result = await callAt(world, level)
    const checked = await verify(await fileOf(world, result))
    expect(checked.map(verdictOf)).toEqual(result.performed.map(() => 'right'))
    expect(checked.map(({ signer }) => signer)).toEqual(result.performed.map(({ executor }) => executor))
    for (const one of checked) {
      expect(one).toMatchObject({ functionName: 'tested', task: { export: 'default' } })
      expect(one.invocation!.invoker).toBe(world.peers[0]!.peerId)
      expect(says(one)).toBe(42)
    }
  })

  test('is right where a function failed, and where it ran at home', async () => {
    const world = await callerAnd('failed at home')
    const [{ peer }] = world.peers as [WorldPeer]
    const bad = await publish(world.peers[0]!, 'export default () => { throw new Error("oh") }')
    const result = await world.until(peer.call(requestOf(bad, null, { remote: false })))
    const [checked] = await verify(await fileOf(world, result))
    expect(checked).toMatchObject({ verdict: 'right', gives: { result: { code: 'E_FUNCTION_THREW' } } })
  })

  test.each(['none', 'self', 'quorum:2'])('with requests is confirmed by its journal, at %s', async (level) => {
    const world = await callerAnd(`requests ${level}`, {}, {})
    const result = await callAt(world, level, 3, SUM)
    expect(returned(result)).toBe(70)
    const file = await fileOf(world, result)
    expect(file.journal).toHaveLength(4)
    expect(await verdictsOf(file)).toEqual(result.performed.map(() => 'right'))
  })

  test('carries each outcome once', async () => {
    const world = await callerAnd('once', {}, {})
    const { blocks } = await fileOf(world, await callAt(world, 'quorum:2'))
    expect(new Set(blocks.map((bytes) => rawCid(crypto, bytes).toString())).size).toBe(blocks.length)
  })
})

describe('a lie', () => {
  test('is shown by the proof alone, to anyone, and by the receipts of the call', async () => {
    const world = await callerAnd('proof', liar)
    const result = await callAt(world, 'self')
    const [checked, ...others] = await verify(await proofOf(world, result.disputes[0]!))
    expect(others).toEqual([])
    expect(checked).toMatchObject({ verdict: 'wrong', signer: world.peers[1]!.peerId })
    expect(says(checked!)).toBe(43)
    expect(checked!.gives!.result).toEqual({ ok: true, value: encodeValue(42) })
    const all = await verify(await fileOf(world, result))
    expect(Object.fromEntries(all.map((one) => [one.signer, one.verdict]))).toEqual({
      [world.peers[0]!.peerId]: 'right',
      [world.peers[1]!.peerId]: 'wrong',
    })
  })

  test('convicts also where the outcome that it names is not in the file', async () => {
    const world = await callerAnd('unnamed', liar)
    const proof = await proofOf(world, (await callAt(world, 'self')).disputes[0]!)
    const [checked] = await verify({ ...proof, blocks: proof.blocks.slice(0, -1) })
    expect(checked).toMatchObject({ verdict: 'wrong' })
    expect(checked).not.toHaveProperty('says')
  })

  test('about a function with requests convicts by the journal that its home has signed', async () => {
    const world = await callerAnd('lie with requests', liar)
    const result = await callAt(world, 'self', 3, SUM)
    const proof = await proofOf(world, result.disputes[0]!)
    expect(proof.journal).toHaveLength(4)
    expect(proof.heads).toHaveLength(1)
    const [checked] = await verify(proof)
    expect(checked).toMatchObject({ verdict: 'wrong', signer: world.peers[1]!.peerId })
    expect([says(checked!), checked!.gives!.result]).toEqual([71, { ok: true, value: encodeValue(70) }])
  })

  test.each<[string, number, string]>([
    ['made no request', 0, 'it makes request 0 (call), which the journal has not got'],
    ['was given no answer', 1, 'it waits for an answer that the journal has not got'],
    ['made one request', 2, 'it makes request 1 (call), which the journal has not got'],
  ])('that a function with requests %s', async (name, length, why) => {
    const world = await callerAnd(name, {})
    const file = await fileOf(world, await callAt(world, 'none', 3, SUM))
    const { verify: verifyHere, clock } = elsewhere()
    const checking = verifyHere(ReceiptFile.encode(await cutShort(file, length)))
    await clock.advance(1000)
    expect((await checking).receipts).toMatchObject([{ verdict: 'wrong', diverged: why }])
  })
})

/** The same task, whose home and executor say that its journal ended early. */
const cutShort = async (file: ReceiptFile, length: number): Promise<ReceiptFile> => {
  const { peerId, sign } = someone('cut short')
  const asked = { ...Invocation.decode(file.invocations[0]!.payload), invoker: peerId, home: peerId }
  const invocation = await sign('invocation', Invocation.encode(asked))
  const journal = file.journal.slice(0, length)
  const named = {
    ...receiptIn(file),
    executor: peerId,
    home: peerId,
    invocation: recordCid(crypto, invocation.payload),
  }
  const receipt = { ...named, journal: headOf(crypto, named.invocation, journal) }
  const heads = length > 0 ? [await sign('journal-head', headBytes(receipt))] : []
  return {
    ...file,
    receipts: [await sign('receipt', Receipt.encode(receipt))],
    invocations: [invocation],
    heads,
    journal,
  }
}

describe('a home that signs two journals where there is one', () => {
  const file = (heads: Envelope[]) =>
    ReceiptFile.encode({ v: 1, receipts: [], invocations: [], heads, journal: [], blocks: [], verification: [] })
  const head = (changes: Partial<JournalHead> = {}, by = someone('two-faced')) => {
    const journal = { head: new Uint8Array(32).fill(1), length: 2 }
    const says = { v: 1 as const, invocation: recordCid(crypto, Uint8Array.of(1)), epoch: 0, journal }
    return by.sign('journal-head', JournalHead.encode({ ...says, ...changes }))
  }
  const other = { head: new Uint8Array(32).fill(2), length: 2 }

  test('is convicted by the two heads alone', async () => {
    const { receipts, twoFaced } = await elsewhere().verify(file([await head(), await head({ journal: other })]))
    expect(receipts).toEqual([])
    expect(twoFaced).toMatchObject([{ home: someone('two-faced').peerId, epoch: 0, length: 2 }])
  })

  test('is not, where they are of two epochs, invocations or lengths, the same, of two signers, or forged', async () => {
    const first = await head()
    const second = await head({ journal: other })
    const innocent = [
      await head({ epoch: 1, journal: other }),
      await head({ invocation: recordCid(crypto, Uint8Array.of(2)), journal: other }),
      await head({ journal: { ...other, length: 3 } }),
      await head(),
      await head({ journal: other }, someone('another home')),
      { ...second, signature: second.signature.map((byte) => byte ^ 1) },
      { ...first, payload: second.payload },
      await someone('two-faced').sign('receipt', second.payload),
      await someone('two-faced').sign('journal-head', Uint8Array.of(0xf6)),
    ]
    for (const one of innocent)
      await expect(elsewhere().verify(file([first, one]))).rejects.toMatchObject({ code: 'E_MESSAGE' })
  })
})

describe('a file that cannot be checked here', () => {
  test('names each block that it lacks', async () => {
    const world = await callerAnd('lacking', {})
    const file = await fileOf(world, await callAt(world, 'none'))
    expect(file.blocks).toHaveLength(5)
    for (const lacking of file.blocks.slice(0, 4)) {
      const [checked] = await verify({ ...file, blocks: file.blocks.filter((bytes) => bytes !== lacking) })
      const digest = [...rawCid(crypto, lacking).multihash.digest]
      expect(checked).toMatchObject({ verdict: 'unusable', code: 'E_BLOCK_MISSING' })
      const [named] = /bafk\w+|bafy\w+/.exec((checked as { reason: string }).reason)!
      expect([...ensureCid(named).multihash.digest]).toEqual(digest)
    }
  })

  test('ran on another engine', async () => {
    const world = await callerAnd('engine', liar)
    const proof = await proofOf(world, (await callAt(world, 'self')).disputes[0]!)
    const [checked] = await verify(proof, [`quickjs:${'2'.repeat(64)}`])
    expect(checked).toMatchObject({ verdict: 'unusable', code: 'E_ENGINE_UNAVAILABLE' })
    expect(checked).not.toHaveProperty('gives')
  })

  test('takes longer than there is time', async () => {
    const world = await callerAnd('endless', {})
    const file = await fileOf(world, await callAt(world, 'none'))
    const { verify: verifyHere, clock } = elsewhere({ sandboxHost: (host, on) => slowHost(host, on, () => 120_000) })
    const checking = verifyHere(ReceiptFile.encode(file))
    await clock.advance(70_000)
    expect((await checking).receipts).toMatchObject([{ verdict: 'unusable', code: 'E_INCONCLUSIVE' }])
  })

  test.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ['is empty', 'E_MESSAGE', () => new Uint8Array()],
    ['is text', 'E_MESSAGE', () => new TextEncoder().encode('{"receipts":[]}')],
    ['was cut off', 'E_MESSAGE', (bytes) => bytes.slice(0, -1)],
    ['goes on', 'E_MESSAGE', (bytes) => Uint8Array.of(...bytes, 0)],
    ['is too large', 'E_MESSAGE_LIMIT', () => new Uint8Array(ReceiptFile.bytesMax + 1)],
  ])('%s: %s', async (_, code, change) => {
    const world = await callerAnd('no file', {})
    const file = ReceiptFile.encode(await fileOf(world, await callAt(world, 'none')))
    await expect(elsewhere().verify(change(file))).rejects.toMatchObject({ code })
  })
})
