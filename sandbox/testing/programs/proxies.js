// Proxies and Reflect.

const logged = (target, seen) =>
  new Proxy(
    target,
    new Proxy(
      {},
      {
        get:
          (_, trap) =>
          (...args) => {
            seen.push(
              `${trap}(${args.slice(1).map((x) => (typeof x === 'string' || typeof x === 'symbol' ? String(x) : typeof x))})`,
            )
            return Reflect[trap](...args)
          },
      },
    ),
  )

export const everyTrap = () => {
  const seen = []
  const p = logged(function f() {}, seen)
  p.a = 1
  p.a
  'a' in p
  delete p.a
  Object.keys(p)
  Object.getPrototypeOf(p)
  Object.setPrototypeOf(p, Function.prototype)
  Object.isExtensible(p)
  Object.defineProperty(p, 'b', { value: 1, configurable: true })
  Object.getOwnPropertyDescriptor(p, 'b')
  p(1)
  new p(2)
  Object.preventExtensions(p)
  return seen
}

export const operationsOnObjects = () => {
  const seen = []
  const p = logged({ a: 1, b: { c: 2 } }, seen)
  const { a, ...rest } = p
  const copy = { ...p }
  Object.assign({}, p)
  JSON.stringify(p)
  for (const key in p) seen.push(`key ${key}`)
  Object.entries(p)
  Object.freeze(p)
  return [seen, a, show(rest), show(copy)]
}

export const operationsOnArrays = () => {
  const seen = []
  const p = logged([3, 1, 2], seen)
  p.push(4)
  p.sort()
  p.splice(1, 1)
  const mapped = p.map((x) => x * 2)
  const [x, ...others] = p
  return [seen, Array.isArray(p), mapped, x, others, [].concat(p).length, p.includes(2)]
}

export const invariants = () => {
  const fixed = Object.freeze({ a: 1 })
  const lie = (trap, result) =>
    caught(() => {
      const p = new Proxy(fixed, { [trap]: () => result })
      switch (trap) {
        case 'get':
          return p.a
        case 'has':
          return 'a' in p
        case 'ownKeys':
          return Reflect.ownKeys(p)
        case 'getOwnPropertyDescriptor':
          return Object.getOwnPropertyDescriptor(p, 'a')
        case 'deleteProperty':
          return delete p.a
        case 'getPrototypeOf':
          return Object.getPrototypeOf(p)
        case 'isExtensible':
          return Object.isExtensible(p)
        default:
          return Object.defineProperty(p, 'a', { value: 2 })
      }
    })
  return [
    lie('get', 2),
    lie('has', false),
    lie('ownKeys', []),
    lie('ownKeys', ['a', 'a']),
    lie('ownKeys', [1]),
    lie('getOwnPropertyDescriptor', undefined),
    lie('deleteProperty', true),
    lie('getPrototypeOf', Array.prototype),
    lie('isExtensible', true),
    lie('defineProperty', true),
  ]
}

export const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({ a: 1 }, {})
  const before = proxy.a
  revoke()
  return [before, caught(() => proxy.a), typeof proxy, caught(() => Array.isArray(proxy)), caught(() => `${proxy}`)]
}

export const asPrototype = () => {
  const seen = []
  const o = Object.create(
    new Proxy(
      {},
      {
        get: (t, key, receiver) => (seen.push(String(key)), receiver === o ? `no ${String(key)}` : 'other'),
        set: (t, key, value, receiver) => Reflect.set(t, key, value, receiver),
        has: () => true,
      },
    ),
  )
  o.x = 1
  return [o.y, o.x, 'z' in o, Object.keys(o), seen]
}

export const membrane = () => {
  const wrap = (x) =>
    (typeof x !== 'object' && typeof x !== 'function') || x === null
      ? x
      : new Proxy(x, {
          get: (t, k) => wrap(t[k]),
          apply: (t, self, args) => wrap(t.apply(self, args)),
        })
  const world = wrap({ list: [1, { deep: () => ({ end: 'here' }) }] })
  return [world.list[1].deep().end, world.list.length, caught(() => world.list[5].x)]
}

export const negativeIndices = () => {
  const tail = (list) =>
    new Proxy(list, {
      get: (t, key) => Reflect.get(t, typeof key === 'string' && /^-\d+$/.test(key) ? t.length + Number(key) : key),
    })
  const p = tail(['a', 'b', 'c'])
  return [p[-1], p[0], show(p[-9]), p.join()]
}

export const reflect = () => [
  Reflect.ownKeys({ b: 1, 2: 1, a: 1, 1: 1, [Symbol('s')]: 1 }).map(String),
  Reflect.has([1], 0),
  Reflect.set(Object.freeze({ a: 1 }), 'a', 2),
  Reflect.get(
    {
      get a() {
        return this
      },
    },
    'a',
    'me',
  ),
  show(
    Reflect.construct(
      function () {
        return new.target
      },
      [],
      Array,
    ),
  ).slice(0, 20),
  Reflect.apply(Math.max, null, { length: 2, 0: 5, 1: 7 }),
  caught(() => Reflect.apply(Math.max, null)),
  Reflect.defineProperty({}, 'a', { value: 1 }),
  caught(() => Reflect.getPrototypeOf(1)),
  Reflect.setPrototypeOf({}, null),
  Reflect.isExtensible(Object.seal({})),
]

export const cyclicPrototype = () => {
  const a = {}
  const b = Object.create(a)
  return [
    caught(() => Object.setPrototypeOf(a, b)),
    Reflect.setPrototypeOf(a, b),
    caught(() => {
      a.__proto__ = b
    }),
  ]
}

export const receivers = () => {
  class Base {
    #x = 1
    get x() {
      return this.#x
    }
    set x(v) {
      this.#x = v
    }
  }
  const p = new Proxy(new Base(), {})
  const o = {
    set a(v) {
      this.seen = v
    },
  }
  const child = Object.create(o)
  child.a = 5
  return [
    caught(() => p.x),
    caught(() => {
      p.x = 2
    }),
    child.seen,
    Object.hasOwn(o, 'seen'),
  ]
}

export const manyLayers = () => {
  let p = { a: 1 }
  for (let i = 0; i < 60; i++) p = new Proxy(p, { get: (t, k) => t[k] + 1 })
  return p.a
}

export const evaluationOrder = () => {
  const seen = []
  const log = (name, value) => (seen.push(name), value)
  log('a', { x: 1 })[log('b', 'x')] = log('c', 2)
  log('f', () => 1)(log('x', 1), ...log('spread', [1]), log('y', 2))
  const { [log('k', 'q')]: z = log('default', 5) } = log('source', {})
  ;`${log('t1', 1)}${log('t2', { toString: () => log('toString', '') })}`
  log('left', { valueOf: () => log('valueOf left', 1) }) < log('right', { valueOf: () => log('valueOf right', 2) })
  return [seen, z]
}
