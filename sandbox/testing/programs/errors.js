// Errors and their stacks: the text, too, is part of an outcome.

const outer = (thrown) => inner(thrown)
const inner = (thrown) => {
  throw thrown
}
const stackOf = (run) => {
  try {
    run()
    return 'nothing was thrown'
  } catch (error) {
    return error.stack
  }
}

export const stacks = () => [
  stackOf(() => outer(new Error('made elsewhere'))),
  stackOf(() => null.x),
  stackOf(() => [1].map(() => undefined.y)),
  stackOf(() => JSON.parse('{')),
  stackOf(() => new RegExp('(')),
  stackOf(() => (0, eval)('\n\n  nothing()')),
  stackOf(() => new Function('a', 'return a.b.c')({})),
]

export const stackOfMethods = () => {
  class Thing {
    static make() {
      return new Thing()
    }
    constructor() {
      this.run()
    }
    run() {
      return Reflect.apply(
        function named() {
          ;[3].forEach(() => this['#gone']())
        },
        this,
        [],
      )
    }
    get ['a b']() {
      throw new Error('from a getter')
    }
  }
  return [stackOf(() => Thing.make()), stackOf(() => Object.create(Thing.prototype)['a b'])]
}

export const uncaught = () => outer(new RangeError('not caught\nsecond line'))

export const uncaughtObject = () => {
  throw { code: 7, toString: () => 'an object' }
}

export const uncaughtText = () => {
  throw 'just text'
}

export const uncaughtLater = async () => {
  await null
  await outer(new SyntaxError('later'))
}

export const uncaughtCause = () => {
  throw new Error('outside', { cause: new TypeError('inside', { cause: 5 }) })
}

export const cause = () => {
  const error = new Error('a', { cause: new TypeError('b') })
  return [
    show(error.cause),
    Object.hasOwn(new Error('x'), 'cause'),
    Object.hasOwn(new Error('x', { cause: undefined }), 'cause'),
    show(new Error('x', 5).cause),
  ]
}

export const aggregates = async () => {
  const error = new AggregateError([new Error('1'), 2, new TypeError('3')], 'several', { cause: 0 })
  const any = await Promise.any([Promise.reject(1), Promise.reject(new Error('2'))]).catch((e) => e)
  return [show(error), show(error.errors), error.cause, any.constructor.name, any.message, show(any.errors)]
}

export const suppressed = () => caught(() => new SuppressedError(new Error('a'), new Error('b'), 'c').message)

export const messages = () => [
  caught(() => undefined.a),
  caught(() => null[Symbol('s')]),
  caught(() => 1()),
  caught(() => ({}).a()),
  caught(() => nowhere),
  caught(() => new (() => 1)()),
  caught(() => [...5]),
  caught(() => {
    const [a] = null
  }),
  caught(() => {
    const { a } = undefined
  }),
  caught(() => 1 in 'x'),
  caught(() => ({}) instanceof 5),
  caught(() => Symbol() + ''),
  caught(() =>
    class {
      static #a
      static has() {
        return this.#a
      }
    }.has.call({}),
  ),
  caught(() => {
    early
    let early
  }),
  caught(() => {
    const fixed = 1
    fixed = 2
  }),
  caught(() => Object.freeze([1]).push(2)),
  caught(() => Object.defineProperty({}, 'a', { get: 1 })),
  caught(() => new Uint8Array(-1)),
  caught(() => 'x'.repeat(Infinity)),
  caught(() => (1.5).toFixed(101)),
  caught(() => Reflect.construct(1)),
  caught(() => new Proxy({}, null)),
  caught(() => structuredClone),
]

export const syntax = () =>
  [
    'let a; let a',
    'return 1',
    'await 1',
    'a b',
    '({a:1',
    '`${',
    'for (;;',
    '1++',
    'class { }',
    'x = => 1',
    '"\\u{',
    'new.target',
    'super()',
    'yield',
    '0777n',
    'break',
    '/(/',
    'var \\u{1F600}',
  ].map((code) => caught(() => new Function(code)))

export const evaluated = () =>
  [
    'let a; let a',
    '1;\n\n}',
    'await 1',
    'import("x")',
    '"use strict"; with ({}) {}',
    '08',
    '"use strict"; 08',
    'delete x',
  ].map((code) => caught(() => typeof (0, eval)(code)))

export const subclasses = () => {
  class AppError extends Error {
    constructor(message, code) {
      super(message)
      this.code = code
    }
    get name() {
      return 'AppError'
    }
  }
  class Worse extends AppError {}
  const error = new Worse('w', 3)
  return [show(error), error instanceof AppError, Object.prototype.toString.call(error), Object.keys(error), `${error}`]
}

export const properties = () => {
  const error = new Error('m')
  return [
    Object.getOwnPropertyNames(error),
    Object.getOwnPropertyNames(Error.prototype),
    Object.getOwnPropertyNames(TypeError),
    error.propertyIsEnumerable('message'),
    Error('m') instanceof Error,
    Object.getOwnPropertyNames(Error),
  ]
}

export const prepared = () => {
  const before = Error.prepareStackTrace
  Error.stackTraceLimit = 2
  const short = stackOf(() => outer(new Error('short')))
  Error.stackTraceLimit = 10
  Error.prepareStackTrace = (error, frames) =>
    `${error.message}: ${frames.length} frames ${typeof frames[0]?.getFunctionName?.()}`
  const custom = String(stackOf(() => outer(new Error('custom'))))
  Error.prepareStackTrace = before
  return [short, custom]
}

export const finallyOrder = () => {
  const seen = []
  const run = (how) => {
    for (let i = 0; i < 3; i++) {
      try {
        seen.push(`try ${i}`)
        if (how === 'throw') throw new Error('t')
        if (how === 'return') return 'r'
        if (how === 'continue') continue
      } catch (e) {
        seen.push(`catch ${e.message}`)
        if (i === 1) throw new Error('again')
      } finally {
        seen.push(`finally ${i}`)
        if (i === 2) return 'from finally'
      }
    }
    return 'end'
  }
  return [['throw', 'return', 'continue', 'none'].map((how) => caught(() => run(how))), seen]
}

export const rejectedOrder = async () => {
  const seen = []
  const log = (name) => (x) => {
    seen.push(`${name}:${show(x)}`)
    return x
  }
  await Promise.allSettled([
    Promise.reject(1).then(log('a'), log('b')),
    Promise.reject(2).finally(log('c')).catch(log('d')),
    Promise.reject(3)
      .catch(() => Promise.reject(4))
      .catch(log('e')),
    new Promise(() => {
      throw 5
    }).catch(log('f')),
  ])
  return seen
}
