import { describe, expect, test } from 'vitest'
import { type LargePut, largePutIn } from '../protocol/effects.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { MIB, PUT_BLOCKS_MAX, STATE_BLOCK_BYTES, STATE_VALUE_BYTES_MAX } from '../protocol/limits.ts'
import { splitBytes } from '../protocol/split.ts'
import { encodeValue } from '../protocol/values.ts'
import { bytesOf, limits, outcomeOf, runOf, sha256, valueIn, wasm } from './fixture.ts'
import { PLAIN_MODULE } from './job.ts'
import { createCutPut } from './large-puts.ts'
import { createSandbox } from './sandbox.ts'

const sandbox = createSandbox({ wasm, cutPut: createCutPut(sha256) })
const ENV = [{ name: 'DB', kind: 'state' as const }]

/** What comes of a function with this body, and all that it told of, in order. */
const run = (body: string, journal: readonly JournalEntry[] = [], memoryBytes = 32 * MIB) => {
  const module = `export default async (input, { DB }) => { ${body} }`
  const own = { effects: ['put' as const], journal, limits: { ...limits, memory_bytes: memoryBytes } }
  const told: (Uint8Array | EffectRequest)[] = []
  const tell = (one: Uint8Array | EffectRequest) => void told.push(one)
  sandbox.load(module, bytesOf(module), memoryBytes, { ...PLAIN_MODULE, effects: own.effects, env: ENV })
  const { result } = sandbox.run(module, runOf(null, own), { requested: tell, block: tell })
  return { outcome: outcomeOf(result), told }
}

const PUTS = `DB.put('small', new Uint8Array(9))
  const large = new Uint8Array(${MIB}).fill(7)
  DB.put('large', { large })
  large[0] = 8
  const own = await DB.get('large')
  return [own.large.length, own.large[0]]`
const BLOCKS = splitBytes({ hash: sha256 }, encodeValue({ large: new Uint8Array(MIB).fill(7) }), STATE_BLOCK_BYTES)
const LARGE: LargePut = {
  ...{ binding: 'DB', key: 'large', bytes: BLOCKS.reduce((sum, { bytes }) => sum + bytes.length, 0) },
  blocks: BLOCKS.map(({ cid }) => cid.toString()),
}

describe('what a function puts that is larger than a block', () => {
  test('is named by its blocks, which are told before; the function reads it whole', () => {
    const { outcome, told } = run(PUTS)
    expect(valueIn(outcome)).toEqual([MIB, 7])
    const [small, ...blocks] = told
    const request = blocks.pop() as EffectRequest
    expect(small).toMatchObject({ kind: 'put', n: 0 })
    expect(blocks.map((block) => sha256(block as Uint8Array))).toEqual(BLOCKS.map(({ bytes }) => sha256(bytes)))
    expect(largePutIn(request.kind, request.arguments)).toEqual(LARGE)
    expect(outcome.requests.map(({ kind, arguments: encoded }) => largePutIn(kind, encoded))).toEqual([
      undefined,
      LARGE,
    ])
  })

  test('is compared by its blocks where it is replayed, and these are told again', () => {
    const first = run(PUTS)
    const journal = first.told.flatMap((one) =>
      one instanceof Uint8Array ? [] : [{ entry: 'request' as const, ...one }],
    )
    const again = run(PUTS, journal)
    expect(again.outcome).toEqual(first.outcome)
    expect(again.told).toHaveLength(BLOCKS.length)
    expect(() => run(PUTS.replace('fill(7)', 'fill(9)'), journal)).toThrow('outcome')
  })

  test('may have as many bytes as any value, and what is told of it too much is thrown', () => {
    const most = STATE_VALUE_BYTES_MAX - 5
    const put = (length: number) =>
      `try { DB.put('a', new Uint8Array(${length})) } catch (e) { return [e.code, e.message] }`
    const { outcome, told } = run(`${put(most)}; ${put(most + 1)}`, [], 256 * MIB)
    const words = `put: value: expected a value of at most ${STATE_VALUE_BYTES_MAX} bytes, encoded`
    expect(valueIn(outcome)).toEqual(['E_USAGE', words])
    expect(told).toHaveLength(STATE_VALUE_BYTES_MAX / STATE_BLOCK_BYTES + 1)
  })

  test.each([
    ['of more than a value may have', STATE_VALUE_BYTES_MAX + 1, 1, `${STATE_VALUE_BYTES_MAX} bytes`],
    [
      'of more blocks than an invocation may have',
      MIB,
      PUT_BLOCKS_MAX / 2,
      `${PUT_BLOCKS_MAX * STATE_BLOCK_BYTES} bytes`,
    ],
  ])('%s ends the run', (_, length, times, words) => {
    const body = `for (let i = 0; i < ${times}; i++) { DB.put('a', new Uint8Array(${length})) }`
    const { result } = run(body, [], 256 * MIB).outcome
    expect(result).toMatchObject({ ok: false, code: 'E_OUTPUT_LIMIT', message: expect.stringContaining(words) })
  })
})
