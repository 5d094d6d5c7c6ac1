import { describe, expect, test } from 'vitest'
import { ensureCid, rawCid, recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { Receipt, ReceiptFile } from '../protocol/records.ts'
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
  wrongOutcome,
} from '../scripts/test/receipt-files.ts'
import { machine, publish, requestOf, returned } from '../scripts/test/world.ts'
import type { WorldPeer } from '../simulations/world.ts'
import type { Performed } from './calls.ts'
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

  test('about a function with requests convicts nobody: no home has signed its journal', async () => {
    const world = await callerAnd('lie with requests', {})
    const { performed } = await callAt(world, 'none', 3, SUM)
    const [execution] = performed as [Performed]
    const right = await world.until(execution.receipt())
    const signer = someone('lies about requests')
    const outcome = recordCid(crypto, wrongOutcome(71))
    const lie = { ...Receipt.decode(right.payload), executor: signer.peerId, outcome }
    const wrong = await signer.sign('receipt', Receipt.encode(lie))
    const disputed = (receipt: Envelope) =>
      proofOf(world, { liar: receipt.signer, receipts: [receipt, right], execution })
    expect((await disputed(wrong)).journal.length).toBeGreaterThan(0)
    expect(await verdictsOf(await disputed(right))).toEqual(['right'])
    const [checked] = await verify(await disputed(wrong))
    expect(checked).toMatchObject({ verdict: 'unusable', code: 'E_VERIFICATION_FAILED' })
    expect(checked).toHaveProperty('reason', expect.stringContaining('convicts nobody'))
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
    const [checked] = await verify(proof, `quickjs:${'2'.repeat(64)}`)
    expect(checked).toMatchObject({ verdict: 'unusable', code: 'E_ENGINE_UNAVAILABLE' })
    expect(checked).not.toHaveProperty('gives')
  })

  test('is about a run that requests what its journal has not got, or waits for ever', async () => {
    const world = await callerAnd('endless', {})
    const file = await fileOf(world, await callAt(world, 'none', 3, SUM))
    const signer = someone('endless')
    const { verify: verifyHere, clock } = elsewhere()
    const receipt = { ...receiptIn(file), executor: signer.peerId }
    const withJournal = async (journal: ReceiptFile['journal']): Promise<ReceiptFile> => {
      let head: Uint8Array = receipt.invocation.multihash.digest
      for (const entry of journal) head = crypto.hash(Buffer.concat([head, encodeCanonical(entry)]))
      const payload = Receipt.encode({ ...receipt, journal: { head, length: journal.length } })
      return { ...file, journal, receipts: [await signer.sign('receipt', payload)] }
    }
    for (const [length, why] of [
      [0, 'request 0 (call) is not in its journal'],
      [1, 'it waits for an answer'],
      [2, 'request 1 (call) is not in its journal'],
    ] as const) {
      const checking = verifyHere(ReceiptFile.encode(await withJournal(file.journal.slice(0, length))))
      await clock.advance(1000)
      const [checked] = (await checking).receipts
      expect(checked).toMatchObject({
        verdict: 'unusable',
        code: 'E_INCONCLUSIVE',
        reason: expect.stringContaining(why),
      })
    }
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
