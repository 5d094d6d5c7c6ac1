// Put before each module of this folder: words for values that cannot cross, or not exactly.

const show = (x) => {
  if (typeof x === 'number') return Object.is(x, -0) ? '-0' : String(x)
  if (typeof x === 'bigint') return `${x}n`
  if (typeof x === 'string') return x.isWellFormed() ? JSON.stringify(x) : units(x)
  if (typeof x === 'symbol') return x.toString()
  if (typeof x === 'function') return `function ${x.name}/${x.length}`
  if (typeof x !== 'object' || x === null) return String(x)
  if (Array.isArray(x)) return `[${Array.from(x, show).join(' ')}]`
  if (x instanceof Error) return `${x.name}(${x.message})`
  if (x instanceof Map || x instanceof Set) return `${x.constructor.name}${show([...x])}`
  return `{${Reflect.ownKeys(x).map((key) => `${String(key)}:${show(x[key])}`)}}`
}

// The code units of a string in hex.
const units = (text) => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16)).join('.')

// The 64 bits of a number in hex.
const bits = (x) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

const caught = (run) => {
  try {
    return show(run())
  } catch (error) {
    return show(error)
  }
}

// A generator of numbers, the same each time.
const numbersFrom = (seed) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed
}
