// Map, Set, WeakMap, WeakSet, symbols, arrays, and the order of keys.

export const mapOrder = () => {
  const m = new Map([
    ['b', 1],
    ['a', 2],
    [1, 3],
    ['1', 4],
  ])
  m.delete('b')
  m.set('b', 5)
  m.set('a', 6)
  return [[...m].map(show), m.size]
}

export const changedWhileIterated = () => {
  const m = new Map([
    [1, 1],
    [2, 2],
    [3, 3],
  ])
  const seen = []
  for (const [key] of m) {
    seen.push(key)
    if (key === 1) m.delete(2)
    if (key < 6) m.set(key + 3, 0)
    if (key === 5) m.clear()
  }
  const s = new Set([1, 2])
  s.forEach((x) => {
    seen.push(x)
    if (x < 5) {
      s.delete(x)
      s.add(x + 2)
    }
  })
  return [seen, m.size, [...s]]
}

export const keysThatAreEqual = () => {
  const m = new Map([
    [NaN, 'nan'],
    [0, 'zero'],
    ['', 'empty'],
    [null, 'null'],
    [undefined, 'undefined'],
    [1n, 'big'],
    [true, 'true'],
  ])
  return [
    m.get(0 / 0),
    m.get(-0),
    Object.is([...m.keys()][1], 0),
    m.get(''),
    m.get(1),
    m.get(BigInt(1)),
    new Set([-0, 0, NaN, NaN]).size,
    Object.is([...new Set([-0])][0], 0),
  ]
}

export const setAlgebra = () => {
  const [a, b] = [new Set([1, 2, 3, 4]), new Set([3, 5, 4])]
  return [
    'union',
    'intersection',
    'difference',
    'symmetricDifference',
    'isSubsetOf',
    'isSupersetOf',
    'isDisjointFrom',
  ].map((name) => caught(() => a[name](b)))
}

export const grouping = () => [
  show(Object.groupBy([1, 2, 3, 4, 5], (x) => (x % 2 ? 'odd' : 'even'))),
  show([...Map.groupBy(['a', 'bb', 'cc'], (x) => x.length)]),
]

export const manyKeys = () => {
  const m = new Map()
  const next = numbersFrom(41)
  for (let i = 0; i < 2500; i++) m.set(next() % 1000, i)
  for (let i = 0; i < 500; i++) m.delete(next() % 1000)
  let hash = 0
  for (const [k, v] of m) hash = (Math.imul(hash, 31) + k * 7 + v) | 0
  return [m.size, hash]
}

export const objectKeys = () => {
  const o = { z: 1, 10: 1, 9: 1, a: 1, [-1]: 1, '01': 1, [Symbol('x')]: 1 }
  o[2] = 1
  delete o.z
  o.z = 2
  const inherited = Object.create(o, { own: { enumerable: true }, hidden: { enumerable: false } })
  const seen = []
  for (const key in inherited) seen.push(key)
  return [Object.keys(o), Reflect.ownKeys(o).map(String), seen, JSON.stringify(o)]
}

export const deletedWhileEnumerated = () => {
  const o = { a: 1, b: 2, c: 3, d: 4 }
  const seen = []
  for (const key in o) {
    seen.push(key)
    delete o.c
    o.e = 5
    if (key === 'a') Object.defineProperty(o, 'd', { enumerable: false })
  }
  return seen
}

export const dictionaries = () => {
  const o = Object.create(null)
  for (let i = 0; i < 1500; i++) o[`key${(i * 7919) % 1000}`] = i
  for (let i = 0; i < 300; i++) delete o[`key${i}`]
  return [Object.keys(o).length, Object.keys(o).slice(0, 5), Object.values(o).reduce((a, b) => a + b)]
}

export const weak = () => {
  const [m, s] = [new WeakMap(), new WeakSet()]
  const keys = Array.from({ length: 300 }, (_, i) => ({ i }))
  keys.forEach((k, i) => (i % 2 ? m.set(k, i) : s.add(k)))
  keys.length = 100
  return [
    keys.filter((k) => m.has(k)).length,
    keys.filter((k) => s.has(k)).length,
    caught(() => m.set(1, 1)),
    caught(() => m.set(Symbol.for('x'), 1)),
    caught(() => m.set(Symbol('x'), 1) === m),
    m.get({}) === undefined,
    typeof WeakRef,
    typeof FinalizationRegistry,
  ]
}

