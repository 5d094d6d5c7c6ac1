/** Random programs: expressions over numbers, strings, arrays, bigints and regular expressions; and races of requests. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Program, programOf } from './program.ts'

const SHOW = readFileSync(new URL('./programs/show.js', import.meta.url), 'utf8')

type Text = fc.Arbitrary<string>

/** `parts` with what `arbitraries` give between them: text`${a} + ${b}`. */
const text = (parts: TemplateStringsArray, ...arbitraries: Text[]): Text =>
  fc.tuple(...arbitraries).map((chosen) => parts.reduce((all, part, i) => all + chosen[i - 1] + part))

const literal = (value: unknown): string => JSON.stringify(value) ?? 'undefined'

const NUMBERS = ['0', '-0', '1', '-1', '0.1', '1.5', '2 ** 31', '2 ** 53', '1e21', '5e-324', 'NaN', 'Infinity', '1e-7']
const number: Text = fc.oneof(fc.constantFrom(...NUMBERS), fc.integer().map(String), fc.double().map(String))

/** Any code unit, so lone surrogates too; JSON escapes them. */
const units: Text = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((u) => String.fromCharCode(u)),
  maxLength: 8,
})
const WORDS = ['', 'abc', 'aAbB', 'éÉ', '😀', 'İı', 'x1y22', '  a b ', 'ΑΣ', '2024-02-29', '[1,{"a":2}]', '0x1f']
const string: Text = fc.oneof(fc.constantFrom(...WORDS), units).map(literal)

const ATOMS = [
  'a',
  '[a-c]',
  '\\d',
  '\\w',
  '.',
  '\\b',
  '(a|b)',
  '(?:x|)',
  '(?<n>.)',
  '(?=a)',
  '(?<!b)',
  '\\p{L}',
  '[^a]',
  '^',
  '$',
]
const atom: Text = fc
  .tuple(fc.constantFrom(...ATOMS), fc.constantFrom('', '', '*', '+', '?', '{1,2}', '*?'))
  .map(([one, times]) => (/^(\\b|\^|\$|\(\?<!)/.test(one) ? one : one + times))
const pattern: Text = fc
  .tuple(
    fc.uniqueArray(atom, { minLength: 1, maxLength: 4, selector: (one) => (one.includes('<n>') ? 'n' : one) }),
    fc.constantFrom('g', 'gi', 'gu', 'giu', 'gs', 'gm', 'gy'),
  )
  .map(([atoms, flags]) => `new RegExp(${literal(atoms.join(''))}, '${flags}')`)

const big: Text = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((x) => `(${x}n)`)

const BINARY = ['+', '-', '*', '/', '%', '**', '&', '|', '^', '<<', '>>', '<', '==', '===', '??', '&&', '||', ',']
const MATHS = ['sin', 'exp', 'log', 'sqrt', 'cbrt', 'round', 'fround', 'clz32', 'trunc', 'tanh', 'atan', 'log1p']
const TEXT_METHODS = [
  'trim()',
  'toUpperCase()',
  'toLowerCase()',
  'normalize("NFD")',
  'toWellFormed()',
  'at(-1)',
  'split("")',
  'codePointAt(0)',
  'padStart(9, "ab")',
  'repeat(3)',
  'slice(1, -1)',
]
const LIST_METHODS = [
  'sort()',
  'toReversed()',
  'join()',
  'map(String)',
  'flat()',
  'filter(Boolean)',
  'map((x, i) => [i, x])',
  'toSorted((a, b) => (a < b ? 1 : -1))',
  'reduce((a, b) => a + b)',
  'indexOf(1)',
  'length',
  'entries().toArray()',
]
const MADE_OF_ONE = [
  'Number(X)',
  'String(X)',
  'Boolean(X)',
  'BigInt(X)',
  'JSON.stringify(X)',
  'JSON.parse(X)',
  'typeof X',
  '-X',
  '!X',
  '[...X]',
  'Object.keys(X)',
  'new Date(X).getTime()',
  'parseFloat(X)',
  'parseInt(X, 16)',
  'new Set([X, 1]).size',
  'Array.from(X, show)',
  'BigInt.asUintN(64, X)',
  'encodeURIComponent(X)',
  'new Float32Array([X])[0]',
  'new Map([[X, 1]]).get(X)',
  'structuredClone(X)',
  'X.toString(36)',
  'X.toFixed(3)',
  'Math.hypot(X, 1)',
]

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression')
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'expression' },
      fc.oneof(number, string, big, fc.constantFrom('null', 'undefined', 'true', '{}', '[]', 'x', 'y')),
      text`(${inner} ${fc.constantFrom(...BINARY)} ${inner})`,
      text`Math.${fc.constantFrom(...MATHS)}(${inner})`,
      text`String(${inner}).${fc.constantFrom(...TEXT_METHODS)}`,
      text`[${inner}, ${inner}, ${inner}].${fc.constantFrom(...LIST_METHODS)}`,
      fc.tuple(fc.constantFrom(...MADE_OF_ONE), inner).map(([form, one]) => form.replaceAll('X', `(${one})`)),
      text`String(${inner}).${fc.constantFrom('replace', 'split', 'match', 'search')}(${pattern}, ${inner})`,
      text`(${inner} ? ${inner} : ${inner})`,
      text`((x, y) => ${inner})(${inner}, ${inner})`,
      text`[...(function* () { for (let x = 0; x < 4; x++) yield ${inner} })()]`,
    ),
  }
})

