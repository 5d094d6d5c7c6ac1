import { expect, test } from 'vitest'
import { lengthViolations } from './length.ts'
import { parseSource } from './syntax-tree.ts'

const lines = (count: number) => '  f()\n'.repeat(count)
const found = (text: string) => lengthViolations(parseSource('a/x.ts', text))

test.each([
  ['a function', (body: string) => `function a() {\n${body}}`],
  ['an arrow function', (body: string) => `const a = () => {\n${body}}`],
  ['a method', (body: string) => `class A {\nb() {\n${body}}\n}`],
  ['a test', (body: string) => `test('a', () => {\n${body}})`],
])('%s of 71 lines is too long, of 70 is not', (_, around) => {
  expect(found(around(lines(69)))).toEqual([expect.stringMatching(/^a\/x\.ts:\d: a function of 71 lines; at most 70$/)])
  expect(found(around(lines(68)))).toEqual([])
})

test.each(["describe('a', () => {\n", "describe.each([1])('a', () => {\n"])('%s is a list of tests', (opening) => {
  expect(found(`${opening}${lines(90)}})`)).toEqual([])
})

test('a function within a list of tests is still one', () => {
  expect(found(`describe('a', () => {\ntest('b', () => {\n${lines(90)}})\n})`)).toHaveLength(1)
})

test('a file of 401 lines is too long, of 400 is not', () => {
  expect(found(lines(401))).toEqual(['a/x.ts: 401 lines; at most 400'])
  expect(found(lines(400))).toEqual([])
})