export const symbols = () => [
  Symbol('a').toString(),
  Symbol('a').description,
  show(Symbol().description),
  Symbol.for('k') === Symbol.for('k'),
  Symbol.keyFor(Symbol.for('k')),
  show(Symbol.keyFor(Symbol('k'))),
  Object.getOwnPropertyNames(Symbol).sort(),
  caught(() => Symbol() + 1),
  caught(() => +Symbol()),
  caught(() => new Symbol()),
  Object(Symbol.iterator) == Symbol.iterator,
]

export const wellKnownSymbols = () => {
  class Even {
    static [Symbol.hasInstance](x) {
      return x % 2 === 0
    }
  }
  const spread = { length: 2, 0: 'a', 1: 'b', [Symbol.isConcatSpreadable]: true }
  class List extends Array {
    static get [Symbol.species]() {
      return Array
    }
  }
  const u = { [Symbol.toStringTag]: 'Mine', [Symbol.toPrimitive]: (hint) => hint }
  return [
    2 instanceof Even,
    [0].concat(spread),
    new List(1, 2).map((x) => x) instanceof List,
    `${Object.prototype.toString.call(u)} ${u} ${u + ''} ${u * 1}`,
    'a-b'.split({ [Symbol.split]: (s) => s.length }),
  ]
}

export const arrayMethods = () => {
  const a = [5, 1, 4, 2, 3]
  return [
    a.copyWithin(0, 3).join(),
    a.fill(9, 1, 2).join(),
    a.flatMap((x) => [x, [x]]).length,
    a.findLastIndex((x) => x === 9),
    a.reduceRight((s, x) => s + x, ''),
    [1, [2, [3, [4]]]].flat(2).length,
    Array.of(7).length,
    Array.from('añ😀').length,
    a.indexOf(NaN),
    [NaN].includes(NaN),
    [, 1].findIndex((x) => x === undefined),
    [3, 2].toString(),
    [[], null, undefined, [1]].join('-'),
  ]
}

export const arrayLikes = () => {
  const o = { length: 3, 0: 'a', 2: 'c' }
  Array.prototype.push.call(o, 'd')
  const out = [
    show(o),
    Array.prototype.map.call('abc', (x) => x + x).join(),
    Array.from(o).length,
    Array.prototype.concat.call(1, 2).length,
    caught(() => Array.prototype.push.call(Object.freeze({ length: 0 }), 1)),
  ]
  return [...out, caught(() => Array.prototype.push.call({ length: 2 ** 53 - 1 }, 1))]
}

export const holes = () => {
  const a = [1, , 3]
  const seen = []
  a.forEach((x) => seen.push(x))
  a.length = 5
  return [
    seen,
    1 in a,
    Object.keys(a),
    a.map((x) => x).length,
    [...a].length,
    JSON.stringify(a),
    a.indexOf(undefined),
    a.includes(undefined),
    a.flat().length,
    a.at(1) === undefined,
    Object.entries(a).length,
  ]
}

export const largeSparse = () => {
  const a = []
  a[1e6] = 1
  a[5] = 2
  a.length = 100
  return [a.length, Object.keys(a), a.reduce((s, x) => s + x)]
}

export const graph = () => {
  const edges = new Map()
  const next = numbersFrom(51)
  for (let i = 0; i < 300; i++) {
    const [from, to, cost] = [next() % 40, next() % 40, (next() % 20) + 1]
    if (!edges.has(from)) edges.set(from, [])
    edges.get(from).push([to, cost])
  }
  const cost = new Map([[0, 0]])
  const open = new Set([0])
  while (open.size) {
    const node = [...open].reduce((a, b) => (cost.get(a) <= cost.get(b) ? a : b))
    open.delete(node)
    for (const [to, step] of edges.get(node) ?? []) {
      const total = cost.get(node) + step
      if (total < (cost.get(to) ?? Infinity)) {
        cost.set(to, total)
        open.add(to)
      }
    }
  }
  return [...cost].map((x) => x.join(':'))
}
