import { describe, expect, test } from 'vitest'
import { rawCid, recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { Invocation, Receipt, ReceiptFile } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import { mutate, sampleOf } from '../scripts/protocol/mutate.ts'
import {
  callAt,
  callerAnd,
  elsewhere,
  fileOf,
  liar,
  proofOf,
  receiptIn,
  type Someone,
  SUM,
  someone,
  verdictsOf,
  verify,
  wrongOutcome,
} from '../scripts/test/receipt-files.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { machine } from '../scripts/test/world.ts'

const { crypto } = machine

/** Nobody honest is convicted, whoever made the file: `signers` are the keys of others, `file` is of honest ones. */
describe('framing fails by', () => {
  const honest = async (name: string, input = 21, level = 'none') => {
    const world = await callerAnd(name, {}, {})
    return { world, file: await fileOf(world, await callAt(world, level, input)) }
  }

  test('a forged signature', async () => {
    const { file } = await honest('signature')
    const [signed] = file.receipts as [Envelope]
    const payload = Receipt.encode({ ...receiptIn(file), outcome: recordCid(crypto, wrongOutcome(43)) })
    const forged = await someone('forger').sign('receipt', payload)
    const asInvocation = await someone('forger').sign('invocation', payload)
    const attempts: Envelope[] = [
      { ...signed, payload },
      { ...forged, signer: signed.signer },
      { ...signed, signature: signed.signature.map((byte) => byte ^ 1) },
      { ...signed, index: 1, size: 2, path: [new Uint8Array(32)] },
      { ...signed, index: signed.size, size: signed.size },
      asInvocation,
    ]
    for (const one of attempts) expect(await verdictsOf({ ...file, receipts: [one] })).toEqual(['unusable E_SIGNATURE'])
    // Signed by the forger in his own name, it is about somebody who has not signed.
    expect(await verdictsOf({ ...file, receipts: [forged] })).toEqual(['unusable E_RECEIPT'])
  })

  test('a forged invocation', async () => {
    const { file } = await honest('invocation')
    const [signed] = file.invocations as [Envelope]
    const stranger = someone('stranger')
    expect(
      await verdictsOf({ ...file, invocations: [{ ...signed, signature: signed.signature.map((byte) => byte ^ 1) }] }),
    ).toEqual(['unusable E_SIGNATURE'])
    const resigned = await stranger.sign('invocation', signed.payload)
    expect(await verdictsOf({ ...file, invocations: [resigned] })).toEqual(['unusable E_RECEIPT'])
    const own = { ...Invocation.decode(signed.payload), invoker: stranger.peerId }
    const replaced = await stranger.sign('invocation', Invocation.encode(own))
    expect(await verdictsOf({ ...file, invocations: [replaced] })).toEqual(['unusable E_RECEIPT'])
  })

  test('a swapped receipt: of another task, beside the invocation and the blocks of this one', async () => {
    const world = await callerAnd('swapped', {}, {})
    const [one, other] = [
      await fileOf(world, await callAt(world, 'none', 1)),
      await fileOf(world, await callAt(world, 'none', 2)),
    ]
    expect(await verdictsOf({ ...one, receipts: other.receipts })).toEqual(['unusable E_RECEIPT'])
    const both = { ...one, receipts: other.receipts, invocations: other.invocations }
    expect(await verdictsOf(both)).toEqual(['unusable E_BLOCK_MISSING'])
    const inOrder = { ...both, blocks: [...one.blocks, ...other.blocks] }
    expect(await verdictsOf(inOrder)).toEqual(['right'])
    const crossed = {
      ...inOrder,
      receipts: [...one.receipts, ...other.receipts],
      invocations: [...other.invocations, ...one.invocations],
    }
    expect(await verdictsOf(crossed)).toEqual(['unusable E_RECEIPT', 'unusable E_RECEIPT'])
  })

  test('a replayed receipt: of another invocation of the same task', async () => {
    const world = await callerAnd('replayed', {})
    const [one, other] = [
      await fileOf(world, await callAt(world, 'none')),
      await fileOf(world, await callAt(world, 'none')),
    ]
    expect(receiptIn(one).task.equals(receiptIn(other).task)).toBe(true)
    expect(await verdictsOf({ ...one, invocations: other.invocations })).toEqual(['unusable E_RECEIPT'])
  })

  test('a forged journal', async () => {
    const world = await callerAnd('journal', {}, {})
    const file = await fileOf(world, await callAt(world, 'quorum:2', 3, SUM))
    const lied = file.journal.map((entry) =>
      entry.entry === 'answer' ? { ...entry, answer: { ok: true as const, value: encodeValue(1) } } : entry,
    )
    for (const journal of [
      lied,
      [],
      file.journal.slice(1),
      [...file.journal, ...file.journal],
      file.journal.toReversed(),
    ])
      for (const verdict of await verdictsOf({ ...file, journal }))
        expect(verdict).toMatch(/^(right|unusable E_RECEIPT)$/)
    expect(await verdictsOf({ ...file, journal: lied })).toEqual(['unusable E_RECEIPT', 'unusable E_RECEIPT'])
  })

  test('a journal beside a receipt that has none', async () => {
    const { file } = await honest('none')
    const answer = { entry: 'answer', n: 0, answer: { ok: true, value: encodeValue(1) } } as const
    const request = { entry: 'request', n: 0, after: 0, kind: 'call', arguments: encodeValue(1) } as const
    // Answers that nobody asked for were not signed over, and count for nothing.
    expect(await verdictsOf({ ...file, journal: [answer] })).toEqual(['right'])
    expect(await verdictsOf({ ...file, journal: [request, answer] })).toEqual(['unusable E_RECEIPT'])
  })

  test('two who sign the same wrong outcome: they convict themselves, and nobody else', async () => {
    const { file } = await honest('slander')
    const [right] = file.receipts as [Envelope]
    const [invocation] = file.invocations as [Envelope]
    const pair = [someone('one of a pair'), someone('other of a pair')] as [Someone, Someone]
    const outcome = wrongOutcome(43)
    const lie = async ({ peerId, sign }: Someone) =>
      sign('receipt', Receipt.encode({ ...receiptIn(file), executor: peerId, outcome: recordCid(crypto, outcome) }))
    const lies = await Promise.all(pair.map(lie))
    const slander = {
      ...file,
      receipts: [...lies, right],
      invocations: [invocation, invocation, invocation],
      blocks: [...file.blocks, outcome],
    }
    const checked = await verify(slander)
    expect(checked.map(({ verdict }) => verdict)).toEqual(['wrong', 'wrong', 'right'])
    expect(checked.map(({ signer }) => signer)).toEqual([pair[0].peerId, pair[1].peerId, right.signer])
    expect(await verdictsOf({ ...slander, receipts: [{ ...lies[0]!, signer: right.signer }] })).toEqual([
      'unusable E_SIGNATURE',
    ])
  })

  test('a checkpoint that its home made up: nobody is convicted by a receipt that has one', async () => {
    const { file } = await honest('checkpoint')
    const signer = someone('went on from a checkpoint')
    const wrong = { ...receiptIn(file), executor: signer.peerId, outcome: recordCid(crypto, wrongOutcome(43)) }
    const at = { answers: 0, state: [rawCid(crypto, Uint8Array.of(7))] }
    const verdictsAbout = async (receipt: Receipt) =>
      verdictsOf({ ...file, receipts: [await signer.sign('receipt', Receipt.encode(receipt))] })
    expect(await verdictsAbout({ ...wrong, at })).toEqual(['unusable E_RECEIPT'])
    expect(await verdictsAbout(wrong)).toEqual(['wrong'])
    expect(await verdictsAbout({ ...wrong, outcome: receiptIn(file).outcome, at })).toEqual(['right'])
  })

  test('a receipt that contradicts its own invocation or task', async () => {
    const { file } = await honest('contradicting')
    const signer = someone('contradicting')
    const other = recordCid(crypto, Uint8Array.of(7))
    const receipt = { ...receiptIn(file), executor: signer.peerId }
    const changes: Partial<Receipt>[] = [
      { mesh: other },
      { task: other },
      { home: signer.peerId },
      { engine: `quickjs:${'2'.repeat(64)}` },
      { limits: { ...receipt.limits, fuel: 1 } },
      { journal: { ...receipt.journal, length: 1 } },
      { journal: { ...receipt.journal, head: new Uint8Array(32) } },
      { usage: { ...receipt.usage, fuel: 1 } },
    ]
    for (const change of changes) {
      const receipts = [await signer.sign('receipt', Receipt.encode({ ...receipt, ...change }))]
      expect([change, await verdictsOf({ ...file, receipts })]).toEqual([change, ['unusable E_RECEIPT']])
    }
    const receipts = [await signer.sign('receipt', Receipt.encode(receipt))]
    expect(await verdictsOf({ ...file, receipts })).toEqual(['right'])
    expect(await verdictsOf({ ...file, receipts: [await signer.sign('receipt', Uint8Array.of(0xf6))] })).toEqual([
      'unusable E_MESSAGE',
    ])
  })
})

test('10,000 changed files end in a refusal or a verdict, and convict nobody whose receipt was changed', async () => {
  const world = await callerAnd('mutated', liar, {}, {})
  const good = ReceiptFile.encode(await fileOf(world, await callAt(world, 'quorum:2')))
  const lying = await callerAnd('mutated proof', liar)
  const proof = await proofOf(lying, (await callAt(lying, 'self')).disputes[0]!)
  const calling = await callerAnd('mutated journal', liar)
  const called = await proofOf(calling, (await callAt(calling, 'self', 3, SUM)).disputes[0]!)
  const samples = [good, ReceiptFile.encode(proof), ReceiptFile.encode(called)].map((bytes) => sampleOf(bytes, false))
  const signedLies = [...ReceiptFile.decode(good).receipts, ...proof.receipts, ...called.receipts]
    .filter(({ signer }) => [world, lying, calling].some(({ peers }) => peers[1]!.peerId === signer))
    .map(({ payload }) => payload.join())
  const random = randomFor('mutations')
  const { verify: verifyHere } = elsewhere()
  const met = new Map<string, number>()
  const count = (what: string) => met.set(what, (met.get(what) ?? 0) + 1)
  for (let i = 0; i < 10_000; i++) {
    const bytes = mutate(random, samples[i % 3]!, samples[(i + 1) % 3]!)
    const found = await verifyHere(bytes).catch((cause) => cause)
    if (found instanceof MeshError) {
      expect(['E_MESSAGE', 'E_MESSAGE_LIMIT']).toContain(found.code)
      count('refused')
      continue
    }
    expect(found.twoFaced).toEqual([])
    const { receipts } = ReceiptFile.decode(bytes)
    for (const [at, checked] of found.receipts.entries()) {
      count(checked.verdict)
      if (checked.verdict === 'wrong') expect(signedLies).toContain(receipts[at]!.payload.join())
    }
  }
  for (const what of ['refused', 'right', 'wrong', 'unusable'])
    expect([what, met.get(what) ?? 0]).not.toEqual([what, 0])
})
