// How deep a guest may go: the engine says so itself, at the same depth everywhere, and what it throws can be caught.

const depthOf = (descend) => {
  let depth = 0
  try {
    descend(() => {
      depth++
    })
  } catch (error) {
    return [error.constructor.name, error.message, depth]
  }
  return ['no end', '', depth]
}

export const plainCalls = () =>
  depthOf((step) => {
    const f = () => {
      step()
      f()
    }
    f()
  })

export const callsWithArguments = () =>
  depthOf((step) => {
    const f = (a, b, c, ...rest) => {
      step()
      return f(a + 1, [b], { c }, ...rest) + 1
    }
    f(1, 2, 3, 4, 5)
  })

export const mutual = () =>
  depthOf((step) => {
    const even = (n) => (step(), odd(n + 1))
    const odd = (n) => (step(), even(n + 1))
    even(0)
  })

export const methods = () =>
  depthOf((step) => {
    class A {
      go() {
        step()
        return new A().go()
      }
    }
    new A().go()
  })

export const constructors = () =>
  depthOf((step) => {
    class A {
      constructor() {
        step()
        this.next = new A()
      }
    }
    new A()
  })

export const subclasses = () =>
  depthOf((step) => {
    class A {
      constructor() {
        step()
        new B()
      }
    }
    class B extends A {}
    new B()
  })

export const getters = () =>
  depthOf((step) => {
    const o = {
      get a() {
        step()
        return o.a
      },
    }
    o.a
  })

export const callbacks = () =>
  depthOf((step) => {
    const f = () => {
      step()
      ;[1].forEach(f)
    }
    f()
  })

export const sorts = () =>
  depthOf((step) => {
    const f = () => {
      step()
      ;[2, 1].sort(f)
      return 0
    }
    f()
  })

export const replacers = () =>
  depthOf((step) => {
    const f = () => {
      step()
      return 'a'.replace(/a/, f)
    }
    f()
  })

export const applied = () =>
  depthOf((step) => {
    const f = () => {
      step()
      f.apply(null, [1, 2])
    }
    f()
  })

export const reflected = () =>
  depthOf((step) => {
    const f = function () {
      step()
      Reflect.construct(f, [])
    }
    f()
  })

export const proxied = () =>
  depthOf((step) => {
    const p = new Proxy({}, { get: (t, k) => (step(), p[k]) })
    p.x
  })

export const proxyChain = () => {
  let p = {}
  for (let i = 0; i < 20000; i++) p = new Proxy(p, {})
  return caught(() => p.x)
}

export const prototypeChain = () => {
  let p = {}
  for (let i = 0; i < 20000; i++) p = Object.create(p)
  return show(p.x)
}

export const generators = () =>
  depthOf((step) => {
    const g = function* () {
      step()
      yield* g()
    }
    g().next()
  })

export const asyncCalls = async () => {
  let depth = 0
  const f = async () => {
    depth++
    await f()
  }
  const thrown = await f().catch((e) => `${e.name}: ${e.message}`)
  return [thrown, depth]
}

export const toStrings = () =>
  depthOf((step) => {
    const o = {
      toString() {
        step()
        return `${o}`
      },
    }
    ;`${o}`
  })

export const toPrimitive = () =>
  depthOf((step) => {
    const o = {
      [Symbol.toPrimitive]() {
        step()
        return o + 1
      },
    }
    o + 1
  })

export const iterators = () =>
  depthOf((step) => {
    const o = {
      [Symbol.iterator]() {
        step()
        return [...o][Symbol.iterator]()
      },
    }
    ;[...o]
  })

export const destructuring = () =>
  depthOf((step) => {
    const o = {
      get a() {
        step()
        const { a } = o
        return a
      },
    }
    o.a
  })

export const taggedTemplates = () =>
  depthOf((step) => {
    const t = () => {
      step()
      return t`x`
    }
    t()
  })

export const evals = () =>
  depthOf((step) => {
    globalThis.again = () => {
      step()
      return (0, eval)('again()')
    }
    again()
  })

export const functionsMade = () =>
  depthOf((step) => {
    globalThis.again = () => {
      step()
      return new Function('return again()')()
    }
    again()
  })

export const afterOverflow = () => {
  const f = () => f()
  const out = []
  for (let i = 0; i < 5; i++) out.push(caught(f))
  let depth = 0
  const g = () => {
    depth++
    g()
  }
  caught(g)
  return [out, depth, [3, 1, 2].sort()]
}

export const overflowInFinally = () => {
  let depth = 0
  const f = () => {
    try {
      depth++
      f()
    } finally {
      depth++
    }
  }
  return [caught(f), depth]
}

export const overflowCaughtEachTime = () => {
  let count = 0
  const f = (n) => {
    try {
      return f(n + 1)
    } catch {
      count++
      return n
    }
  }
  return [f(0), count]
}

export const overflowUncaught = () => {
  const f = () => f()
  f()
}
