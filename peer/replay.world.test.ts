import { describe, expect, test } from 'vitest'
import { recordCid } from '../protocol/cid.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { ReceiptFile, Task } from '../protocol/records.ts'
import { decodeValue } from '../protocol/values.ts'
import type { FunctionBundle } from '../registry/functions.ts'
import { callAt, callerAnd, elsewhere, fileOf, liar, proofOf, receiptIn, SUM } from '../scripts/test/receipt-files.ts'
import { machine } from '../scripts/test/world.ts'
import type { Changed } from './replay.ts'

const recordedFile = async (name: string, code = SUM): Promise<ReceiptFile> => {
  const world = await callerAnd(name, {})
  return fileOf(world, await callAt(world, 'none', 3, code))
}

const replay = (file: ReceiptFile, ...rest: [Parameters<ReturnType<typeof elsewhere>['replay']>[1]?, string[]?]) =>
  elsewhere().replay(ReceiptFile.encode(file), ...rest)

const changed = (code: string, effects: FunctionBundle['effects'] = ['call']): { changed: Changed } => {
  const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
  const bytes = new TextEncoder().encode(code)
  return {
    changed: { bundle: { name: 'changed', code: bytes, exports: ['default'], effects, limits }, exportName: 'default' },
  }
}

test('what was recorded comes out the same, bit for bit', async () => {
  const replayed = await replay(await recordedFile('same'))
  expect(replayed).toMatchObject({ functionName: 'tested', difference: undefined, stopped: undefined })
  const { result, requests } = replayed.gives!
  expect(result.ok && decodeValue(result.value)).toBe(70)
  expect(requests).toHaveLength(2)
})

test('what a liar signed differs', async () => {
  const world = await callerAnd('liar', liar)
  const result = await callAt(world, 'self')
  const { difference } = await replay(await proofOf(world, result.disputes[0]!))
  expect(difference).toEqual({ part: 'outcome' })
})

describe('until a request', () => {
  test('shows it, and nothing is made of what came later', async () => {
    const file = await recordedFile('until')
    const { stopped, gives, difference } = await replay(file, { until: 1 })
    expect({ gives, difference }).toEqual({ gives: undefined, difference: undefined })
    expect(stopped?.request).toMatchObject({ n: 1, after: 1, kind: 'call' })
    expect(decodeValue(stopped!.request.arguments)).toEqual({ ref: '#part', input: 4 })
    expect(stopped).toMatchObject({ console: [] })
    expect(stopped?.fuel).toBeGreaterThan(0)
  })

  test('of changed code, with what that printed', async () => {
    const code = 'export default async (x, env, ctx) => { console.log("now"); return ctx.call("#part", 7 * x) }'
    const { stopped } = await replay(await recordedFile('until changed'), { until: 0, ...changed(code) })
    expect(decodeValue(stopped!.request.arguments)).toEqual({ ref: '#part', input: 21 })
    expect(stopped?.console?.map(({ text }) => text)).toEqual(['now'])
  })
})

describe('changed code', () => {
  const TWO = '(await ctx.call("#part", x)) + (await ctx.call("#part", x + 1))'
  const recorded = (n: number, after: string, input: string) =>
    `request ${n} after ${after}: call {"ref":"#part","input":${input}}`

  test.each<[what: string, body: string, difference: object | undefined]>([
    ['that asks and gives the same', `console.log("more"); return ${TWO}`, undefined],
    ['that gives something else', `return 1 + ${TWO}`, { part: 'outcome' }],
    ['that throws', `${TWO}; throw new Error("oh")`, { part: 'outcome' }],
    [
      'with other arguments',
      'return (await ctx.call("#part", x)) + (await ctx.call("#part", x + 2))',
      { part: 'request', n: 1, expected: recorded(1, '1 answer', '4'), found: recorded(1, '1 answer', '5') },
    ],
    [
      'that asks too early',
      'const a = ctx.call("#part", x); const b = ctx.call("#part", x + 1); return await a + await b',
      { part: 'request', n: 1, expected: 'to wait for the answer to request 0', found: recorded(1, '0 answers', '4') },
    ],
    [
      'that asks for less',
      'return 10 + 2 * (await ctx.call("#part", x))',
      { part: 'request', n: 1, expected: recorded(1, '1 answer', '4'), found: 'the end of the run' },
    ],
    [
      'that asks for more',
      `return ${TWO} + (await ctx.call("#part", 9))`,
      { part: 'request', n: 2, expected: 'no further request', found: recorded(2, '2 answers', '9') },
    ],
  ])('%s', async (_, body, difference) => {
    const code = `export default async (x, env, ctx) => { ${body} }`
    const { difference: found } = await replay(await recordedFile('changed'), changed(code))
    expect(found).toEqual(difference)
  })

  test('has the chance of the recorded run', async () => {
    const file = await recordedFile('chance', 'export default () => Math.random()')
    expect((await replay(file, changed('export default () => Math.random() ', []))).difference).toBeUndefined()
  })

  test('of another tier than the engine runs is refused', async () => {
    const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    const { changed: javascript } = changed('export default 1')
    const bundle = { ...javascript.bundle, tier: 'webassembly' as const, code: wasm, effects: [] }
    const file = await recordedFile('tier')
    const refused = expect(replay(file, { changed: { ...javascript, bundle } })).rejects
    await refused.toMatchObject({ code: 'E_USAGE' })
  })
})

