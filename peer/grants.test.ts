import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { EffectKind } from '../protocol/effects.ts'
import { type Grants, grantsSchema } from '../protocol/grants.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { deferredIn, GrantedRequests, mustBeVerified, uncounted } from './grants.ts'

const env: { name: string; kind: 'state' | 'fetch' | 'secret' }[] = [
  { name: 'API', kind: 'fetch' },
  { name: 'DB', kind: 'state' },
  { name: 'KEY', kind: 'secret' },
]
const http = { binding: 'API', url: 'https://a.example/', method: 'GET', headers: [], body: null }
const refused = (words: string) => expect.objectContaining({ code: 'E_GRANT', message: expect.stringContaining(words) })

/** Asks one thing after another: what is refused says so. */
const asked = (grants: Grants, requests: [EffectKind, Value][]) => {
  const granted = new GrantedRequests(env, grants)
  return requests.map(([kind, args], n) => {
    try {
      return granted.admit(kind as 'get', { n, arguments: encodeValue(args) }).grant
    } catch (cause) {
      return (cause as Error).message
    }
  })
}

describe('a request is covered by its grant', () => {
  const DB = { state: 'shop' }
  const get = (key: string): [EffectKind, Value] => ['get', { binding: 'DB', key }]
  const put = (key: string): [EffectKind, Value] => ['put', { binding: 'DB', key, value: 1 }]
  const list = (prefix: string): [EffectKind, Value] => ['list', { binding: 'DB', prefix, after: null, limit: 5 }]

  test('for all keys, read and written, where it says nothing else', () => {
    const requests = [get('a'), put('b'), list(''), ['delete', { binding: 'DB', key: 'c' }] as [EffectKind, Value]]
    expect(asked({ DB }, requests)).toEqual([DB, DB, DB, DB])
  })

  test('whose prefix keys, and prefixes of lists, begin with', () => {
    const within = expect.stringContaining('only keys that begin with "a/"')
    const grant = { ...DB, prefix: 'a/' }
    const requests = [get('a/x'), get('b'), put('a'), list('a/b'), list('a'), list('')]
    expect(asked({ DB: grant }, requests)).toEqual([grant, within, within, grant, within, within])
  })

  test('that is for reading, and then not for writing', () => {
    const grant = { ...DB, access: 'read' as const }
    expect(asked({ DB: grant }, [get('a'), put('a'), list('')])).toEqual([
      grant,
      expect.stringContaining('put writes'),
      grant,
    ])
  })

  test('of the binding that it names, which the manifest declares as what it is', () => {
    const none = expect.stringContaining('the caller grants no state here')
    expect(asked({}, [get('a')])).toEqual([none])
    expect(asked({ DB: { fetch: ['https://a.example'] } }, [get('a')])).toEqual([none])
    expect(
      asked({ DB }, [
        ['get', { binding: 'API', key: 'a' }],
        ['get', { binding: 'toString', key: 'a' }],
      ]),
    ).toEqual([
      expect.stringContaining('declares no binding of the kind state'),
      expect.stringContaining('declares no binding of the kind state'),
    ])
    expect(
      asked({ KEY: { secret: 's', origin: 'https://a.example', header: 'x' } }, [
        ['fetch', { ...http, binding: 'KEY' }],
      ]),
    ).toEqual([expect.stringContaining('declares no binding of the kind fetch')])
  })

  test('as often as it says, refused ones counted', () => {
    const used = expect.stringContaining('the 2 requests that are granted are used up')
    const grant = { ...DB, prefix: 'a', requests: 2 }
    expect(asked({ DB: grant }, [get('b'), get('a'), get('a'), put('a')])).toEqual([
      expect.stringContaining('only keys'),
      grant,
      used,
      used,
    ])
  })

  test('for as many bytes of requests, and as many of answers', () => {
    const { length } = encodeValue({ binding: 'DB', key: 'a' })
    const grant = { ...DB, bytes: 2 * length }
    expect(asked({ DB: grant }, [get('a'), get('a'), get('a')])).toEqual([
      grant,
      grant,
      expect.stringContaining('bytes that are granted for requests'),
    ])
    const granted = new GrantedRequests(env, { DB: { ...DB, bytes: 1000 } })
    const encoded = { arguments: encodeValue({ binding: 'DB', key: 'a' }) }
    expect(granted.admit('get', { n: 0, ...encoded }).bytesLeft).toBe(1000)
    granted.answered(0, 600)
    expect(granted.admit('get', { n: 1, ...encoded }).bytesLeft).toBe(400)
    expect(() => granted.answered(1, 401)).toThrow(refused('granted for answers'))
  })

  test('and counting goes on where a journal does', () => {
    const granted = new GrantedRequests(env, { DB: { ...DB, requests: 2, bytes: 1000 } })
    const entry = { after: 0, kind: 'get' as const, arguments: encodeValue({ binding: 'DB', key: 'a' }) }
    granted.note({ entry: 'request', n: 0, ...entry })
    granted.note({ entry: 'answer', n: 0, answer: { ok: true, value: new Uint8Array(700) } })
    expect(granted.admit('get', { n: 1, ...entry }).bytesLeft).toBe(300)
    expect(() => granted.admit('get', { n: 2, ...entry })).toThrow(refused('used up'))
  })
})

