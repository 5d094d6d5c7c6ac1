// Classes: fields, private names, inheritance, accessors, names.

export const fields = () => {
  const seen = []
  const log = (x) => (seen.push(x), x)
  class A {
    static [log('static key')] = log('static value')
    static {
      log('static block')
      this.made = true
    }
    [log('key')] = log('value')
    #secret = log('private')
    constructor() {
      log('constructor')
    }
  }
  class B extends A {
    own = log('own')
    constructor() {
      log('before super')
      super()
      log('after super')
    }
  }
  new B()
  return [seen, A.made, Object.keys(new A())]
}

export const privates = () => {
  class Counter {
    #n = 0
    static #made = 0
    static make() {
      Counter.#made++
      return new Counter()
    }
    static get made() {
      return Counter.#made
    }
    get #double() {
      return this.#n * 2
    }
    set #double(x) {
      this.#n = x / 2
    }
    #bump() {
      return ++this.#n
    }
    run() {
      this.#bump()
      this.#double += 6
      return [this.#n, this.#double, #n in this, #bump in {}]
    }
    static peek(x) {
      return x.#n
    }
  }
  return [
    Counter.make().run(),
    Counter.made,
    caught(() => Counter.peek({})),
    caught(() => Counter.peek.call(null, new Counter())),
  ]
}

export const inheritance = () => {
  class A {
    static who() {
      return `static ${this.name}`
    }
    who() {
      return 'a'
    }
    get kind() {
      return 'A'
    }
  }
  class B extends A {
    who() {
      return `b<${super.who()}`
    }
    get kind() {
      return `B<${super.kind}`
    }
    static who() {
      return super.who()
    }
  }
  const o = {
    __proto__: new B(),
    who() {
      return `o<${super.who()}`
    },
  }
  return [
    o.who(),
    o.kind,
    B.who(),
    Object.getPrototypeOf(B) === A,
    caught(() => B()),
    caught(() => {
      class C extends null {
        constructor() {
          super()
        }
      }
      new C()
    }),
    caught(() => {
      class D extends A {
        constructor() {}
      }
      new D()
    }),
  ]
}

export const builtins = () => {
  class List extends Array {
    sum() {
      return this.reduce((a, b) => a + b, 0)
    }
  }
  class Dict extends Map {
    get(k) {
      return super.get(k) ?? `no ${k}`
    }
  }
  class Text extends String {
    shout() {
      return `${this}!`
    }
  }
  class Call extends Function {}
  return [
    List.from([1, 2, 3])
      .map((x) => x * 2)
      .sum(),
    List.of(1) instanceof List,
    new Dict([[1, 2]]).get(5),
    new Text('a').shout(),
    new Call('return 5')(),
    new (class extends Uint8Array {})(3).subarray(1).constructor.name,
  ]
}

export const names = () => {
  const o = {
    f() {},
    get g() {
      return 1
    },
    ['a' + 'b']: () => {},
    [Symbol('s')]: function () {},
    async *h() {},
  }
  const anonymous = [() => {}, function () {}, class {}]
  const {
    f: { name },
  } = o
  return [
    name,
    Object.getOwnPropertyDescriptor(o, 'g').get.name,
    o.ab.name,
    Reflect.ownKeys(o).map((k) => String(o[k]?.name)),
    anonymous.map((x) => x.name),
    function () {}.bind().name,
    new Function().name,
    (() => {}).length,
    ((a, b = 1, c) => {}).length,
    String(o.f),
    String(
      class A {
        x = 1
      },
    ),
  ]
}

export const accessors = () => {
  const o = { a: 1 }
  Object.defineProperty(o, 'b', {
    get() {
      return this.a
    },
    set(v) {
      this.a = v
    },
    enumerable: false,
    configurable: true,
  })
  o.b = 7
  return [
    o.b,
    Object.keys(o),
    show(Object.getOwnPropertyDescriptors(o)),
    o.__lookupGetter__('b').name,
    caught(() => {
      'use strict'
      Object.freeze(o).a = 1
    }),
  ]
}
