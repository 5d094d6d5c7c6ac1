// Strings and Unicode.

const FAMILY = '👨‍👩‍👧'
const MIXED = 'aß\u0130İıŉǰΐﬃ𐐀𝒳ＡΣςσ'

export const normalForms = () => {
  const texts = [
    'é',
    'e\u0301',
    '\u212b',
    'ﬁ',
    '가',
    '각',
    '\u1e9b\u0323',
    'q\u0307\u0323',
    '\u0958',
    '⑨',
    '㌀',
    '\ud834\udd5e',
  ]
  return texts.flatMap((text) => ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => units(text.normalize(form))))
}

export const normalizedLong = () => {
  let text = ''
  for (let i = 0xc0; i < 0x250; i++) text += String.fromCodePoint(i) + '\u0323\u0301'
  const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => text.normalize(form))
  return [forms.map((form) => form.length), forms[0] === forms[1].normalize('NFC'), units(forms[3]).slice(0, 400)]
}

export const normalizeOrder = () =>
  ['a\u0315\u0300\u05ae\u0062', 'a\u0300\u0315\u05ae', '\u1161\u11a8', '\u1100\u1161\u11a8'].map((t) => [
    units(t.normalize('NFC')),
    units(t.normalize('NFD')),
  ])

export const cases = () => [
  MIXED.toUpperCase(),
  MIXED.toLowerCase(),
  units('İ'.toLowerCase()),
  'ß'.toUpperCase(),
  'ﬃ'.toUpperCase(),
]

export const finalSigma = () =>
  ['ΑΣ', 'ΑΣΑ', 'Σ', 'Α Σ', 'ΑΣ.', 'Α\u00adΣ', 'ΑΣ\u0301', '𐐀Σ', 'ΑΣ\u0301Α'].map((text) => text.toLowerCase())

export const allCases = () => {
  let hash = 0
  for (let code = 0; code < 0x3000; code++) {
    const text = String.fromCodePoint(code)
    for (const mapped of [text.toUpperCase(), text.toLowerCase()])
      for (let i = 0; i < mapped.length; i++) hash = (Math.imul(hash, 31) + mapped.charCodeAt(i)) | 0
  }
  return hash
}

export const codePoints = () => [
  [...FAMILY].map((c) => c.codePointAt(0)),
  FAMILY.length,
  Array.from('a\ud800b\udc00c', (c) => units(c)),
  '\ud83d\ude00'.codePointAt(1),
  show('😀'.codePointAt(9)),
  String.fromCodePoint(0x10ffff).length,
  caught(() => String.fromCodePoint(0x110000)),
  String.fromCharCode(0x1f600) === '\uf600',
]

export const wellFormed = () =>
  ['a', '\ud800', 'x\udc00y', '\ud83d\ude00', '\ude00\ud83d', '\ud800\ud800\udc00'].map((text) => [
    text.isWellFormed(),
    units(text.toWellFormed()),
  ])

export const loneSurrogates = () => {
  const lone = 'a\ud800'
  return [
    lone.length,
    lone === `a\ud800`,
    units(lone + '\udc00'),
    units(lone.normalize()),
    units(lone.toUpperCase()),
    units(lone.split('').reverse().join('')),
    JSON.stringify(lone),
  ]
}

export const searching = () => [
  'canal'.indexOf('a', 2),
  'canal'.lastIndexOf('a', -1),
  'canal'.lastIndexOf('a', NaN),
  'abc'.includes('', 9),
  'abc'.indexOf('', 9),
  'abc'.startsWith('b', 1),
  'abc'.endsWith('b', 2),
  'aXbX'.replaceAll('X', "$&$`$'$$"),
  'aXbX'.replace('X', (match, at, whole) => `${match}${at}${whole}`),
  caught(() => 'a'.startsWith(/a/)),
]

export const cutting = () => [
  'abcdef'.slice(-3, -1),
  'abcdef'.substring(4, 1),
  'abcdef'.substr(-3, 2),
  'abc'.at(-1),
  show('abc'.at(5)),
  'a,b,,c'.split(','),
  'a,b,,c'.split(',', 2),
  'abc'.split(''),
  '😀'.split('').map(units),
  ''.split(','),
  'ab'.split(/(?:)/u),
  'a1b2'.split(/(\d)/),
]

export const padding = () => [
  '7'.padStart(3, '0'),
  'x'.padEnd(8, '😀').length,
  'ab'.padStart(7, 'xyz'),
  'a'.repeat(0),
  caught(() => 'a'.repeat(-1)),
  caught(() => 'a'.repeat(2 ** 30)),
]

export const trimming = () => {
  const spaces = '\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
  return [
    `${spaces}x${spaces}`.trim(),
    `${spaces}x`.trimStart(),
    `x\u180e\u200b`.trimEnd().length,
    `x${spaces}`.trimEnd(),
  ]
}

export const orderWithoutLocale = () => {
  const words = ['z', 'a', 'Z', 'ä', 'é', 'e', 'É', '10', '9', '\uffff', '😀', '\ud83d', 'ß', 'ss', '']
  return words.sort().map(units)
}

export const localeMethods = () => [
  'a'.localeCompare('b'),
  'b'.localeCompare('a'),
  'a'.localeCompare('a'),
  'ä'.localeCompare('z'),
  'I'.toLocaleLowerCase(),
  'i'.toLocaleUpperCase(),
  (1234.5).toLocaleString(),
]

export const building = () => {
  let text = ''
  for (let i = 0; i < 3000; i++) text += i % 7 === 0 ? 'é' : String.fromCharCode(97 + (i % 26))
  const parts = text.match(/.{1,37}/g)
  return [text.length, parts.length, parts.at(-1), text.slice(1000, 1010)]
}

export const ropes = () => {
  let [left, right] = ['', '']
  for (let i = 0; i < 2000; i++) {
    left = left + i
    right = i + right
  }
  let hash = 0
  for (const c of left + right) hash = (Math.imul(hash, 33) + c.charCodeAt(0)) | 0
  return [left.length, right.length, hash]
}

export const wideAndNarrow = () => {
  const out = []
  for (const text of ['abc', 'äöü', 'aбв', '漢字', '\u0100\u00ff'])
    out.push(text + 'x', (text + 'x').slice(0, -1) === text, text.concat(text).indexOf(text, 1))
  return out
}

export const templates = () => {
  const tag = (strings, ...values) => [strings.map(units), strings.raw.map(units), values]
  const same = () => tag`a`
  return [
    tag`\u{1F600}${1}\n${'x'}`,
    String.raw`\u00e9${1 + 1}\n`,
    show(((s) => s[0])`\unicode`),
    ((s) => s)`a` === ((s) => s)`a`,
    same()[0],
  ]
}

export const encodedComponents = () => [
  encodeURIComponent('a b&c/é😀'),
  encodeURI('http://x/ä?q=1#ü'),
  decodeURIComponent('%F0%9F%98%80'),
  decodeURI('%2F%C3%A9'),
  caught(() => decodeURIComponent('%')),
  caught(() => decodeURIComponent('%C0%80')),
  caught(() => encodeURIComponent('\ud800')),
  escape('ä 漢'),
  unescape('%u6F22%E4'),
]

export const html = () => ['<'.anchor('"x"'), 'a'.bold(), 'b'.link('&'), 'c'.fontcolor('red')]

export const levenshtein = () => {
  const [a, b] = ['kitten sitting on the mat', 'sitting kitten at the mall']
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row.at(-1)
}