describe('what a verified outcome asks for', () => {
  const requests = (...all: [EffectKind, Value][]) =>
    all.map(([kind, args]) => ({ kind, arguments: encodeValue(args) }))
  const put = (key: string): [EffectKind, Value] => ['put', { binding: 'DB', key, value: key }]
  const DB = { state: 'shop', prefix: 'a' }

  test('are its deferred requests, each with its grant, in order', () => {
    const found = deferredIn(
      new GrantedRequests(env, { DB }),
      requests(put('a1'), ['now', {}], ['delete', { binding: 'DB', key: 'a2' }], put('a1')),
    )
    expect(found.map(({ kind, n, args }) => [kind, n, 'key' in args && args.key])).toEqual([
      ['put', 0, 'a1'],
      ['delete', 2, 'a2'],
      ['put', 3, 'a1'],
    ])
    expect(found.every(({ grant }) => grant === DB)).toBe(true)
  })

  test('is nothing at all where one of them is not granted', () => {
    expect(() => deferredIn(new GrantedRequests(env, { DB }), requests(put('a1'), put('b')))).toThrow(
      refused('only keys'),
    )
    expect(() => deferredIn(new GrantedRequests(env), requests(put('a1')))).toThrow(refused('grants no state'))
    const twice = { ...DB, requests: 2 }
    const read: [EffectKind, Value] = ['get', { binding: 'DB', key: 'a' }]
    expect(deferredIn(new GrantedRequests(env, { DB: twice }), requests(read, put('a')))).toHaveLength(1)
    expect(() => deferredIn(new GrantedRequests(env, { DB: twice }), requests(read, read, put('a')))).toThrow(
      refused('used up'),
    )
  })
})

test('exports that a function calls itself may what it may, and nothing that is counted', () => {
  const KEY = { secret: 's', origin: 'https://a.example', header: 'x' }
  const read = { fetch: ['https://a.example'], read: true }
  const grants = {
    A: { state: 'a' },
    B: { state: 'b', requests: 5 },
    C: read,
    D: { fetch: ['https://a.example'], bytes: 0 },
    KEY,
  }
  expect(uncounted(grants)).toEqual({ A: { state: 'a' }, C: read, KEY })
  expect(uncounted(undefined)).toBeUndefined()
})

test('what is done only once it has been verified', () => {
  const one = (kind: EffectKind, grants?: Grants) => mustBeVerified({ effects: [kind], env }, grants)
  const API = { fetch: ['https://a.example'] }
  expect((['call', 'sleep', 'now', 'random', 'get', 'list'] as const).filter((kind) => one(kind))).toEqual([])
  expect((['put', 'delete', 'send'] as const).filter((kind) => !one(kind))).toEqual([])
  // Without a grant none is made.
  expect([one('fetch'), one('fetch', { API }), one('fetch', { API: { ...API, read: true } })]).toEqual([
    false,
    true,
    false,
  ])
})

test.each<[string, unknown, boolean]>([
  ['state', { DB: { state: 'shop', prefix: 'a/', access: 'read', requests: 5, bytes: 0 } }, true],
  [
    'fetch',
    { A: { fetch: ['https://a.example'], methods: ['POST'], read: true, private: true, onUnknown: 'retry' } },
    true,
  ],
  ['a secret', { K: { secret: 'S', origin: 'https://a.example', header: 'Authorization' } }, true],
  ['none', {}, true],
  ['Wayside’s own state', { DB: { state: '.outbox' } }, false],
  ['state with a name of something else', { DB: { state: 'Shop' } }, false],
  ['a prefix that is none', { DB: { state: 'shop', prefix: '\n' } }, false],
  ['no origin', { A: { fetch: [] } }, false],
  ['an origin with a path', { A: { fetch: ['https://a.example/x'] } }, false],
  ['a secret for any origin', { K: { secret: 'S' } }, false],
  ['two things in one', { A: { state: 'a', fetch: ['https://a.example'] } }, false],
  ['what nobody knows', { A: { state: 'a', write: true } }, false],
  ['too many', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, { state: 'a' }])), false],
])('grants: %s', (_, grants, fits) => {
  expect(v.is(grantsSchema, grants)).toBe(fits)
})

test('docs/EFFECTS.md names tests that there are', () => {
  const at = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const files = [
    './grants.world.test.ts',
    './grants.test.ts',
    './fetch.world.test.ts',
    './state/steps.world.test.ts',
    '../node/fetching/mesh.test.ts',
    '../sandbox/bindings.test.ts',
    '../sandbox/testing/programs.ts',
  ]
  const titles = files.map(at).join()
  const [, table = ''] = at('../docs/EFFECTS.md').split('## What holds')
  const named = [...table.matchAll(/"([^"]+)"/g)].map(([, title]) => title as string)
  expect(named.length).toBeGreaterThan(8)
  const known = (title: string) => titles.includes(title) || /^at (none|audit)$/.test(title) || title === 'bindings'
  expect(named.filter((title) => !known(title))).toEqual([])
})