const EXPRESSIONS_MAX = 5

/** A program of a few expressions, each of which shows what it comes to or what it throws. */
export const randomProgram: fc.Arbitrary<Program> = fc
  .array(expression, { minLength: 1, maxLength: EXPRESSIONS_MAX })
  .map((all) => {
    const lines = all.map((one) => `  caught(() => { let [x, y] = [3, 'y']; return (${one}) }),`)
    return programOf('random', `${SHOW}\nexport default () => [\n${lines.join('\n')}\n]`)
  })

const REFS = ["'#echo'", "'#void'", "'#fail'"]
const STEPS = [
  "log.push(await call(REF, 'NAME'))",
  "log.push(await call(REF, 'NAME').catch((e) => e.message), Math.random())",
  "total = total * 3 + Number((await call(REF, 'NAME')) === null) + 1",
  "log.push(await Promise.race([call(REF, 'NAME'), gate]).catch((e) => e.code))",
  "await Promise.any([call(REF, 'NAME'), call('#fail', 'NAME')]).catch((e) => log.push(e.errors.length))",
  "open(await call(REF, 'NAME').catch(() => 'closed'))",
  "for await (const one of [call(REF, 'NAME'), total]) log.push(one)",
  "total++; if (log.length % 2) await call(REF, 'NAME'); else log.push(total)",
]
const step: Text = fc
  .tuple(fc.constantFrom(...STEPS), fc.constantFrom(...REFS), fc.integer({ min: 0, max: 9 }))
  .map(([form, ref, n]) => `    ${form.replaceAll('REF', ref).replaceAll('NAME', `n${n}`)}`)

/** A program whose two or three tasks race, each with a request or two. */
export const randomRace: fc.Arbitrary<Program> = fc
  .array(fc.array(step, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 })
  .filter((tasks) => tasks.flat().join().split('call(').length <= 6)
  .map((tasks) => {
    const bodies = tasks.map((steps) => `  (async () => {\n${steps.join('\n')}\n  })(),`)
    const code = `export default async (input, env, { call }) => {
  const log = []
  let total = 0
  const { promise: gate, resolve: open } = Promise.withResolvers()
  const ends = await Promise.allSettled([\n${bodies.join('\n')}\n  ])
  return [log, total, ends.map(({ status, reason }) => reason?.message ?? status)]
}`
    return programOf('race', code, { effects: ['call'] })
  })
