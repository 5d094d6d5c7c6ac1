// JSON.

export const parsing = () =>
  [
    ...[
      '1',
      '-0',
      '1e400',
      '[1,2]',
      '{"a":1,"a":2}',
      '"\\ud800"',
      '"\\u0041\\n"',
      'nul',
      '01',
      '[1,]',
      '{a:1}',
      "'x'",
      '',
      ' \t\n\r1 ',
    ],
    ...[
      '\u00a01',
      '"\n"',
      '1 2',
      '[',
      '{"__proto__":1}',
      '"\\x41"',
      '1.',
      '.5',
      '+1',
      'NaN',
      '[1]]',
      '"',
      '{"a"}',
      'true',
    ],
  ].map((text) => caught(() => JSON.parse(text)))

export const reviver = () => {
  const seen = []
  const out = JSON.parse('{"a":[1,{"b":2}],"c":3,"d":4}', function (key, value) {
    seen.push(`${key}=${show(value)}/${Array.isArray(this)}`)
    if (key === 'c') return undefined
    return typeof value === 'number' ? value * 2 : value
  })
  return [seen, out]
}

export const reviverSource = () =>
  caught(() =>
    JSON.parse('[1.0, 12345678901234567890]', (key, value, context) =>
      context ? (context.source ?? 'none') : 'no context',
    ),
  )

export const reviverChanges = () =>
  show(
    JSON.parse('{"a":1,"b":2,"c":3}', function (key, value) {
      if (key === 'a') {
        delete this.b
        this.c = [9, 9]
      }
      return value
    }),
  )

export const replacer = () => [
  JSON.stringify({ a: 1, b: [2, { c: 3 }] }, (key, value) => (key === 'c' ? undefined : value)),
  JSON.stringify({ a: 1, b: { a: 2, c: 3 }, 1: 4 }, ['b', 'a', 1]),
  JSON.stringify({ a: new Date(0) }, (key, value) => typeof value),
  JSON.stringify([undefined, () => 1, Symbol('x'), NaN, -0, Infinity]),
  show(JSON.stringify(undefined)),
]

export const indented = () => [
  JSON.stringify({ a: [1, { b: [] }], c: {} }, null, 2),
  JSON.stringify([1, [2]], null, '--'),
  JSON.stringify([1], null, 99),
  JSON.stringify([1], null, 'x'.repeat(20)),
  JSON.stringify({}, null, 2),
]

export const toJson = () => [
  JSON.stringify({ toJSON: (key) => `[${key}]` }),
  JSON.stringify({ a: { toJSON: (key) => `[${key}]` } }),
  JSON.stringify([Object('x'), Object(1), Object(true), Object(Symbol.iterator)]),
  caught(() => JSON.stringify(1n)),
  caught(() => {
    BigInt.prototype.toJSON = function () {
      return `${this}n`
    }
    return JSON.stringify([5n])
  }),
]

export const cycles = () => {
  const a = { name: 'a' }
  a.self = { deep: [a] }
  return [caught(() => JSON.stringify(a)), JSON.stringify([a.name, a.name])]
}

export const escapes = () => {
  let text = ''
  for (let i = 0; i < 0x30; i++) text += String.fromCharCode(i)
  return [
    JSON.stringify(text),
    JSON.stringify('\u2028\u2029\u007f\u0080"\\/'),
    JSON.stringify('\ud83d\ude00 \ud83d \ude00'),
    JSON.stringify({ '\n\ud800': 1 }),
  ]
}

export const bigNumbers = () =>
  [
    '12345678901234567890',
    '0.1e-400',
    '1E+2',
    '-1e-7',
    '9007199254740993',
    '123456789012345678901234567890.5',
    '5e-324',
    '2.5e-324',
    '1.7976931348623159e308',
  ].map((text) => bits(JSON.parse(text)))

export const order = () =>
  Object.keys(JSON.parse('{"b":1,"2":1,"a":1,"1":1,"-1":1,"01":1,"4294967295":1,"4294967294":1}'))

export const deep = () => {
  const depth = 60
  const text = '['.repeat(depth) + ']'.repeat(depth)
  let list = JSON.parse(text)
  let count = 0
  for (; list; list = list[0]) count++
  return [count, JSON.stringify(JSON.parse(text)) === text]
}

export const roundTrip = () => {
  const next = numbersFrom(21)
  const make = (depth) => {
    switch (next() % (depth > 3 ? 4 : 6)) {
      case 0:
        return next() / 7
      case 1:
        return next() % 2 === 0
      case 2:
        return String.fromCharCode(next() % 0xd800, next() % 128)
      case 3:
        return null
      case 4:
        return Array.from({ length: next() % 4 }, () => make(depth + 1))
      default:
        return Object.fromEntries(Array.from({ length: next() % 4 }, () => [`k${next() % 50}`, make(depth + 1)]))
    }
  }
  let hash = 0
  for (let i = 0; i < 60; i++) {
    const text = JSON.stringify(make(0))
    if (JSON.stringify(JSON.parse(text)) !== text) return text
    for (let c = 0; c < text.length; c++) hash = (Math.imul(hash, 31) + text.charCodeAt(c)) | 0
  }
  return hash
}

export const getters = () => {
  const seen = []
  const text = JSON.stringify({
    get a() {
      seen.push('a')
      return {
        get b() {
          seen.push('b')
          return 1
        },
      }
    },
    c: new Proxy(
      { x: 1, y: 2 },
      { ownKeys: (t) => (seen.push('keys'), Reflect.ownKeys(t)), get: (t, k) => (seen.push(`get ${String(k)}`), t[k]) },
    ),
  })
  return [text, seen]
}

export const large = () => {
  const rows = Array.from({ length: 600 }, (_, id) => ({
    id,
    name: `row ${id}`,
    tags: ['a', 'b', id % 3 === 0],
    nested: { x: id / 3 },
  }))
  const text = JSON.stringify(rows)
  return [text.length, JSON.parse(text).reduce((sum, { nested }) => sum + nested.x, 0)]
}
