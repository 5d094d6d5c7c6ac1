// Results that are no Values, or only just.

export const undefinedResult = () => undefined
export const numberEdges = () => [-0, 5e-324, 1.7976931348623157e308, 2 ** 53, 0.1, -1e-7, 1e21]
export const notANumber = () => ({ a: [1, { b: NaN }] })
export const infinite = () => [Infinity]
export const bigEdges = () => [2n ** 64n - 1n, -(2n ** 63n), 0n]
export const bigTooLarge = () => ({ x: 2n ** 64n })
export const lone = () => ['ok', 'a\ud800']
export const loneKey = () => ({ '\ud800': 1 })
export const date = () => ({ when: new Date() })
export const map = () => [new Map()]
export const instance = () =>
  new (class Point {
    x = 1
  })()
export const withoutPrototype = () => Object.assign(Object.create(null), { b: 1, a: 2, 1: 3 })
export const functionResult = () => ({ f() {} })
export const symbolResult = () => Symbol('s')
export const cycle = () => {
  const a = []
  a.push({ a })
  return a
}
export const shared = () => {
  const a = { x: 1 }
  return [a, a, { a }]
}
export const deepest = () => {
  let a = 1
  for (let i = 0; i < 127; i++) a = [a]
  return a
}
export const tooDeep = () => {
  let a = 1
  for (let i = 0; i < 129; i++) a = [a]
  return a
}
export const slash = () => ({ '/': 'x' })
export const slashAmongOthers = () => ({ '/': 1, a: 2 })
export const protoKey = () => JSON.parse('{"__proto__":{"x":1},"constructor":2}')
export const keysInOrder = () => ({ b: 1, aa: 2, a: 3, 10: 4, 9: 5, '': 6, é: 7, Z: 8 })
export const bytes = () => ({
  a: new Uint8Array([0, 255]),
  empty: new Uint8Array(0),
  part: new Uint8Array(8).subarray(2, 4),
  bytes: [new Uint8Array([1])],
})
export const otherTyped = () => new Float64Array(1)
export const getterOnce = () => {
  let n = 0
  return {
    get a() {
      return ++n
    },
    b: { toJSON: () => 'unused', c: 1 },
  }
}
export const getterThrows = () => ({
  get a() {
    throw new RangeError('in a getter')
  },
})
export const proxyResult = () => new Proxy({ a: 1, b: [2] }, {})
export const arraySubclass = () => new (class List extends Array {})(1, 2, 3)
export const holesAndUndefined = () => ({ list: [1, , undefined], gone: undefined, nothing: null })
export const text = () => '\u0000\u0007\u2028"\\😀\ufeff'
export const large = () => Array.from({ length: 3000 }, (_, i) => ({ i, half: i / 2, text: `item ${i}` }))
export const manyBytes = () => Array.from({ length: 200 }, (_, i) => new Uint8Array(i))
export const boxed = () => [Object(1), Object('a')]
