import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cids, values } from '../scripts/protocol/arbitraries.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { decodeCanonical, encodeCanonical } from './codec.ts'
import { decodeValue, encodeValue, ensureValue, type Value, valueFromJson, valueToJson } from './values.ts'

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const refused = (code: string, path: string, found: string) =>
  expect.objectContaining({ code, fields: expect.objectContaining({ path, found }) })

/** `leaf` inside `levels` lists. */
const nest = (levels: number, leaf: unknown): unknown => {
  let x = leaf
  for (let i = 0; i < levels; i++) x = [x]
  return x
}

describe('ensureValue', () => {
  class Point {
    x = 1
  }
  class Row extends Array {}
  const cycle: Record<string, unknown> = {}
  cycle.self = [cycle]

  test.each<[string, unknown, string, string]>([
    ['NaN', Number.NaN, 'value', 'NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'value', 'Infinity'],
    ['-Infinity', [Number.NEGATIVE_INFINITY], 'value[0]', '-Infinity'],
    ['a Date', { items: [0, 1, 2, { when: new Date(0) }] }, 'value.items[3].when', 'Date'],
    ['a Map', { m: new Map() }, 'value.m', 'Map'],
    ['a Set', { 'a b': new Set() }, 'value["a b"]', 'Set'],
    ['a RegExp', /x/, 'value', 'RegExp'],
    ['an Error', new TypeError('x'), 'value', 'TypeError'],
    ['a Promise', [[Promise.resolve()]], 'value[0][0]', 'Promise'],
    ['a Float64Array', { f: new Float64Array(1) }, 'value.f', 'Float64Array'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'value', 'DataView'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'value', 'ArrayBuffer'],
    ['a boxed number', Object(1), 'value', 'Number'],
    ['a class instance', [new Point()], 'value[0]', 'Point'],
    ['an array of a class', { row: Row.from([1]) }, 'value.row', 'Row'],
    ['an object with another prototype', Object.create({ inherited: 1 }), 'value', 'Object'],
    ['a function', { f: () => 1 }, 'value.f', 'function'],
    ['a symbol', { s: Symbol('x') }, 'value.s', 'symbol'],
    ['2^64', { n: 2n ** 64n }, 'value.n', 'a bigint over 64 bits'],
    ['-2^63 - 1', -(2n ** 63n) - 1n, 'value', 'a bigint over 64 bits'],
    ['a cycle', cycle, 'value.self[0]', 'a cycle'],
    ['a lone surrogate', ['\udc00'], 'value[0]', 'a string with a lone surrogate'],
    ['a key with a lone surrogate', { '\ud800': 1 }, 'value["\\ud800"]', 'a key with a lone surrogate'],
    ['a map of "/" alone', { a: { '/': 1 } }, 'value.a', 'an object whose only key is "/"'],
    ['of "/" alone once undefined is dropped', { '/': 1, b: undefined }, 'value', 'an object whose only key is "/"'],
    ['nesting of 129 levels', nest(129, 1), `value${'[0]'.repeat(128)}`, 'nesting over 128 levels'],
    ['a key that reads as code', { 'x"]': new Map() }, 'value["x\\"]"]', 'Map'],
  ])('refuses %s and says where', (_name, x, path, found) => {
    expect(() => ensureValue(x)).toThrow(refused('E_VALUE', path, found))
    expect(() => ensureValue(x)).toThrow(`${path}: ${found} is not a Value; use null, booleans,`)
    expect(() => ensureValue(x, 'result', 'E_INPUT')).toThrow(
      refused('E_INPUT', path.replace('value', 'result'), found),
    )
  })

  test.each<[string, unknown, Value]>([
    ['-0 as 0', [-0], [0]],
    ['a bare undefined as null', undefined, null],
    ['undefined in a list as null', [undefined, 1], [null, 1]],
    ['a hole in a list as null', Array(1), [null]],
    ['no property that is undefined', { a: undefined, b: 1, '/': undefined }, { b: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['no symbol keys', { [Symbol('s')]: 1, a: 1 }, { a: 1 }],
    ['128 levels', nest(128, null), nest(128, null) as Value],
    ['the ends of 64 bits', [-(2n ** 63n), 2n ** 64n - 1n], [-(2n ** 63n), 2n ** 64n - 1n]],
    ['one object in two places', ((x) => [x, x])({ a: 1 }), [{ a: 1 }, { a: 1 }]],
    ['"/" beside other keys', { '/': 1, a: 2 }, { '/': 1, a: 2 }],
  ])('takes %s', (_name, x, expected) => {
    const value = ensureValue(x)
    expect(value).toStrictEqual(expected)
    expect(decodeValue(encodeValue(value))).toEqual(expected)
  })

  test('keeps __proto__ as a key and changes no prototype', () => {
    const value = ensureValue(JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":null}}')) as { a: object }
    expect(Object.keys(value)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    const read = decodeValue(encodeValue(value as unknown as Value)) as object
    expect(Object.keys(read).sort()).toEqual(['__proto__', 'a'])
    expect('polluted' in read).toBe(false)
    expect(valueToJson(read as Value)).toBe('{"a":{"__proto__":null},"__proto__":{"polluted":true}}')
  })

  test('builds anew: what it was given can change afterwards', () => {
    const given = { list: [1] }
    const value = ensureValue(given)
    given.list.push(2)
    expect(value).toEqual({ list: [1] })
  })
})

describe('as DAG-CBOR', () => {
  test.each<[Value, string]>([
    [null, 'f6'],
    [1, '01'],
    [1n, 'a1612fa166626967696e746131'],
    [-(2n ** 63n), 'a1612fa166626967696e74742d39323233333732303336383534373735383038'],
    [1e300, 'fb7e37e43c8800759c'],
    [2 ** 60, 'fb43b0000000000000'],
    [Uint8Array.of(255), '41ff'],
    ['\u{feff}text', '67efbbbf74657874'],
    [{ bytes: 'a', '/': 'a' }, 'a2612f616165627974657361 61'],
  ])('has one form: %#', (value, expected) => {
    expect(hexOf(encodeValue(value))).toBe(expected.replace(' ', ''))
    expect(decodeValue(encodeValue(value))).toEqual(value)
  })

  test.each<[string, unknown, string]>([
    ['{"/": null}', { '/': null }, 'only key is "/"'],
    ['{"/": {}}', { '/': {} }, 'only key is "/"'],
    ['the form of bytes in JSON', { '/': { bytes: 'AA==' } }, 'only key is "/"'],
    ['a bigint and more', { '/': { bigint: '1', x: 1 } }, 'only key is "/"'],
    ['a bigint as number', { '/': { bigint: 1 } }, 'only key is "/"'],
    ['a bigint with a leading zero', { '/': { bigint: '01' } }, 'only key is "/"'],
    ['a bigint with a plus', { '/': { bigint: '+1' } }, 'only key is "/"'],
    ['a bigint -0', { '/': { bigint: '-0' } }, 'only key is "/"'],
    ['a bigint in hexadecimal', { '/': { bigint: '0x1' } }, 'only key is "/"'],
    ['a bigint over 64 bits', { '/': { bigint: '18446744073709551616' } }, 'only key is "/"'],
    ['a bigint under 64 bits', { '/': { bigint: '-9223372036854775809' } }, 'only key is "/"'],
    ['a form in a form', { '/': { bigint: { '/': { bigint: '1' } } } }, 'only key is "/"'],
    ['129 levels', nest(129, 1), 'nesting over 128 levels'],
  ])('refuses %s', (_name, x, why) => {
    const bytes = encodeCanonical(x)
    expect(() => decodeValue(bytes)).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringContaining(why) }),
    )
  })

  test('refuses a CID, wherever it stands', () => {
    for (const cid of fc.sample(cids, 3))
      for (const x of [cid, [cid], { a: cid }, { '/': cid }])
        expect(() => decodeValue(encodeCanonical(x))).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }))
  })

  test('takes a bigint at the deepest level', () => {
    const deepest = nest(128, 5n) as Value
    expect(decodeValue(encodeValue(deepest))).toEqual(deepest)
    expect(valueFromJson(valueToJson(deepest))).toEqual(deepest)
  })

  test('comes back as it was', () =>
    checkProperty(
      'value cbor',
      fc.property(values, (value) => {
        expect(ensureValue(value)).toEqual(value)
        const bytes = encodeValue(value)
        expect(decodeValue(bytes)).toEqual(value)
        expect(encodeValue(decodeValue(bytes))).toEqual(bytes)
        expect(encodeCanonical(decodeCanonical(bytes))).toEqual(bytes)
      }),
      { runs: 1000 },
    ))
})

