/**
 * Guest code: finds every function that a guest can reach, through properties, accessors and prototypes, from its globals
 * and from what syntax alone makes. A function has the first path by which it is met, the shortest.
 */
export const BUILT_INS_SOURCE = `
const { getPrototypeOf, getOwnPropertyDescriptor } = Object
const { ownKeys } = Reflect

// Met first, so that what they hold is named by them.
const { prototype: functions } = Function
const of = getPrototypeOf
const ROOTS = {
  'Object.prototype': Object.prototype,
  'Function.prototype': functions,
  'Array.prototype': Array.prototype,
  'Error.prototype': Error.prototype,
  'Promise.prototype': Promise.prototype,
  'Iterator.prototype': Iterator.prototype,
  '%TypedArray%': of(Int8Array),
  '%ArrayIterator%': of([].values()),
  '%StringIterator%': of(''[Symbol.iterator]()),
  '%MapIterator%': of(new Map().entries()),
  '%SetIterator%': of(new Set().values()),
  '%RegExpStringIterator%': of('a'.matchAll(/a/g)),
  '%IteratorHelper%': of([].values().map(Boolean)),
  '%WrappedIterator%': of(Iterator.from({ next() {} })),
  '%ConcatIterator%': of(Iterator.concat([])),
  '%GeneratorFunction%': (function* () {}).constructor,
  '%AsyncFunction%': (async () => {}).constructor,
  '%AsyncGeneratorFunction%': (async function* () {}).constructor,
  '%Generator%': of(of((function* () {})())),
  '%AsyncGenerator%': of(of((async function* () {})())),
  '%AsyncIterator%': of(of(of((async function* () {})()))),
  '%ThrowTypeError%': getOwnPropertyDescriptor((function () { 'use strict'; return arguments })(), 'callee').get,
  '%withResolvers%': Promise.withResolvers(),
  '%revocable%': Proxy.revocable({}, {}),
  '%match%': /(?<a>a)/d.exec('a'),
}

const keyText = (key) => (typeof key === 'symbol' ? '[' + key.description + ']' : '.' + key)

const builtIns = () => {
  const seen = new Set()
  const found = []
  const queue = [['', globalThis], ...Object.entries(ROOTS)]
  for (let i = 0; i < queue.length; i++) {
    const [path, value] = queue[i]
    const isFunction = typeof value === 'function'
    if ((!isFunction && typeof value !== 'object') || value === null || seen.has(value)) continue
    seen.add(value)
    if (isFunction) found.push(path)
    for (const key of ownKeys(value)) {
      const here = path === '' ? keyText(key).slice(1) : path + keyText(key)
      const { value: held, get, set } = getOwnPropertyDescriptor(value, key)
      queue.push([here, held], ['get ' + here, get], ['set ' + here, set])
    }
    queue.push([path + '.__proto__', getPrototypeOf(value)])
  }
  return found
}
`
