/**
 * What each built-in is called with. A group: of what, names divided by spaces, guest code that makes the inputs from
 * `n`, and guest code that calls, in both of which `$` is the name. What makes inputs is in `guest.ts`.
 */
import { COLLECTION_CASES } from './cases-collections.ts'
import { SYNTAX_CASES } from './cases-syntax.ts'

export type CaseGroup = readonly [of: string, names: string, setup: string, call: string]

const ERRORS = 'Error EvalError RangeError ReferenceError SyntaxError TypeError URIError InternalError'
const CODERS = 'decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape'
const COMPILERS = 'Function %GeneratorFunction% %AsyncFunction% %AsyncGeneratorFunction%'

const GLOBALS: CaseGroup[] = [
  ['', ERRORS, 's = text(n)', 'new $(s, { cause: s })'],
  ['', 'AggregateError', 'a = list(n)', 'new $(a, "")'],
  ['', 'parseInt parseFloat isNaN isFinite Number', 's = "1".repeat(n)', '$(s)'],
  ['', 'Number parseFloat', 's = "1." + "7".repeat(n) + "e-300"', '$(s)'],
  ['', 'parseInt parseFloat Number', 's = " ".repeat(n) + 1', '$(s)'],
  ['', CODERS, 's = text(n)', '$(s)'],
  ['', 'encodeURI encodeURIComponent escape', 's = "é".repeat(n)', '$(s)'],
  ['', 'decodeURI decodeURIComponent unescape', 's = "%C3%A9".repeat(n / 8)', '$(s)'],
  ['', 'eval', 's = "1;".repeat(n / 16)', '$(s)'],
  ['', 'eval', 's = "x".repeat(n)', 'thrown(() => $(s))'],
  ['', COMPILERS, 's = "1;".repeat(n / 16)', 'new (native("$"))(s)'],
  ['', 'BigInt', 's = "7".repeat(n / 16)', '$(s)'],
  ['', 'Boolean Symbol', 's = text(n)', '$(s)'],
  ['', 'String', 'a = list(n / 4)', '$(a)'],
  ['', 'Object', 'a = list(n)', '$(a)'],
  ['', 'Date', 's = "Jan 1 2000 " + " ".repeat(n)', 'new $(s)'],
  ['', 'RegExp', 's = "a|".repeat(n / 16)', 'new $(s)'],
  ['', 'RegExp', 's = "[" + "é-ü".repeat(n / 128) + "]"', 'new $(s, "ui")'],
  ['', 'Proxy', 'o = record(100)', 'new $(o, {})'],
  ['', 'Promise', 'f = (done) => done(1)', 'new $(f)'],
  ['', 'Iterator', 'C = class extends Iterator {}', 'new C()'],
  ['', '%TypedArray% %ThrowTypeError%', 'f = native("$")', 'thrown(() => new f(1))'],
]

const FUNCTIONS: CaseGroup[] = [
  ['', 'Function.prototype', 'a = list(5000)', 'native("$")(...a)'],
  ['Function.prototype', 'apply', 'a = list(5000)', 'Math.max.$(null, a)'],
  ['Function.prototype', 'call bind', 'a = list(5000)', 'Math.max.$(null, ...a)'],
  ['Function.prototype', 'toString', 'f = Function("1;".repeat(n / 16))', 'f.$()'],
  ['Function.prototype', '[Symbol.hasInstance]', 'o = chain(n / 50); f = function () {}', 'f$(o)'],
  ['get Function.prototype', 'fileName lineNumber columnNumber', 'f = () => 1', 'f.$'],
]

const NUMBERS: CaseGroup[] = [
  ['Number', 'isNaN isFinite isInteger isSafeInteger', 's = "1".repeat(n)', 'Number.$(s)'],
  ['Number.prototype', 'toExponential toFixed toPrecision', '', '(1.7e20).$(100)'],
  ['Number.prototype', 'toString', '', '(1.7e-300).$(2)'],
  ['Number.prototype', 'toLocaleString valueOf', '', '(1.7e20).$()'],
  ['Boolean.prototype', 'toString valueOf', '', 'true.$()'],
  [
    'Math',
    'abs floor ceil round sqrt acos asin atan cos exp log sin tan trunc sign cosh sinh',
    's = digits(n)',
    'Math.$(s)',
  ],
  ['Math', 'tanh acosh asinh atanh expm1 log1p log2 log10 cbrt f16round fround clz32', 's = digits(n)', 'Math.$(s)'],
  ['Math', 'cos sin tan', 's = 1.7e300', 'Math.$(s)'],
  ['Math', 'atan2 pow imul', 's = digits(n)', 'Math.$(s, s)'],
  ['Math', 'min max hypot', 'a = list(5000)', 'Math.$(...a)'],
  ['Math', 'sumPrecise', 'a = list(n / 4)', 'Math.$(a)'],
  ['Math', 'sumPrecise', 'a = list(n / 64).map((i) => 10 ** (i % 600 - 300))', 'Math.$(a)'],
  ['Math', 'random', '', 'Math.$()'],
  ['BigInt', 'asIntN asUintN', 'b = big(n)', 'BigInt.$(n, b)'],
  ['BigInt.prototype', 'toString', 'b = big(n / 4)', 'b.$()'],
  ['BigInt.prototype', 'toString', 'b = big(n)', 'b.$(32)'],
  ['BigInt.prototype', 'valueOf', 'b = big(n)', 'b.$()'],
  ['Symbol', 'for', 's = text(n)', 'Symbol.$(s)'],
  ['Symbol', 'keyFor', 's = Symbol.for(text(n))', 'Symbol.$(s)'],
  ['Symbol.prototype', 'toString valueOf', 's = Symbol(text(n))', 's.$()'],
  ['get Symbol.prototype', 'description', 's = Symbol(text(n))', 's.$'],
  ['Symbol.prototype', '[Symbol.toPrimitive]', 's = Symbol(text(n))', 's$()'],
]

