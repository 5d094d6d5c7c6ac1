import { describe, expect, test } from 'vitest'
import { CONSOLE_BYTES_MAX, CONSOLE_LINES_MAX } from '../protocol/limits.ts'
import { limits, perform } from './fixture.ts'

/** Little fuel is enough to print all that can be, and programs that go on for ever end soon. */
const printed = (body: string) =>
  perform(`export default () => { ${body} }`, null, { limits: { ...limits, fuel: 5_000_000 } }).console
const lines = (body: string) => printed(body).map(({ text }) => text)

const LEFT_OUT = { level: 'warn', text: '[what was printed beyond the limit is left out]' }

describe('the console', () => {
  test('keeps levels and order, module first', () => {
    const module = `console.log('module'); export default () => {
      for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace', 'dir']) console[level](level)
    }`
    const expected = [
      'log module',
      'debug debug',
      'log log',
      'info info',
      'warn warn',
      'error error',
      'debug trace',
      'log dir',
    ]
    expect(perform(module).console.map(({ level, text }) => `${level} ${text}`)).toEqual(expected)
  })

  test.each([
    ['"a", 1, true, null, undefined, 2n, -0', 'a 1 true null undefined 2n 0'],
    ['[1, ["x"]], { a: 1, b: { c: "y" } }', '[1, ["x"]] {a: 1, b: {c: "y"}}'],
    ['new (class Point { x = 1 })(), Object.create(null)', 'Point {x: 1} {}'],
    ['new Uint8Array(3), new Float32Array(2)', 'Uint8Array(3) Float32Array(2)'],
    ['() => 1, class A {}, function f() {}, Symbol("s")', '[function ] [function A] [function f] Symbol(s)'],
    ['[[[[[1]]]]], { a: { a: { a: { a: { a: 1 } } } } }', '[[[[[…]]]]] {a: {a: {a: {a: {…}}}}}'],
    ['Array.from({ length: 103 }, () => 1)', `[${'1, '.repeat(100)}… 3 more]`],
    ['new Error("x").message, Object.assign(new TypeError("y"), { stack: "s" })', 'x TypeError: y\ns'],
    ['{ get a() { throw 1 } }, "after"', '[unprintable] after'],
    ['', ''],
  ])('shows %s', (args, text) => {
    expect(lines(`console.log(${args})`)).toEqual([text])
  })

  test('shows a cycle as far as it is deep', () => {
    expect(lines('const a = {}; a.a = a; console.log(a)')).toEqual(['{a: {a: {a: {a: {…}}}}}'])
  })

  test('has no control characters, and none that turn the reading direction', () => {
    expect(lines(String.raw`console.log('a\u001b[31m\u0000\r\u0085\u009b\u202e\u2066\u2028b\tc\nd\ud800')`)).toEqual([
      'a[31mb\tc\nd\ufffd',
    ])
  })

  test('has so many lines at most, the last of which says so', () => {
    const kept = printed(`for (let i = 0; i < ${CONSOLE_LINES_MAX}; i++) console.log(i)`)
    expect(kept).toHaveLength(CONSOLE_LINES_MAX)
    expect(kept.slice(-2)).toEqual([{ level: 'log', text: `${CONSOLE_LINES_MAX - 2}` }, LEFT_OUT])
    expect(printed(`for (let i = 1; i < ${CONSOLE_LINES_MAX}; i++) console.log(i)`).at(-1)).toEqual({
      level: 'log',
      text: `${CONSOLE_LINES_MAX - 1}`,
    })
  })

  test('has so many bytes at most, counted as UTF-8', () => {
    const bytes = (text: string) => new TextEncoder().encode(text).length
    for (const body of [
      'for (;;) console.log("é".repeat(1000))',
      'console.log("x".repeat(1e7)); for (;;);',
      'for (;;) console.error("😀")',
    ]) {
      const kept = printed(body)
      expect(kept.at(-1)).toEqual(LEFT_OUT)
      expect(kept.reduce((sum, { text }) => sum + bytes(text), 0)).toBeLessThanOrEqual(CONSOLE_BYTES_MAX)
    }
  })

  test('of a module that printed too much stays full', () => {
    const module = `for (let i = 0; i < 2000; i++) console.log(i); export default () => console.log('more')`
    expect(perform(module).console.at(-1)).toEqual(LEFT_OUT)
    expect(perform(module).console).toHaveLength(CONSOLE_LINES_MAX)
  })
})
