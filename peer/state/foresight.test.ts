import { describe, expect, test } from 'vitest'
import { rawCid } from '../../protocol/cid.ts'
import type { EffectKind } from '../../protocol/effects.ts'
import { encodeValue, type Value } from '../../protocol/values.ts'
import { crypto } from '../../scripts/protocol/test-keys.ts'
import { Foresight } from './foresight.ts'

const request = (kind: EffectKind, args: Value) => ({ kind, arguments: encodeValue(args) })
const get = (key: string) => request('get', { binding: 'DB', key })
const list = (prefix: string, after: string | null = null) =>
  request('list', { binding: 'DB', prefix, after, limit: 100 })
const keysOf = (foresight: Foresight, input: Value) => foresight.likely('f', input).map(({ text }) => text)

const call = (input: Value) => ({ function: rawCid(crypto, Uint8Array.of(1)), export: 'f', input: encodeValue(input) })

describe('what a function will read', () => {
  test('is known after two calls that have read the like', () => {
    const foresight = new Foresight()
    foresight.note('f', { from: 'ada', to: 'bob' }, [get('account/ada'), get('account/bob'), get('rates')])
    expect(keysOf(foresight, { from: 'eve', to: 'zoe' })).toEqual([])
    foresight.note('f', { from: 'bob', to: 'cyd' }, [get('account/bob'), get('account/cyd'), get('rates')])
    expect(keysOf(foresight, { from: 'eve', to: 'zoe' })).toEqual(['account/eve', 'account/zoe', 'rates'])
    expect(foresight.likely('g', { from: 'eve', to: 'zoe' })).toEqual([])
  })

  test('is a list too, of which the first page only', () => {
    const foresight = new Foresight()
    for (const user of ['ada', 'bob']) foresight.note('f', { user }, [list(`cart/${user}/`), list('x/', 'x/1')])
    expect(foresight.likely('f', { user: 'cyd' })).toEqual([
      { kind: 'list', binding: 'DB', text: 'cart/cyd/', limit: 100 },
    ])
  })

  test('is nothing of what an executor made up that is no read', () => {
    const foresight = new Foresight()
    const made = { kind: 'get' as const, arguments: Uint8Array.of(0xff) }
    for (const user of ['ada', 'bob']) foresight.learn(call(user), [made, request('list', null), get(user)])
    expect(foresight.of(call('cyd')).map(({ text }) => text)).toEqual(['cyd'])
    expect(foresight.of(call('x'.repeat(20_000)))).toEqual([])
  })

  test('is nothing that comes after what may end its step', () => {
    const foresight = new Foresight()
    const sleep = request('sleep', { ms: 5 })
    for (const user of ['ada', 'bob']) foresight.note('f', user, [get(user), sleep, get(`late/${user}`)])
    expect(keysOf(foresight, 'cyd')).toEqual(['cyd'])
  })

  test('mistaken for another is found out by the next inputs', () => {
    const foresight = new Foresight()
    for (const input of [
      { a: 'x', b: 'x' },
      { a: 'x', b: 'x' },
      { a: 'p', b: 'q' },
      { a: 'r', b: 's' },
    ])
      foresight.note('f', input, [get(`k/${input.b}`)])
    for (let i = 0; i < 9; i++) foresight.note('f', { a: `l${i}`, b: `m${i}` }, [get(`k/m${i}`)])
    expect(keysOf(foresight, { a: 'one', b: 'two' })).toEqual(['k/two'])
  })

  test('is forgotten when it is not read any more', () => {
    const foresight = new Foresight()
    for (let i = 0; i < 3; i++) foresight.note('f', null, [get('config')])
    for (let i = 0; i < 8; i++) foresight.note('f', null, [get('other')])
    expect(keysOf(foresight, null)).toEqual(['config', 'other'])
    foresight.note('f', null, [get('other')])
    expect(keysOf(foresight, null)).toEqual(['other'])
  })

  test('stays known beside keys that nobody can know', () => {
    const foresight = new Foresight()
    for (let i = 0; i < 200; i++) foresight.note('f', { n: i }, [get(`secret/${i * 7 + 1}x`), get(`k/${i}`)])
    expect(keysOf(foresight, { n: 'z' })).toEqual(['k/z'])
  })

  test('is at most so much, of so many functions', () => {
    const foresight = new Foresight()
    const many = Array.from({ length: 100 }, (_, i) => get(`many/${String.fromCharCode(0x100 + i)}`))
    for (let i = 0; i < 3; i++) foresight.note('f', null, many)
    expect(keysOf(foresight, null)).toHaveLength(16)
    for (let i = 0; i < 300; i++) foresight.note(`other ${i}`, null, [get('k')])
    expect(keysOf(foresight, null)).toEqual([])
  })
})