const DATES: CaseGroup[] = [
  ['Date', 'now', '', 'Date.$()'],
  ['Date', 'parse', 's = "2000-01-01" + "x".repeat(n)', 'Date.$(s)'],
  ['Date', 'UTC', 'a = list(5000)', 'Date.$(...a)'],
  [
    'Date.prototype',
    'valueOf toString toUTCString toISOString toDateString toTimeString toLocaleString',
    'd = date',
    'd.$()',
  ],
  [
    'Date.prototype',
    'toLocaleDateString toLocaleTimeString getTimezoneOffset getTime getYear toJSON',
    'd = date',
    'd.$()',
  ],
  [
    'Date.prototype',
    'getFullYear getUTCFullYear getMonth getUTCMonth getDate getUTCDate getHours',
    'd = date',
    'd.$()',
  ],
  ['Date.prototype', 'getUTCHours getMinutes getUTCMinutes getSeconds getUTCSeconds', 'd = date', 'd.$()'],
  ['Date.prototype', 'getMilliseconds getUTCMilliseconds getDay getUTCDay', 'd = date', 'd.$()'],
  ['Date.prototype', 'setTime setMilliseconds setUTCMilliseconds setSeconds setUTCSeconds', 'd = date', 'd.$(1e15)'],
  ['Date.prototype', 'setMinutes setUTCMinutes setHours setUTCHours setDate setUTCDate', 'd = date', 'd.$(1e15)'],
  ['Date.prototype', 'setMonth setUTCMonth setYear setFullYear setUTCFullYear', 'd = date', 'd.$(-271000)'],
  ['Date.prototype', '[Symbol.toPrimitive]', 'd = date', 'd$("string")'],
]

const TAGS = 'anchor big blink bold fixed fontcolor fontsize italics link small strike sub sup'
const CASES_OF_TEXT = 'toLowerCase toUpperCase toLocaleLowerCase toLocaleUpperCase'

