// Regular expressions.

const all = (pattern, text) => Array.from(text.matchAll(pattern), (m) => [m.index, ...Array.from(m, show)])

export const named = () => {
  const { groups } = /(?<year>\d{4})-(?<month>\d\d)/.exec('on 2024-05')
  return [
    groups.year,
    groups.month,
    '2024-05'.replace(/(?<y>\d+)-(?<m>\d+)/, '$<m>/$<y>'),
    show(Object.getPrototypeOf(groups)),
  ]
}

export const duplicateNames = () => caught(() => /(?<a>x)|(?<a>y)/.exec('y').groups.a)

export const lookbehind = () => [
  all(/(?<=\$)\d+/g, 'a $12 b 34 $5'),
  all(/(?<!\$)\b\d+/g, 'a $12 b 34 $5'),
  all(/(?<=(\d+)(\d+))x/g, '1234x'),
  all(/(?<=^.{2})./gu, '😀ab'),
]

export const lookahead = () => [
  all(/a(?=b)/g, 'abac'),
  all(/a(?!b)/g, 'abac'),
  all(/(?=(a+))a*b\1/g, 'baaabac'),
  all(/(.*?)a(?!(a+)b\2c)\2(.*)/g, 'baaabaac'),
]

export const sticky = () => {
  const pattern = /\s*(\d+|[-+*/()])/y
  const out = []
  for (let m; (m = pattern.exec('12 + 3*(45-6) x')); ) out.push(m[1], pattern.lastIndex)
  return [out, pattern.lastIndex]
}

export const lastIndexes = () => {
  const pattern = /a/g
  const out = []
  for (let i = 0; i < 5; i++) out.push(pattern.test('aa'), pattern.lastIndex)
  pattern.lastIndex = 99
  out.push(pattern.test('aa'), pattern.lastIndex)
  return out
}

export const unicodeSets = () => [
  all(/[\p{L}--[a-z]]/gv, 'aBcÉ1'),
  all(/[\p{Emoji}&&\p{ASCII}]/gv, 'a1#😀'),
  all(/^\p{RGI_Emoji}$/gv, '👨‍👩‍👧'),
  caught(() => /[a--b&&c]/v),
  all(/[[a-z]--[aeiou]]+/gv, 'queueing'),
]

export const properties = () => [
  all(/\p{Script=Greek}+/gu, 'abc αβγ ДЖ'),
  all(/\p{Lu}/gu, 'aÄ𝒳b'),
  all(/\P{L}+/gu, 'a1 b'),
  all(/\p{Script_Extensions=Deva}/gu, '\u0964a'),
  caught(() => /\p{Nonsense}/u),
]

export const propertySizes = () => {
  const sizes = {}
  for (const name of ['L', 'Lu', 'Nd', 'Zs', 'White_Space', 'ID_Start', 'Script=Han', 'Emoji', 'Cn']) {
    const pattern = new RegExp(`^\\p{${name}}$`, 'u')
    let size = 0
    for (let code = 0; code < 0x20000; code += 17) if (pattern.test(String.fromCodePoint(code))) size++
    sizes[name] = size
  }
  return sizes
}

export const foldedCases = () => [
  /ſ/i.test('s'),
  /ſ/iu.test('s'),
  /\u212a/iu.test('k'),
  /\w/iu.test('ſ'),
  /[^x]/iu.test('X'),
  /ß/iu.test('ẞ'),
  /ς/iu.test('Σ'),
  /\u{10400}/iu.test('\u{10428}'),
]

export const backtracking = () => [
  /^(a+)+$/.test('a'.repeat(14) + 'b'),
  /(x+x+)+y/.test('x'.repeat(14)),
  /^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(13)),
]

export const backtrackingOutOfFuel = () => /^(a|aa)+$/.test('a'.repeat(60) + 'b')

export const backreferences = () => [
  all(/(\w)\1/g, 'aabbcd'),
  all(/\b(\w+) \1\b/g, 'the the cat'),
  all(/(a)?\1b/g, 'b'),
  all(/\2(a)(b)/g, 'ab'),
  all(/(?:(a)|b)*/g, 'ab'),
]

export const greedy = () => [
  all(/a.*?c/g, 'abcabc'),
  all(/a.*c/g, 'abcabc'),
  all(/(a{2,3}?)(a*)/g, 'aaaaa'),
  all(/(?:a|ab)(?:c|bcd)(d*)/g, 'abcd'),
  all(/x*/g, 'axb'),
]

export const dotAndLines = () => [
  all(/^./gm, 'a\nb\r\nc\u2028d'),
  all(/a.b/gs, 'a\nb'),
  all(/$/gm, 'a\nb'),
  /a$/.test('a\n'),
]

export const indices = () => {
  const match = /(?<a>x)(y)?/d.exec('axz')
  return [match.indices[0], show(match.indices[2]), match.indices.groups.a]
}

export const replacing = () => [
  'abc'.replace(/(?<x>b)/, (...args) => show(args)),
  'aaa'.replace(/a/g, "[$&$`$'$1$$]"),
  'x-1 y-2'.replace(/(\w)-(\d)/g, '$2$1$3$01'),
  'abc'.replace(/(z)?b/, '<$1>'),
  'été'.replace(/\w/g, '.'),
  '😀'.replace(/./g, 'x'),
  '😀'.replace(/./gu, 'x'),
  caught(() => 'a'.replaceAll(/a/, 'b')),
]

export const splitting = () => [
  'a1b22c'.split(/\d+/),
  'a1b22c'.split(/(\d)(\d)?/).map(show),
  'abc'.split(/(?:)/),
  'aXbX'.split(/x/i),
  ''.split(/./),
  ''.split(/x*/),
]

export const flags = () => [
  /a/dgimsuy.flags,
  new RegExp(/x/g, 'i').flags,
  String(new RegExp('/')),
  String(new RegExp('')),
  String(new RegExp('\n')),
  caught(() => new RegExp('a', 'gg')),
  caught(() => new RegExp('a', 'uv')),
]

export const modifiers = () => caught(() => new RegExp('(?i:a)b').exec('Ab')[0])

export const syntaxErrors = () =>
  ['(', '[b-a]', 'a**', '(?<a', '\\', '(?<a>)(?<a>)', 'a{2,1}', '(?<=a', '*', ')']
    .map((p) => caught(() => new RegExp(p)))
    .concat(['\\-', '{', '\\u{110000}', '[\\d-z]'].map((p) => caught(() => new RegExp(p, 'u'))))

export const customExec = () => {
  const pattern = /a/g
  let calls = 0
  pattern.exec = (text) => (calls++ < 2 ? { 0: 'zz', index: calls, length: 1, groups: undefined } : null)
  return ['abcdef'.replace(pattern, 'Q'), calls, Symbol.match in pattern]
}

export const tokenizer = () => {
  const source = 'let x = 10 + foo("b\\"ar") // end\nreturn x ** 2;'
  const pattern =
    /(?<space>\s+)|(?<comment>\/\/.*)|(?<string>"(?:\\.|[^"\\])*")|(?<number>\d+)|(?<name>[a-z]\w*)|(?<sign>\*\*|[-+=();])/gy
  return Array.from(source.matchAll(pattern), (m) =>
    Object.entries(m.groups)
      .find(([, text]) => text !== undefined)
      .join('|'),
  )
}

export const longInput = () => {
  const text = 'lorem ipsum dolor sit amet '.repeat(300)
  return [text.match(/\b\w{5}\b/g).length, text.replace(/o(?=r)/g, '0').match(/0/g).length, text.search(/amet $/)]
}
