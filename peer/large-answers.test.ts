import { expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import type { CID } from '../protocol/cid.ts'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { ANSWER_BLOCKS_MAX } from '../protocol/limits.ts'
import { splitBytes } from '../protocol/split.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { runWhole } from './large-answers.ts'
import { putsIn } from './large-puts.ts'

const bytesOf = (n: number) => Uint8Array.from({ length: n }, (_, i) => i)
const blocks = splitBytes(createCrypto(), bytesOf(100), 40)
const large: Answer = { ok: true, value: new Uint8Array(), blocks: blocks.map(({ cid }) => cid) }
const small: Answer = { ok: true, value: Uint8Array.of(7) }
const request = (n: number): JournalEntry => ({
  ...{ entry: 'request', n, after: 0, kind: 'get', arguments: new Uint8Array() },
})

/** A run that is told what it is given, and blocks that come when `let` is called. */
const scene = (journal: readonly JournalEntry[]) => {
  const given: unknown[] = []
  let fetched = 0
  const { promise: come, resolve: letCome } = Promise.withResolvers<void>()
  const fetch = async (cid: CID) => {
    fetched++
    await come
    const block = blocks.find((one) => one.cid.equals(cid))
    if (!block) throw new Error(`the block ${cid} was not found`)
    return block.bytes
  }
  const begin = (entries: readonly JournalEntry[]): SandboxRun => {
    given.push(...entries.filter(({ entry }) => entry === 'answer'))
    return {
      ...{ result: new Promise<SandboxResult>(() => {}), state: () => 'running', fuel: () => 0, ranMs: () => 0 },
      ...{ alive: () => true, kill: () => {}, answer: (n, answer) => given.push({ n, answer }) },
    } as SandboxRun
  }
  return { run: runWhole(journal, { fetch }, {}, begin), given, letCome, fetched: () => fetched }
}

const settled = async () => {
  for (let i = 0; i < 50; i++) await undefined
}

test('answers are given whole and in their order, however late their blocks come', async () => {
  const { run, given, letCome } = scene([request(0), request(1)])
  run.answer(0, large)
  run.answer(1, small)
  await settled()
  expect(given).toEqual([])
  letCome()
  await settled()
  expect(given).toEqual([
    { n: 0, answer: { ok: true, value: bytesOf(100) } },
    { n: 1, answer: small },
  ])
})

test('without large answers everything is given at once', () => {
  const { run, given } = scene([request(0)])
  run.answer(0, small)
  expect(given).toEqual([{ n: 0, answer: small }])
})

test('it begins when the blocks of its journal are there', async () => {
  const { run, given, letCome } = scene([request(0), { entry: 'answer', n: 0, answer: large }])
  await settled()
  expect([given, run.state()]).toEqual([[], 'queued'])
  letCome()
  await settled()
  expect([given, run.state()]).toEqual([
    [{ entry: 'answer', n: 0, answer: { ok: true, value: bytesOf(100) } }],
    'running',
  ])
})

test('a block that cannot be had ends it, inconclusive, and says which', async () => {
  const [cid] = splitBytes(createCrypto(), Uint8Array.of(1), 1).map((block) => block.cid) as [CID]
  const { run, letCome } = scene([
    { entry: 'answer', n: 0, answer: { ok: true, value: new Uint8Array(), blocks: [cid] } },
  ])
  letCome()
  expect(await run.result).toEqual({ kind: 'inconclusive', reason: `the block ${cid} was not found` })
})

test('more blocks than an invocation may have are not fetched', async () => {
  const [block] = blocks as [(typeof blocks)[number]]
  const many: Answer = { ...large, blocks: Array.from({ length: ANSWER_BLOCKS_MAX + 1 }, () => block.cid) }
  const { run, fetched } = scene([{ entry: 'answer', n: 0, answer: many }])
  expect(await run.result).toMatchObject({ kind: 'inconclusive', reason: expect.stringContaining('81 blocks') })
  expect(fetched()).toBe(0)
})

/** A run that says what the test has it say, and a store that keeps when `let` is called. */
const saying = (keep: (bytes: Uint8Array) => Promise<void>) => {
  const heard: unknown[] = []
  const says: { onBlock?: (bytes: Uint8Array) => void; onRequest?: (request: EffectRequest) => void } = {}
  const ended = Promise.withResolvers<SandboxResult>()
  const begin: Parameters<typeof runWhole>[3] = (_, said) => {
    Object.assign(says, said)
    const kill = (reason: string) => ended.resolve({ kind: 'inconclusive', reason })
    return { result: ended.promise, state: () => 'waiting', kill } as SandboxRun
  }
  const fetch = () => Promise.reject(new Error('nothing is fetched'))
  const onRequest = (one: EffectRequest) => void heard.push(one.n)
  const puts = putsIn({ crypto: createCrypto() }, { put: (_, bytes) => keep(bytes) })
  const run = runWhole([], { fetch, puts }, { onRequest }, begin)
  run.result.then((result) => heard.push(result.kind))
  const request = (n: number) => says.onRequest?.({ n, after: 0, kind: 'put', arguments: new Uint8Array() })
  return { run, heard, request, block: () => says.onBlock?.(bytesOf(1)), end: ended.resolve }
}

test('a request is told once the blocks that it names are kept, and what is said later behind it', async () => {
  const { promise: kept, resolve: letKeep } = Promise.withResolvers<void>()
  const { run, heard, request, block, end } = saying(() => kept)
  request(0)
  expect([heard, run.state()]).toEqual([[0], 'waiting'])
  block()
  request(1)
  request(2)
  end({ kind: 'inconclusive', reason: 'over' })
  await settled()
  // Its home owes it nothing, and it waits for nobody's fault.
  expect([heard, run.state()]).toEqual([[0], 'running'])
  letKeep()
  await settled()
  expect(heard).toEqual([0, 1, 2, 'inconclusive'])
})

test('blocks that cannot be kept end it, inconclusive, and no request that names them is told', async () => {
  const { run, heard, request, block } = saying(() => Promise.reject(new Error('the disk is full')))
  block()
  request(0)
  expect(await run.result).toEqual({ kind: 'inconclusive', reason: 'the disk is full' })
  expect(heard).toEqual(['inconclusive'])
})