describe('as JSON', () => {
  test('comes back as it was', () =>
    checkProperty(
      'value json',
      fc.property(values, fc.constantFrom(undefined, 2), (value, indent) => {
        expect(valueFromJson(valueToJson(value, indent))).toEqual(value)
      }),
      { runs: 1000 },
    ))

  test('is a Value whenever JSON is, but for the forms', () =>
    checkProperty(
      'any json',
      fc.property(fc.jsonValue(), (x) => {
        const text = JSON.stringify(x)
        if (!text.includes('"/":')) expect(valueFromJson(text)).toEqual(JSON.parse(text))
      }),
      { runs: 500 },
    ))

  test('holds 4 MiB of bytes', () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).map((_, i) => i)
    const read = valueFromJson(valueToJson({ bytes })) as { bytes: Uint8Array }
    expect(Buffer.compare(read.bytes, bytes)).toBe(0)
  })

  test.each([
    ['-0', 0],
    ['1e400', undefined],
    ['"\\ud800"', undefined],
    ['{"\\udc00":1}', undefined],
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"/":{"bytes":"AQI="}}', Uint8Array.of(1, 2)],
    ['{"/":{"bytes":"AQI"}}', Uint8Array.of(1, 2)],
    ['{"/":{"bytes":""}}', new Uint8Array(0)],
    ['{"/":{"bytes":"A"}}', undefined],
    ['{"/":{"bytes":"AQ-_"}}', undefined],
    ['{"/":{"bytes":"AQ I="}}', undefined],
    ['{"/":{"bytes":"AQI=="}}', undefined],
    ['{"/":{"bytes":"AQ=I"}}', undefined],
    ['{"/":{"bytes":[1]}}', undefined],
    ['{"/":"bafk"}', undefined],
    ['{"/":{"bigint":"7"}}', 7n],
    ['{"/":{"bigint":7}}', undefined],
    ['{"/":{"bigint":"7","bytes":""}}', undefined],
    ['', undefined],
    ['{"a":1,}', undefined],
    ['undefined', undefined],
    ['['.repeat(100_000) + ']'.repeat(100_000), undefined],
  ])('%.40s', (text, expected) => {
    if (expected !== undefined) expect(valueFromJson(text)).toStrictEqual(expected)
    else expect(() => valueFromJson(text)).toThrow(expect.objectContaining({ code: 'E_INPUT' }))
  })

  test('says where in the input a number is none', () => {
    expect(() => valueFromJson('{"a":[0,1e999]}')).toThrow(refused('E_INPUT', 'input.a[1]', 'Infinity'))
  })
})
