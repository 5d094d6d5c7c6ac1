// What is nested so deeply that the engine must recurse for it: texts that are parsed, values, chains.

export const nestedArraysToText = () => {
  let a = []
  for (let i = 0; i < 5000; i++) a = [a]
  return caught(() => String(a).length)
}

export const nestedJson = () => {
  let a = []
  for (let i = 0; i < 5000; i++) a = [a]
  return caught(() => JSON.stringify(a).length)
}

export const jsonParsed = () =>
  [500, 5000, 50000].map((n) => caught(() => JSON.parse('['.repeat(n) + ']'.repeat(n)).length))

export const jsonObjects = () =>
  [500, 5000, 50000].map((n) => caught(() => typeof JSON.parse('{"a":'.repeat(n) + '1' + '}'.repeat(n))))

export const revived = () => {
  const n = 900
  return caught(() => typeof JSON.parse('['.repeat(n) + ']'.repeat(n), (k, v) => v))
}

export const parsedParentheses = () =>
  [100, 1000, 20000].map((n) => caught(() => (0, eval)('('.repeat(n) + '1' + ')'.repeat(n))))

export const parsedArrays = () =>
  [100, 1000, 20000].map((n) => caught(() => (0, eval)('['.repeat(n) + ']'.repeat(n)).length))

export const parsedFunctions = () =>
  [100, 1000, 20000].map((n) => caught(() => typeof (0, eval)('(()=>'.repeat(n) + '1' + ')'.repeat(n))))

export const parsedBlocks = () =>
  [100, 1000, 20000].map((n) => caught(() => show((0, eval)('{'.repeat(n) + '}'.repeat(n)))))

export const parsedUnary = () => [100, 1000, 20000].map((n) => caught(() => (0, eval)('- '.repeat(n) + '1')))

export const parsedTernaries = () =>
  [100, 1000, 20000].map((n) => caught(() => (0, eval)('1?'.repeat(n) + '1' + ':1'.repeat(n))))

export const parsedTemplates = () =>
  [50, 500, 5000].map((n) => caught(() => (0, eval)('`${'.repeat(n) + '1' + '}`'.repeat(n))))

export const parsedClasses = () =>
  [50, 500, 5000].map((n) => caught(() => typeof (0, eval)('(class{static a='.repeat(n) + '1' + '})'.repeat(n))))

export const parsedSums = () => [1000, 20000].map((n) => caught(() => (0, eval)('1+'.repeat(n) + '1')))

export const parsedPowers = () => [100, 5000].map((n) => caught(() => (0, eval)('1**'.repeat(n) + '1')))

export const patterns = () =>
  [100, 1000, 20000].map((n) => caught(() => new RegExp('('.repeat(n) + ')'.repeat(n)).test('')))

export const patternsAhead = () =>
  [100, 1000, 20000].map((n) => caught(() => new RegExp('(?='.repeat(n) + ')'.repeat(n)).test('')))

export const patternClasses = () =>
  [100, 1000, 20000].map((n) => caught(() => new RegExp('['.repeat(n) + 'a' + ']'.repeat(n), 'v').test('a')))

export const matches = () => [1000, 50000].map((n) => caught(() => /^(?:(a)|b)*$/.test('a'.repeat(n))))

// Without this the names of a chain of bound functions take all memory.
const unnamed = (f) => Object.defineProperty(f, 'name', { value: '' })

export const boundChain = () => {
  let f = () => 1
  for (let i = 0; i < 20000; i++) f = unnamed(f.bind(null))
  return caught(() => f())
}

export const boundConstructed = () => {
  let f = class {}
  for (let i = 0; i < 20000; i++) f = unnamed(f.bind(null))
  return caught(() => typeof new f())
}

export const ropeFlattened = () => {
  let text = ''
  for (let i = 0; i < 2000; i++) text = `${i % 10}` + text + 'x'
  return [text.length, text.charCodeAt(2000)]
}

export const concatenated = () => {
  let a = [1]
  for (let i = 0; i < 15; i++) a = [a, a]
  return a.flat(Infinity).length
}

export const flattened = () => {
  let a = [1]
  for (let i = 0; i < 20000; i++) a = [a]
  return caught(() => a.flat(Infinity).length)
}

export const cloned = () => {
  let a = []
  for (let i = 0; i < 3000; i++) a = [a]
  return caught(() => structuredClone(a).length)
}

export const freed = () => {
  let list = null
  for (let i = 0; i < 30000; i++) list = { next: list }
  list = null
  return 'freed'
}

export const freedClosures = () => {
  let f = () => 0
  for (let i = 0; i < 20000; i++) {
    const g = f
    f = () => g
  }
  f = null
  return 'freed'
}

export const collectedCycles = () => {
  let first = {}
  const start = first
  for (let i = 0; i < 20000; i++) first = first.next = {}
  first.next = start
  let kept = 0
  for (let i = 0; i < 2000; i++) kept += [{}].length
  return kept
}

export const returnedDeep = () => {
  let a = []
  for (let i = 0; i < 200; i++) a = [a]
  return a
}

export const errorCauses = () => {
  let e = new Error('0')
  for (let i = 0; i < 5000; i++) e = new Error(`${i}`, { cause: e })
  throw e
}

export const promisesNested = async () => {
  let p = Promise.resolve(1)
  for (let i = 0; i < 3000; i++) {
    const q = p
    p = new Promise((r) => r(q))
  }
  return p
}