const TEXTS: CaseGroup[] = [
  ['String', 'fromCharCode fromCodePoint', 'a = list(5000)', 'String.$(...a)'],
  ['String', 'raw', 'a = texts(n / 8)', 'String.$({ raw: a })'],
  ['String.prototype', 'at charAt charCodeAt codePointAt', 's = rope(n)', 's.$(n / 2)'],
  ['String.prototype', 'concat', 's = text(n); t = wide(n)', 's.$(t, s, t)'],
  ['String.prototype', 'isWellFormed toWellFormed normalize', 's = wide(n)', 's.$()'],
  ['String.prototype', 'toWellFormed', 's = "\\ud800".repeat(n)', 's.$()'],
  ['String.prototype', 'normalize', 's = "e\\u0301\\u0327".repeat(n / 8)', 's.$("NFC")'],
  ['String.prototype', 'normalize', 's = "\\ufdfa\\uac01".repeat(n / 64)', 's.$("NFKD")'],
  // The marks are sorted within each run of them, which may be as long as the text.
  ['String.prototype', 'normalize', 's = "\\u0301\\u0327".repeat(n / 64)', 's.$("NFD")'],
  ['String.prototype', 'indexOf lastIndexOf includes', 's = "a".repeat(n); t = "b"', 's.$(t)'],
  ['String.prototype', 'indexOf lastIndexOf includes', 's = "a".repeat(n / 8); t = "a".repeat(200) + "b"', 's.$(t)'],
  ['String.prototype', 'startsWith endsWith', 's = text(n)', 's.$(s)'],
  ['String.prototype', 'match matchAll', 's = text(n / 4)', 'Array.from(s.$(/a/g))'],
  ['String.prototype', 'search', 's = text(n / 4)', 's.$(/y/)'],
  ['String.prototype', 'split', 's = text(n / 4)', 's.$("")'],
  ['String.prototype', 'split', 's = text(n)', 's.$("a")'],
  ['String.prototype', 'split', 's = text(n / 4)', 's.$(/a/)'],
  ['String.prototype', 'substring substr slice', 's = text(n)', 's.$(1, n - 1)'],
  ['String.prototype', 'repeat', 's = "ab"', 's.$(n)'],
  ['String.prototype', 'repeat', 's = text(n / 8)', 's.$(8)'],
  ['String.prototype', 'replace replaceAll', 's = text(n / 2)', 's.$("a", "yz")'],
  ['String.prototype', 'replace replaceAll', 's = text(n / 4)', 's.$(/[aeiou]/g, "<$&$1>")'],
  ['String.prototype', 'replace replaceAll', 's = text(n / 4)', 's.$("a", () => "é")'],
  ['String.prototype', 'padEnd padStart', 's = "ab"', 's.$(n, "xyz")'],
  ['String.prototype', 'trim trimEnd trimStart', 's = " ".repeat(n) + "a" + " ".repeat(n)', 's.$()'],
  ['String.prototype', 'toString valueOf', 's = rope(n)', 's.$()'],
  ['String.prototype', CASES_OF_TEXT, 's = text(n)', 's.$()'],
  ['String.prototype', CASES_OF_TEXT, 's = "İßΣΆ".repeat(n / 16)', 's.$()'],
  ['String.prototype', TAGS, 's = "\\"".repeat(n)', 's.$(s)'],
  ['String.prototype', 'localeCompare', 's = wide(n); t = s + "a"', 's.$(t)'],
  ['String.prototype', '[Symbol.iterator]', 's = wide(n)', 'Array.from(s$())'],
  ['%StringIterator%', 'next', 's = rope(n)[Symbol.iterator]()', 's.$()'],
  ['JSON', 'parse', 's = JSON.stringify(list(n / 4).map((i) => ({ i })))', 'JSON.$(s)'],
  ['JSON', 'parse', 's = JSON.stringify(wide(n))', 'JSON.$(s)'],
  ['JSON', 'parse', 's = "[".repeat(100) + "]".repeat(100) + " ".repeat(n)', 'JSON.$(s)'],
  ['JSON', 'parse', 's = JSON.stringify(list(n / 4))', 'JSON.$(s, (k, x) => x)'],
  ['JSON', 'stringify', 'o = list(n / 8).map((i) => ({ i, s: "é\\n" }))', 'JSON.$(o)'],
  ['JSON', 'stringify', 'o = "\\u0001\\ud800".repeat(n / 4)', 'JSON.$(o)'],
  ['JSON', 'stringify', 'o = nested(90)', 'JSON.$(o, null, "          ")'],
  ['JSON', 'stringify', 'o = record(300); a = texts(n / 64)', 'JSON.$(o, a)'],
]

const FLAGS = 'flags source global ignoreCase multiline dotAll unicode unicodeSets sticky hasIndices'
const EXPRESSIONS: CaseGroup[] = [
  ['get RegExp.prototype', FLAGS, 'r = new RegExp("\\n/".repeat(n / 16), "dgimsuy")', 'r.$'],
  ['RegExp.prototype', 'toString', 'r = new RegExp("/\\n".repeat(n / 16))', 'r.$()'],
  ['RegExp.prototype', 'compile', 'r = /a/; s = "(a)?".repeat(200)', 'r.$(s, "i")'],
  ['RegExp.prototype', 'exec test', 's = "a".repeat(n / 4)', '/b|c/.$(s)'],
  ['RegExp.prototype', 'exec test', 's = "a".repeat(14) + "b"', '/^(a|a)*$/.$(s)'],
  ['RegExp.prototype', 'exec test', 's = wide(n / 8)', '/\\p{Lu}\\p{Script=Greek}/iu.$(s)'],
  ['RegExp.prototype', 'exec test', 's = "a".repeat(n / 64)', '/(?<=b.{50})a/.$(s)'],
  ['RegExp.prototype', 'exec test', 's = "a".repeat(n / 4)', '/a{2,5000}?b/.$(s.slice(0, 3000))'],
  ['RegExp.prototype', '[Symbol.replace]', 's = text(n / 4)', '/a/g$(s, "$`".slice(0, 1))'],
  ['RegExp.prototype', '[Symbol.replace]', 's = "a".repeat(n / 256)', '/a/g$(s, "$`")'],
  ['RegExp.prototype', '[Symbol.match] [Symbol.split]', 's = text(n / 4)', '/[a-c]/g$(s)'],
  ['RegExp.prototype', '[Symbol.matchAll]', 's = text(n / 4)', 'Array.from(/a/g$(s))'],
  ['RegExp.prototype', '[Symbol.search]', 's = text(n / 4)', '/y/$(s)'],
  ['%RegExpStringIterator%', 'next', 's = ("b".repeat(n / 4) + "a").matchAll(/a/g)', 's.$()'],
  ['RegExp', 'escape', 's = "{".repeat(n)', 'RegExp.$(s)'],
]

export const CASE_GROUPS: readonly CaseGroup[] = [
  ...GLOBALS,
  ...FUNCTIONS,
  ...NUMBERS,
  ...DATES,
  ...TEXTS,
  ...EXPRESSIONS,
  ...COLLECTION_CASES,
  ...SYNTAX_CASES,
]
