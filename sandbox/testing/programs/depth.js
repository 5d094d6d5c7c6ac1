// Recursion of every kind, each as deep as it goes: how deep that is, and what ends it.

/** How often `enter` is entered when it calls what it is given, and what ends that. */
const calls = (enter) => {
  let depth = 0
  const again = () => {
    depth++
    return enter(again)
  }
  try {
    again()
  } catch (error) {
    return [depth, String(error)]
  }
  return [depth, 'none']
}

/** The most for which `attempt` does not fail, and how it does for one more. */
const most = (attempt, max = 3000) => {
  let [good, bad, failure] = [0, max + 1, 'none']
  for (let middle = max; bad - good > 1; middle = (good + bad) >> 1) {
    try {
      attempt(middle)
      good = middle
    } catch (error) {
      bad = middle
      failure = String(error)
    }
  }
  return [good, failure]
}

const nested = (depth, wrap, value = 1) => {
  let all = value
  for (let i = 0; i < depth; i++) all = wrap(all)
  return all
}
const parses = (open, middle, close) => most((n) => (0, eval)(open.repeat(n) + middle + close.repeat(n)), 2000)

// Calls of guests.
export const plain = () => calls((again) => again())
export const manyArguments = () => calls((again) => again(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
export const rest = () => calls((again) => ((...all) => again(...all))(1, 2, 3))
export const manyVariables = () =>
  calls((again) => {
    const [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8]
    return again() + a + b + c + d + e + f + g + h
  })
export const guarded = () =>
  calls((again) => {
    try {
      return again()
    } finally {
      Math.sqrt(4)
    }
  })
export const method = () => calls((again) => ({ m: () => again() }).m())
export const constructed = () =>
  calls(
    (again) =>
      new (class {
        constructor() {
          again()
        }
      })(),
  )
export const derived = () =>
  calls((again) => {
    class A {
      constructor() {
        again()
      }
    }
    class B extends A {}
    return new B()
  })
export const tagged = () => calls((again) => ((strings) => again(strings))`x${1}y`)
export const called = () => calls((again) => again.call(null))
export const applied = () => calls((again) => again.apply(null, [1, 2]))
export const reflected = () => calls((again) => Reflect.apply(again, null, []))
export const reflectedNew = () =>
  calls((again) =>
    Reflect.construct(function () {
      again()
    }, []),
  )
export const bound = () => calls((again) => again.bind(null, 1)())
export const evaluated = () => {
  let depth = 0
  globalThis.deeper = () => {
    depth++
    eval('deeper()')
  }
  try {
    deeper()
  } catch (error) {
    return [depth, String(error)]
  }
}
export const compiled = () => calls((again) => new Function('again', 'return again()')(again))
export const asynchronous = () =>
  calls((again) => {
    ;(async () => again())()
  })
export const generated = () =>
  calls((again) => [
    ...(function* () {
      yield again()
    })(),
  ])
export const delegated = () =>
  most((n) => {
    function* count(left) {
      if (left > 0) yield* count(left - 1)
      yield left
    }
    let sum = 0
    for (const one of count(n)) sum += one
    return sum
  }, 1500)

// What looks like no call.
export const getter = () =>
  calls(
    (again) =>
      ({
        get x() {
          return again()
        },
      }).x,
  )
export const setter = () =>
  calls((again) => {
    ;({
      set x(value) {
        again()
      },
    }).x = 1
  })
export const converted = () => calls((again) => `${{ toString: () => again() ?? '' }}`)
export const valued = () => calls((again) => +{ valueOf: () => again() ?? 1 })
export const primitive = () => calls((again) => 1 + { [Symbol.toPrimitive]: () => again() ?? 1 })
export const compared = () => calls((again) => ({ valueOf: () => again() ?? 1 }) < 2)
export const keyed = () => calls((again) => ({})[{ toString: () => again() ?? 'x' }])
export const instance = () => calls((again) => 1 instanceof { [Symbol.hasInstance]: () => again() })
export const iterated = () => calls((again) => [...{ [Symbol.iterator]: () => again() ?? [].values() }])
export const destructured = () =>
  calls((again) => {
    const [a] = { [Symbol.iterator]: () => again() ?? [].values() }
    return a
  })
export const thenable = () =>
  calls((again) => {
    Promise.resolve(Object.defineProperty({}, 'then', { get: again }))
  })
export const executor = () => calls((again) => new Promise(() => again()))

// Callbacks of built-ins.
export const mapped = () => calls((again) => [1].map(again))
export const eached = () => calls((again) => [1].forEach(again))
export const reduced = () => calls((again) => [1, 2].reduce(again))
export const flatMapped = () => calls((again) => [1].flatMap(again))
export const found = () => calls((again) => [1].findLast(again))
export const sorted = () => calls((again) => [2, 1].sort(() => again() ?? 0))
export const madeFrom = () => calls((again) => Array.from([1], again))
export const typedMapped = () => calls((again) => Uint8Array.of(1).map(() => again() ?? 0))
export const typedSorted = () => calls((again) => Float64Array.of(2, 1).sort(() => again() ?? 0))
export const mapEached = () => calls((again) => new Map([[1, 2]]).forEach(again))
export const setEached = () => calls((again) => new Set([1]).forEach(again))
export const replaced = () => calls((again) => 'a'.replace(/a/g, () => again() ?? ''))
export const replacedText = () => calls((again) => 'a'.replaceAll('a', () => again() ?? ''))
export const splitBy = () => calls((again) => 'a'.split({ [Symbol.split]: () => again() }))
export const revived = () => calls((again) => JSON.parse('[1]', again))
export const serialised = () => calls((again) => JSON.stringify({ toJSON: again }))
export const serialisedBy = () =>
  calls((again) =>
    JSON.stringify([1], () => {
      again()
    }),
  )
export const joined = () => calls((again) => [{ toString: () => again() ?? '' }].join())
export const spreadInto = () =>
  calls((again) =>
    [].concat({
      get [Symbol.isConcatSpreadable]() {
        return again()
      },
    }),
  )
export const assigned = () =>
  calls((again) =>
    Object.assign(
      {},
      {
        get x() {
          return again()
        },
      },
    ),
  )
export const grouped = () => calls((again) => Object.groupBy([1], () => again() ?? 'x'))
export const dated = () => calls((again) => new Date({ valueOf: () => again() ?? 1 }))

// Proxies.
const trapped = (name, use) => calls((again) => use(new Proxy(function () {}, { [name]: () => again() })))
export const proxyGet = () => trapped('get', (proxy) => proxy.x)
export const proxySet = () =>
  trapped('set', (proxy) => {
    proxy.x = 1
  })
export const proxyHas = () => trapped('has', (proxy) => 'x' in proxy)
export const proxyDelete = () =>
  trapped('deleteProperty', (proxy) => {
    Reflect.deleteProperty(proxy, 'x')
  })
export const proxyKeys = () => trapped('ownKeys', (proxy) => Object.keys(proxy))
export const proxyDescriptor = () =>
  trapped('getOwnPropertyDescriptor', (proxy) => Object.getOwnPropertyDescriptor(proxy, 'x'))
export const proxyDefine = () => trapped('defineProperty', (proxy) => Reflect.defineProperty(proxy, 'x', {}))
export const proxyPrototype = () => trapped('getPrototypeOf', (proxy) => Object.getPrototypeOf(proxy))
export const proxyApply = () => trapped('apply', (proxy) => proxy())
export const proxyConstruct = () => trapped('construct', (proxy) => new proxy())
const proxies = (depth, target = {}) => nested(depth, (inner) => new Proxy(inner, {}), target)
export const proxiesGet = () => most((n) => proxies(n).x)
export const proxiesSet = () =>
  most((n) => {
    proxies(n).x = 1
  })
export const proxiesHas = () => most((n) => 'x' in proxies(n))
export const proxiesKeys = () => most((n) => Object.keys(proxies(n)))
export const proxiesPrototype = () => most((n) => Object.getPrototypeOf(proxies(n)))
export const proxiesArray = () => most((n) => Array.isArray(proxies(n, [])))
export const proxiesApply = () => most((n) => proxies(n, () => 1)())
export const proxiesConstruct = () => most((n) => new (proxies(n, function () {}))())
export const proxiesExtensible = () => most((n) => Object.isExtensible(proxies(n)))

// Chains and structures.
export const boundCalled = () =>
  most((n) =>
    nested(
      n,
      (inner) => inner.bind(null),
      () => 1,
    )(),
  )
export const boundConstructed = () =>
  most(
    (n) =>
      new (nested(
        n,
        (inner) => inner.bind(null),
        function () {},
      ))(),
  )
export const boundInstance = () =>
  most(
    (n) =>
      ({}) instanceof
      nested(
        n,
        (inner) => inner.bind(null),
        function () {},
      ),
  )
export const inherited = () => most((n) => nested(n, Object.create, { x: 1 }).x, 20000)
export const jsonArray = () => most((n) => JSON.parse('['.repeat(n) + ']'.repeat(n)), 6000)
export const jsonObject = () => most((n) => JSON.parse('{"a":'.repeat(n) + '1' + '}'.repeat(n)), 6000)
export const jsonRevived = () => most((n) => JSON.parse('['.repeat(n) + ']'.repeat(n), (_, value) => value))
export const jsonStringify = () => most((n) => JSON.stringify(nested(n, (inner) => [inner])).length)
export const jsonStringifyObject = () =>
  most(
    (n) =>
      JSON.stringify(
        nested(n, (inner) => ({ a: inner })),
        null,
        1,
      ).length,
    1000,
  )
export const flattened = () => most((n) => nested(n, (inner) => [inner]).flat(Infinity).length)
export const arrayText = () => most((n) => String(nested(n, (inner) => [inner])).length)
export const freedList = () => nested(50000, (next) => ({ next }), null) && 'freed'
export const freedArrays = () => nested(50000, (inner) => [inner]) && 'freed'
export const freedClosures = () => nested(20000, (inner) => () => inner) && 'freed'
export const freedBound = () =>
  nested(
    5000,
    (inner) => inner.bind(null),
    () => 1,
  ) && 'freed'
export const freedProxies = () => proxies(20000) && 'freed'
export const freedPrototypes = () => nested(20000, Object.create, {}) && 'freed'
export const freedMaps = () => nested(20000, (inner) => new Map([[1, inner]])) && 'freed'
export const freedPromises = () => nested(20000, (inner) => inner.then((x) => x), Promise.resolve(1)) && 'freed'
export const collectedCycles = () => {
  for (let i = 0; i < 5; i++) {
    const first = {}
    first.next = nested(20000, (next) => ({ next }), first)
  }
  return 'collected'
}
export const concatenated = () => nested(20000, (left) => left + 'x', '').length

// The parser.
export const parentheses = () => parses('(', '1', ')')
export const arrays = () => parses('[', '', ']')
export const objects = () => parses('({a:', '1', '})')
export const templates = () => parses('`${', '1', '}`')
export const arrows = () => parses('() => ', '1', '')
export const functions = () => parses('(function () {', '', '})')
export const classes = () => parses('(class { m() {', '', '} })')
export const blocks = () => parses('{', '', '}')
export const elses = () => parses('if (0) {} else ', ';', '')
export const loops = () => parses('while (0) ', ';', '')
export const tries = () => parses('try {', '', '} finally {}')
export const switches = () => parses('switch (0) { default: ', '', '}')
export const unaries = () => parses('!', '1', '')
export const minuses = () => parses('- ', '1', '')
export const powers = () => parses('2 ** ', '1', '')
export const ternaries = () => parses('0 ? 0 : ', '1', '')
export const assignments = () => parses('globalThis.x = ', '1', '')
export const news = () => parses('new ', 'Object', '')
export const patterns = () => most((n) => (0, eval)(`(${'['.repeat(n)}a${']'.repeat(n)}) => a`), 2000)
export const labels = () => most((n) => (0, eval)(`${Array.from({ length: n }, (_, i) => `l${i}: `).join('')};`), 2000)
export const additions = () => most((n) => (0, eval)('1 + '.repeat(n) + '1'), 20000)
export const commas = () => most((n) => (0, eval)('1, '.repeat(n) + '1'), 20000)
export const members = () => most((n) => new Function('a', 'return a' + '?.a'.repeat(n)), 20000)
export const callChains = () => most((n) => (0, eval)('const f = () => f; f' + '()'.repeat(n)), 20000)

// Regular expressions.
export const groups = () => most((n) => new RegExp('(?:'.repeat(n) + ')'.repeat(n)))
export const captures = () => most((n) => new RegExp('('.repeat(n) + ')'.repeat(n)), 250)
export const lookaheads = () => most((n) => new RegExp('(?='.repeat(n) + 'a' + ')'.repeat(n)).test('a'))
export const alternatives = () => most((n) => new RegExp('a|'.repeat(n) + 'b').test('b'))
export const sets = () => most((n) => new RegExp('['.repeat(n) + 'a' + ']'.repeat(n), 'v').test('a'))
export const backtracking = () => /^(?:a|ab)*c$/.test('ab'.repeat(20000))
