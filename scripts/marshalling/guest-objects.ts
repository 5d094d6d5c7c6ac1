/**
 * JavaScript expressions for objects of all kinds, Values and what is none, by chance. Each gives the same in the engine
 * and in V8, so that what crosses from a guest can be compared with what the host makes of the same object.
 */
import type { Random } from '../../protocol/ports.ts'

type Draw = Random['below']
type Make = (below: Draw, depth: number) => string

const DEPTH_MAX = 5

const pick = <T>(below: Draw, list: readonly T[]): T => list[below(list.length)] as T

const times = (count: number, make: () => string): string[] => Array.from({ length: count }, make)

const CHARACTERS = [
  'a',
  'B',
  '0',
  ' ',
  '\\0',
  '\\n',
  '"',
  "\\'",
  '\\\\',
  '/',
  '{',
  '\\x7f',
  '\\u00e9',
  '\\u2028',
  '\\u{1f600}',
  '\\ufeff',
]
const LONE = ['\\ud800', '\\udfff', '\\ud83d\\ud83d']

const text: Make = (below) => `'${times(below(12), () => pick(below, CHARACTERS)).join('')}'`
const KEYS = [
  "'a'",
  "'b c'",
  "''",
  '0',
  '1',
  '10',
  "'01'",
  "'-1'",
  "'__proto__'",
  "'constructor'",
  "'toJSON'",
  "'then'",
  "'length'",
  "'/'",
  "'bytes'",
  "'\\u00e9'",
  "'class'",
  "'$_'",
]
const key: Make = (below, depth) => (below(4) === 0 ? text(below, depth) : pick(below, KEYS))

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '0.1',
  '1e21',
  '1e-7',
  '5e-324',
  '1.7976931348623157e308',
  '9007199254740993',
  '-9007199254740992',
  '4294967296',
]
const number: Make = (below) =>
  below(2) === 0 ? pick(below, NUMBERS) : `${(below(2 ** 32) - 2 ** 31) / 2 ** below(40)}`

const BIGINTS = ['0n', '-1n', '2n ** 63n', '2n ** 64n - 1n', '-(2n ** 63n)']
const bigint: Make = (below) =>
  below(2) === 0 ? pick(below, BIGINTS) : `BigInt(${below(2 ** 32)}) * ${below(2 ** 32)}n - 2n ** 63n`

const list: Make = (below) => times(below(6), () => `${below(256)}`).join()
const BYTES: readonly ((items: string) => string)[] = [
  (items) => `Uint8Array.of(${items})`,
  (items) => `new Uint8Array([1, 2, ${items}]).subarray(1)`,
  (items) => `new Uint8Array(new Uint8Array([${items}, 3]).buffer, 1)`,
  (items) => `new (class Buffer extends Uint8Array {})([${items}])`,
  () => `((b) => (b.set([7]), b))(new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }), 2))`,
  (items) => `((b) => (b.buffer.transfer(), b))(Uint8Array.of(${items}))`,
  () => `((b) => (b.buffer.resize(1), b))(new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }), 2))`,
  (items) => `Object.assign(Uint8Array.of(${items}), { extra: 1 })`,
]
const bytes: Make = (below, depth) => pick(below, BYTES)(list(below, depth))

const PLAIN: readonly Make[] = [
  () => 'null',
  () => 'undefined',
  (below) => pick(below, ['true', 'false']),
  number,
  number,
  text,
  text,
  bigint,
  bytes,
]