describe('is refused, and why:', () => {
  test.each<[what: string, change: (journal: JournalEntry[]) => JournalEntry[], says: RegExp]>([
    ['a gap', (journal) => journal.slice(2), /not whole: request 1 stands where request 0 should/],
    [
      'an answer twice',
      (journal) => [...journal.slice(0, 2), journal[1]!, ...journal.slice(2)],
      /not whole: an answer to request 0, which waits for none/,
    ],
    ['no end', (journal) => journal.slice(0, 3), /ends after 3 entries, and the receipt was signed over 4/],
    [
      'a changed entry',
      (journal) =>
        journal.map((one) =>
          one.entry === 'answer' ? { ...one, answer: { ok: true, value: Uint8Array.of(1) } } : one,
        ),
      /another journal than that in the file: an entry was changed, or it is that of another invocation/,
    ],
  ])('a journal with %s', async (_, change, says) => {
    const file = await recordedFile('journal')
    const refused = expect(replay({ ...file, journal: change(file.journal) })).rejects
    await refused.toMatchObject({ code: 'E_RECEIPT', message: expect.stringMatching(says) })
  })

  test('the journal of another invocation', async () => {
    const [file, other] = [await recordedFile('one'), await recordedFile('other')]
    const swapped = { ...file, journal: other.journal.map((one) => ({ ...one })) }
    // The entries are alike: only the invocation tells them apart.
    expect(swapped.journal).toEqual(file.journal)
    await expect(replay({ ...file, invocations: other.invocations })).rejects.toMatchObject({ code: 'E_RECEIPT' })
    await expect(replay({ ...file, heads: other.heads })).rejects.toMatchObject({ code: 'E_RECEIPT' })
  })

  test('blocks that are missing, by their CIDs', async () => {
    const file = await recordedFile('blocks')
    for (const [i, bytes] of file.blocks.slice(0, 4).entries()) {
      const blocks = file.blocks.filter((_, at) => at !== i)
      await expect(replay({ ...file, blocks })).rejects.toMatchObject({ code: 'E_BLOCK_MISSING' })
      expect(bytes.length).toBeGreaterThan(0)
    }
    const outcome = receiptIn(file).outcome
    const blocks = file.blocks.filter((bytes) => !recordCid(machine.crypto, bytes).equals(outcome))
    expect((await replay({ ...file, blocks })).difference).toBeUndefined()
    const refused = expect(replay({ ...file, blocks }, changed('export default 1', []))).rejects
    await refused.toMatchObject({ code: 'E_BLOCK_MISSING' })
  })

  test('an engine that is not here', async () => {
    const file = await recordedFile('engine')
    const { environment } = Task.decode(file.blocks[0]!)
    const refused = expect(replay(file, {}, ['quickjs:other'])).rejects
    await refused.toMatchObject({ code: 'E_ENGINE_UNAVAILABLE', fields: { engine: environment.engine } })
  })

  test('a file without a receipt', async () => {
    const file = await recordedFile('none')
    await expect(replay({ ...file, receipts: [] })).rejects.toMatchObject({ code: 'E_MESSAGE' })
  })
})
