import { expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { argumentExamples } from '../scripts/protocol/argument-examples.ts'
import { rawCid } from './cid.ts'
import { decodeArguments, EFFECT_KINDS, EFFECTS, type EffectKind, ensureArguments, isDeferred } from './effects.ts'
import {
  HEADERS_MAX,
  HTTP_HEAD_BYTES_MAX,
  LIST_ENTRIES_MAX,
  MIB,
  RANDOM_BYTES_MAX,
  STATE_BLOCK_BYTES,
  STATE_PUT_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
  URL_CHARS_MAX,
} from './limits.ts'
import { encodeValue, type Value } from './values.ts'

test('the classes, as the design has them', () => {
  const byClass = Object.groupBy(EFFECT_KINDS, (kind) => EFFECTS[kind].class)
  expect(byClass).toEqual({
    input: ['call', 'sleep', 'now', 'random', 'get', 'list'],
    deferred: ['put', 'delete', 'send'],
    barrier: ['fetch'],
  })
  expect(EFFECT_KINDS.filter(isDeferred)).toEqual(byClass.deferred)
})

const [http] = argumentExamples.fetch as [{ [key: string]: Value }]
const header = (name: string, value: string): Value => [name, value]

/** What is not right, each with words of its refusal. */
const large = (bytes: number, blocks: number) => ({
  ...{ binding: 'DB', key: 'k', bytes },
  blocks: Array<string>(blocks).fill(rawCid(createCrypto(), new Uint8Array()).toString()),
})

const WRONG: Record<EffectKind, [Value, string][]> = {
  call: [
    [{}, 'ref'],
    [{ ref: 5 }, 'the first argument'],
    [{ ref: '#a', options: { fuel: 0 } }, 'options.fuel'],
    [{ ref: '#a', options: { timeoutMs: 0.5 } }, 'options.timeoutMs'],
    [{ ref: '#a', options: { timeout: 5 } }, 'options: expected a map of fuel, timeoutMs'],
  ],
  sleep: [
    [{ ms: 0 }, 'ms'],
    [{}, 'ms'],
    [5, 'sleep'],
  ],
  now: [
    [{ zone: 'UTC' }, 'expected a map of nothing'],
    [null, 'now'],
    [[], 'expected a map'],
  ],
  random: [0, RANDOM_BYTES_MAX + 1, 1.5, 'x'].map((bytes) => [{ bytes }, '1 to 65536']),
  get: [
    [{ binding: 'DB', key: '' }, 'key'],
    [{ binding: 'DB', key: 5 }, 'key'],
    [{ binding: '', key: 'k' }, 'binding'],
    [{ binding: 'DB', key: 'k', toString: 5 }, 'expected a map of binding, key'],
  ],
  list: [
    [{ binding: 'DB', prefix: 'a\n', after: null, limit: 1 }, 'prefix'],
    [{ binding: 'DB', prefix: '', after: '', limit: 1 }, 'after'],
    [{ binding: 'DB', prefix: '', after: null, limit: 0 }, 'limit'],
    [{ binding: 'DB', prefix: '', after: null, limit: LIST_ENTRIES_MAX + 1 }, 'limit'],
  ],
  put: [
    [{ binding: 'DB', key: 'k' }, 'value'],
    [{ binding: 'DB', key: 'k', value: new Uint8Array(STATE_PUT_BYTES_MAX) }, `${STATE_VALUE_BYTES_MAX} bytes`],
    [{ binding: 'DB', key: 'k', value: 1, blocks: [] }, 'expected a map of binding, key, bytes, blocks'],
    [large(2 * STATE_BLOCK_BYTES, 3), 'expected the CIDs of the blocks'],
    [large(2 * STATE_BLOCK_BYTES + 1, 2), 'expected the CIDs of the blocks'],
    [large(STATE_BLOCK_BYTES, 1), 'expected the CIDs of the blocks'],
    [large(STATE_VALUE_BYTES_MAX + 1, 65), 'expected the CIDs of the blocks'],
    [{ ...large(MIB, 2), blocks: ['bafy', 'bafy'] }, 'expected the CIDs of the blocks'],
    [{ binding: 'DB', key: '\n', value: 1 }, 'key'],
  ],
  delete: [[{ binding: 'DB', key: null }, 'key']],
  fetch: [
    [{ ...http, url: '' }, 'url'],
    [{ ...http, url: 'x'.repeat(URL_CHARS_MAX + 1) }, 'url'],
    [{ ...http, method: 'GET /' }, 'method'],
    [{ ...http, method: '' }, 'method'],
    [{ ...http, headers: [header('a b', '')] }, 'headers.0.0'],
    [{ ...http, headers: [header('a', 'b\r\nc: d')] }, 'headers.0.1'],
    [{ ...http, headers: [['a']] }, 'headers.0'],
    [{ ...http, headers: Array.from({ length: HEADERS_MAX + 1 }, () => header('a', '')) }, 'headers'],
    [{ ...http, headers: [header('a', 'x'.repeat(HTTP_HEAD_BYTES_MAX))] }, `${HTTP_HEAD_BYTES_MAX} characters`],
    [{ ...http, body: 'text' }, 'body'],
  ],
  send: [[{ ...http, body: [] }, 'body']],
}

test.each(EFFECT_KINDS)('the arguments of %s', (kind) => {
  for (const value of argumentExamples[kind]) {
    expect(ensureArguments(kind, value)).toEqual(value)
    expect(decodeArguments(kind, encodeValue(value))).toEqual(value)
  }
  for (const [value, words] of WRONG[kind]) {
    const refused = expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining(words) })
    expect(() => ensureArguments(kind, value), JSON.stringify(value).slice(0, 200)).toThrow(refused)
  }
})

test('arguments of more things than the kind has are not read to their end', () => {
  for (const kind of EFFECT_KINDS) {
    const many = encodeValue(Array.from({ length: EFFECTS[kind].itemsMax }, () => null))
    expect(() => decodeArguments(kind, many)).toThrow(expect.objectContaining({ code: 'E_MESSAGE_LIMIT' }))
  }
})