const NO_VALUES = [
  ...['NaN', 'Infinity', '-Infinity', '2n ** 64n', '-(2n ** 63n) - 1n', 'Symbol("x")', 'Symbol.iterator', '() => 1'],
  ...[
    'class A {}',
    'function* () {}',
    'Math.max',
    'new Date(0)',
    '/x/',
    'new Map([[1, 2]])',
    'new Set()',
    'new WeakMap()',
  ],
  ...['Promise.resolve(1)', 'new Error("x")', 'new ArrayBuffer(2)', 'new DataView(new ArrayBuffer(2))', 'Math', 'JSON'],
  ...['new Int8Array(1)', 'new Uint8ClampedArray(1)', 'new Int16Array(1)', 'new Uint16Array(1)', 'new Int32Array(1)'],
  ...[
    'new Uint32Array(1)',
    'new Float32Array(1)',
    'new Float64Array(1)',
    'new BigInt64Array(1)',
    'new BigUint64Array(1)',
  ],
  ...['new String("x")', 'new Number(1)', 'new Boolean(false)', 'Object(1n)', 'Object(Symbol())', 'Object.create({})'],
  ...['new (class Point { x = 1 })()', 'new (class List extends Array {})()', 'new (class {})()', '[].values()'],
  ...['(function* () {})()', 'new Proxy(() => 1, {})', 'new Proxy(new Map(), {})'],
  ...['Object.create(null, { x: { value: 1n << 64n, enumerable: true } })', 'Object.setPrototypeOf([1], null)'],
  ...[
    'Object.setPrototypeOf([1], Object.prototype)',
    '{ __proto__: Array.prototype, length: 1 }',
    '{ "/": 1 }',
    '{ "/": undefined, "/ ": 1 }',
  ],
  ...LONE.map((one) => `'x${one}'`),
  ...LONE.map((one) => `{ '${one}': 1 }`),
]
const noValue: Make = (below) => `(${pick(below, NO_VALUES)})`

const WRAPS: readonly ((inner: string, below: Draw) => string)[] = [
  (inner) => inner,
  (inner) => inner,
  (inner) => inner,
  (inner) => `Object.freeze(${inner})`,
  (inner) => `new Proxy(${inner}, {})`,
  (inner) => `new Proxy(${inner}, { get: (t, k, r) => Reflect.get(t, k), ownKeys: (t) => Reflect.ownKeys(t) })`,
  (inner) => `((o) => (Object.defineProperty(o, 'hidden', { value: () => 1, configurable: true }), o))(${inner})`,
  (inner) => `((o) => (o[Symbol('s')] = () => 1, o))(${inner})`,
  (inner) => `((o) => [o, o])(${inner})`,
  (inner, below) => `((o) => (o.x = ${pick(below, ['o', '[o]', '{ o }', '[{ y: [o] }]'])}, o))(${inner})`,
]

const property: Make = (below, depth) => {
  const value = any(below, depth + 1)
  const kind = below(10)
  if (kind === 0) return `get [${key(below, depth)}]() { return ${value} }`
  if (kind === 1 && below(4) === 0) return `get [${key(below, depth)}]() { throw new Error('a getter') }`
  return `[${key(below, depth)}]: ${value}`
}

const record: Make = (below, depth) => {
  const all = times(below(5), () => property(below, depth)).join(', ')
  const form = below(8)
  if (form === 0) return `Object.assign(Object.create(null), { ${all} })`
  if (form === 1) return `(function () { return arguments })(${times(below(3), () => any(below, depth + 1)).join()})`
  return `({ ${all} })`
}

const array: Make = (below, depth) => {
  const items = times(below(5), () => any(below, depth + 1))
  const form = below(8)
  if (form === 0) return `[${items.join(', , ')}, ,]`
  if (form === 1) return `((a) => (a.length = ${below(6)}, a))([${items}])`
  if (form === 2) return `((a) => (a.named = () => 1, a))([${items}])`
  if (form === 3)
    return `((a) => (Object.defineProperty(a, 0, { get: () => ${any(below, depth + 1)}, enumerable: true, configurable: true }), a))([${items}])`
  return `[${items}]`
}

/** Once in a while more levels than may be, or just as many. */
const deep: Make = (below, depth) => {
  const levels = 120 + below(12)
  return `((x) => { for (let i = 0; i < ${levels}; i++) x = ${pick(below, ['[x]', '{ x }', 'i % 2 ? [x] : { x }'])}; return x })(${any(below, depth + 1)})`
}

const any: Make = (below, depth) => {
  if (below(24) === 0) return noValue(below, depth)
  if (depth >= DEPTH_MAX || below(3) === 0) return pick(below, PLAIN)(below, depth)
  if (below(150) === 0) return deep(below, DEPTH_MAX)
  const inner = below(2) === 0 ? record(below, depth) : array(below, depth)
  return pick(below, WRAPS)(inner, below)
}

/** An expression. */
export const guestObject = (random: Random): string => any((limit) => random.below(limit), 0)
