/** A guest that makes hosts compile most of the engine anew: source, for `createSandbox`. Its input: how many rounds. */
const PARSED = `function f(a, b) {
  let { x, y = [1, 2] } = { x: { y: a ? b : c } }
  try {
    for (const k of y) {
      switch (k) { case 1: if (a) return \`a\${b}c\`.replace(/(a|b)*c[^d]/g, (m) => m + 1); default: while (a < b) a++ }
    }
  } catch (e) { throw new Error('x') } finally {
    a = [...y, { ...x }, async () => { await y }, class A extends B { static #p = 1; get z() { return super.z } }]
  }
  return function* () { yield* [1] }
}`

export const WORKLOAD = `
const parsed = ${JSON.stringify(PARSED)}
const copy = (o) => typeof o !== 'object' || !o ? o
  : Array.isArray(o) ? o.map(copy) : Object.fromEntries(Object.entries(o).map(([k, v]) => [k, copy(v)]))
const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2)
class A { constructor(x) { this.x = x } get y() { return this.x } toString() { return 'A' + this.x } valueOf() { return this.x } }
class C extends A { constructor(x) { super(x) } }
function* count(k) { if (k) { yield k; yield* count(k - 1) } }
const handler = { get: (t, k) => Reflect.get(t, k), has: () => true, ownKeys: (t) => Reflect.ownKeys(t),
  getOwnPropertyDescriptor: (t, k) => Reflect.getOwnPropertyDescriptor(t, k) }

const text = (n) => {
  let out = 0
  const re = /(?<y>\\d{4})-(\\d\\d)|((a|b)+c?)*d|\\p{Lu}(?=x)/u
  for (let i = 0; i < 20 * n; i++) out += re.exec('abababcabcd 2020-12 ' + i).length
  for (let i = 0; i < n; i++) new RegExp('(?:'.repeat(5) + i + '[a-z]+(?<n>x|y)*' + ')'.repeat(5), 'u').test('abc')
  for (let i = 0; i < 5 * n; i++) {
    let s = ''
    for (let j = 0; j < 20; j++) s += String.fromCharCode(65 + j)
    out += s.split('').reverse().join('').toLowerCase().padStart(30).trim().indexOf('a')
    out += (123456789n ** 5n % 97n) ? 1 : 0
    out += parseFloat('1.5e3') + (1 / 3).toFixed(5).length + new Date(2000, 1, i).toISOString().length
  }
  return out
}
const data = (n) => {
  let out = 0
  const o = JSON.parse('[' + '{"a":[1,2,{"b":"c"}],"d":null},'.repeat(20 * n) + '1]')
  const deep = JSON.parse('['.repeat(90) + ']'.repeat(90))
  for (let i = 0; i < n; i++) out += JSON.stringify(deep).length + JSON.stringify(o).length
  const all = Array.from({ length: 50 * n }, (_, i) => (i * 7919) % 1000)
  out += all.slice().sort((a, b) => a - b).map((x) => x + 1).filter((x) => x % 2).reduce((a, b) => a + b, 0)
  const m = new Map()
  for (let i = 0; i < 50 * n; i++) m.set('k' + i, { i })
  for (const [, v] of m) out += v.i
  for (let i = 0; i < 10 * n; i++) out += [[[[1], [2]], [3]], [4]].flat(Infinity).length + copy({ a: [{ b: 1 }] }).a.length
  let list = null
  for (let i = 0; i < 300 * n; i++) list = { next: list }
  return out
}
const calls = (n) => {
  let out = fib(10 + n / 5)
  for (let i = 0; i < n; i++) out += new Function(parsed.replace('f(', 'f' + i + '(')).length
  const p = new Proxy({ a: 1 }, handler)
  for (let i = 0; i < 20 * n; i++) out += p.a + Object.keys(p).length + ('x' in p)
  for (let i = 0; i < 50 * n; i++) {
    const c = new C(i)
    out += c.y + c + String(c).length + new (C.bind(null, i))().x + Math.max.apply(null, [1, 2, i])
  }
  for (let i = 0; i < n; i++) for (const v of count(10)) out += v
  for (let i = 0; i < 10 * n; i++) try { null.x } catch (e) { out += e.stack.length }
  return out
}
export default async (rounds) => {
  let out = 0
  for (let i = 0; i < rounds; i++) { out += text(10) + data(10) + calls(10); await null }
  return out
}`
