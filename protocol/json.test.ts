import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { parseJson } from './json.ts'

const ESCAPES = { '\n': '\\', '"': '\\', 'x\t\t': 'x\\t', '\u0001': '\\', '\\\\': '\\\\' }

test.each(Object.entries(ESCAPES))('the key %j is read as it is, whatever was read before', (key, before) => {
  for (const first of ['a', 'b', '', 'a longer key']) {
    expect(Object.keys(parseJson(JSON.stringify({ [first]: 1, [before]: 1 })) as object)).toEqual([first, before])
    expect(Object.keys(parseJson(JSON.stringify({ [first]: 1, [key]: 1 })) as object)).toEqual([first, key])
  }
})

test.each([
  ['{"\\n":1,"a":[],"b":{},"\\n":[2, {"\\\\":"\\"}" } , -1e3 ]}', { '\n': [2, { '\\': '"}' }, -1000], a: [], b: {} }],
  [
    ' { "\\u0061" : [ true , false , null , "" , 0.5 ] , "\\t" : { "c" : [ [ ] ] } } ',
    { a: [true, false, null, '', 0.5], '\t': { c: [[]] } },
  ],
  ['["\\n:","a"]', ['\n:', 'a']],
  ['{"a":"\\"","b":1}', { a: '"', b: 1 }],
  ['"\\n"', '\n'],
])('%s', (text, value) => {
  expect(parseJson(text)).toEqual(value)
})

test('a key __proto__ is a property like any other', () => {
  const parsed = parseJson('{"__proto__":{"\\n":1}}') as object
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  expect(Object.keys(parsed)).toEqual(['__proto__'])
})

test.each(['', '{', '{"\\n"}', '{"\\n":1,}', '["\\n":1]', '{"\\x":1}', '{"\n":1}'])('%j is refused', (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError)
})

test('whatever is written is read again', async () => {
  const strange = fc.string({
    unit: fc.constantFrom('a', 'n', '"', '\\', '\n', '\u0000', '{', '}', '[', ']', ':', ',', ' '),
  })
  const { value } = fc.letrec<{ value: unknown; record: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, 1.5, -0.1e-7),
      strange,
      fc.array(tie('value')),
      tie('record'),
    ),
    record: fc.dictionary(strange, tie('value')),
  }))
  const indents = fc.constantFrom(undefined, 2, '\t')
  await checkProperty(
    'json',
    fc.property(value, indents, (x, indent) => {
      const text = JSON.stringify(x, undefined, indent)
      expect(JSON.stringify(parseJson(text), undefined, indent)).toBe(text)
    }),
    { runs: 2000 },
  )
})
