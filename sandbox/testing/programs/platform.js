// What stands around the language: console, encoders, random numbers, and what is not there.

export const encoding = () =>
  ['', 'a', 'é', '😀', '\ud800', 'a\udc00b', '\u0000', '\uffff', '\u07ff\u0800'].map((text) =>
    new TextEncoder().encode(text).join(),
  )

export const encodingInto = () => {
  const room = new Uint8Array(5)
  return [show(new TextEncoder().encodeInto('aé😀', room)), room.join()]
}

export const decoding = () =>
  [
    [0x61],
    [0xc3, 0xa9],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xff],
    [0xc3],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xc0, 0x80],
    [0xef, 0xbb, 0xbf, 0x61],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82, 0x61],
  ].map((bytes) => [
    units(new TextDecoder().decode(new Uint8Array(bytes))),
    caught(() => units(new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes)))),
  ])

export const decodingAtRandom = () => {
  const next = numbersFrom(61)
  let hash = 0
  for (let i = 0; i < 120; i++) {
    const text = new TextDecoder().decode(Uint8Array.from({ length: 12 }, () => next() >>> 24))
    for (let c = 0; c < text.length; c++) hash = (Math.imul(hash, 31) + text.charCodeAt(c)) | 0
  }
  return hash
}

export const base64 = () =>
  ['', 'a', 'ab', 'abc', 'ÿ']
    .map((x) => btoa(x))
    .concat(
      ['YQ==', 'YQ', ' Y Q = = ', 'YWJj', '====', 'Y', 'ab=c', '/+=='].map((x) => caught(() => atob(x))),
      caught(() => btoa('☃')),
    )

export const cloning = () => {
  const o = {
    a: [1, new Date(5), /x/gi, new Map([[1, { b: 2n }]]), new Set(['s']), new Uint8Array([1, 2])],
    u: undefined,
  }
  o.self = o
  const c = caught(() => {
    const c = structuredClone(o)
    return [
      c !== o,
      c.self === c,
      c.a[1].getTime(),
      String(c.a[2]),
      show(c.a[3]),
      show(c.a[4]),
      c.a[5].join(),
      'u' in c,
    ]
  })
  return [c, caught(() => structuredClone(() => 1)), caught(() => structuredClone(Symbol()))]
}

export const randomNumbers = () => Array.from({ length: 20 }, () => Math.random())

export const randomBytes = () => [
  [...crypto.getRandomValues(new Uint8Array(8))],
  [...crypto.getRandomValues(new Uint32Array(3))],
  caught(() => crypto.getRandomValues(new Float64Array(1))),
  caught(() => crypto.getRandomValues(new Uint8Array(65537))),
]

export const uuid = () => caught(() => [crypto.randomUUID(), crypto.randomUUID()])

export const shuffled = () => {
  const list = Array.from({ length: 52 }, (_, i) => i)
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

export const monteCarlo = () => {
  let inside = 0
  for (let i = 0; i < 3000; i++) if (Math.random() ** 2 + Math.random() ** 2 < 1) inside++
  return inside
}

export const consoleOutput = () => {
  for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace', 'dir'])
    console[level](level, 1, -0, NaN, 'text', null, undefined, true, 5n, Symbol('s'))
  console.log(
    { a: [1, { b: { c: { d: { e: 1 } } } }], f() {}, g: () => {}, [Symbol('k')]: 1, 'odd key': 1 },
    [1, , 3],
    new Map([[1, { a: 2 }]]),
    new Set([1]),
    new Date(0),
    /x/g,
    new Uint8Array(3),
  )
  console.log(
    new Error('e'),
    new (class Foo {
      x = 1
    })(),
    Object.create(null),
    new Proxy({ a: 1 }, {}),
    [[[[[[1]]]]]],
    class A {},
    function named() {},
    Promise.resolve(1),
  )
  console.log('\u0000\u001b[31m\u202eevil\nsecond\tline', '\ud800', '%s %d', 'x')
  console.log(
    Array.from({ length: 150 }, (_, i) => i),
    'long '.repeat(50),
  )
  console.log({
    get thrown() {
      throw new Error('in a getter')
    },
  })
  console.log()
}

export const context = (input, env, ctx) => [
  show(input),
  Object.keys(env),
  Object.keys(ctx).sort(),
  ctx.invocationId,
  typeof ctx.call,
  ctx.signal.aborted,
  Object.isFrozen(ctx),
  caught(() => {
    'use strict'
    ctx.call = 1
  }),
]

export const absent = () =>
  [
    'process',
    'require',
    'Buffer',
    'WeakRef',
    'FinalizationRegistry',
    'SharedArrayBuffer',
    'WebAssembly',
    'Intl',
    'Atomics',
    'performance',
    'navigator',
    'Worker',
    'importScripts',
    'std',
    'os',
    'gc',
    'print',
    'window',
    'self',
    'document',
    'global',
    'Bun',
    'Deno',
  ].filter((name) => name in globalThis)

export const globalNames = () => Object.getOwnPropertyNames(globalThis).sort()

export const everyBuiltIn = () => {
  const seen = new Set()
  let hash = 0
  let count = 0
  const note = (text) => {
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
    count++
  }
  const walk = (x, path) => {
    if ((typeof x !== 'object' && typeof x !== 'function') || x === null || seen.has(x)) return
    seen.add(x)
    for (const key of Reflect.ownKeys(x)) {
      const d = Reflect.getOwnPropertyDescriptor(x, key)
      note(
        `${path}.${String(key)} ${d.writable} ${d.enumerable} ${d.configurable} ${typeof d.value} ${typeof d.value === 'function' ? d.value.length : ''}`,
      )
      for (const part of [d.value, d.get, d.set]) walk(part, `${path}.${String(key)}`)
    }
    walk(Reflect.getPrototypeOf(x), `${path}.__proto__`)
  }
  walk(globalThis, 'global')
  return [count, hash]
}

export const dynamicImport = async () => [
  await import(['x'].join()).catch((e) => `${e.name}: ${e.message}`),
  caught(() => typeof import.meta.url),
]

export const changedBuiltIns = () => {
  Array.prototype.map = () => 'mine'
  JSON.stringify = () => 'mine'
  Object.prototype.toJSON = () => 'mine'
  Promise.prototype.then = () => 'mine'
  String.prototype.slice = () => 'mine'
  Array.prototype[Symbol.iterator] = null
  return { kept: [1, 'two', { three: 3n }] }
}

export const changedAsync = async () => {
  Object.defineProperty(Object.prototype, 'then', {
    get() {
      return undefined
    },
    configurable: true,
  })
  Object.defineProperty(Array.prototype, '0', {
    set() {
      throw new Error('set')
    },
    configurable: true,
  })
  return [await null, 'still']
}
