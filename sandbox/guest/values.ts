/**
 * Guest code (part of the prelude): how Values cross. JSON text both ways; a byte array or a bigint in it is an object
 * whose only key is "/", which no Value can be: a number there is the index of an ArrayBuffer that crosses beside the
 * text, a string is a bigint in decimal. What may cross, and the words of a refusal, are those of protocol/values.ts.
 */
export const VALUES_SOURCE = String.raw`
const DEPTH_MAX = 128
const BIGINT_MIN = -(2n ** 63n)
const BIGINT_MAX = 2n ** 64n - 1n
// Compiled only where a refusal needs it: it is large.
const isIdentifier = (text) => exec(new RegExp('^[\\p{ID_Start}$_][\\p{ID_Continue}$]*$', 'u'), text) !== null

// Objects being written and the steps that lead to them, by depth; without prototypes, so that no setter of the guest is met.
let open = setPrototypeOf([], null)
let path = setPrototypeOf([], null)
// Byte arrays that were met, and those of what was written last. They are read when all else has been, since a getter
// that is met later may change them.
let met = setPrototypeOf([], null)
let written = met
let root = 'result'
let writing = false

const kindOf = (x) => {
  if (typeof x === 'number') return '' + x
  if (typeof x !== 'object' || x === null) return typeof x
  try {
    const { name } = x.constructor
    return typeof name === 'string' && name !== '' ? slice(name, 0, 200) : 'object'
  } catch {
    return 'object'
  }
}

class Refusal {
  text
  constructor(depth, found) {
    let at = root
    for (let i = 0; i < depth; i++) {
      const step = path[i]
      if (typeof step === 'number') at += '[' + step + ']'
      else at += isIdentifier(step) ? '.' + step : '[' + stringify(step) + ']'
    }
    this.text = at + ': ' + found + ' is not a Value; use null, booleans, strings, finite numbers, 64-bit bigints, Uint8Array, arrays and plain objects'
  }
}

const write = (x, depth) => {
  switch (typeof x) {
    case 'undefined':
      return null
    case 'boolean':
      return x
    case 'string':
      if (!isWellFormed(x)) throw new Refusal(depth, 'a string with a lone surrogate')
      return x
    case 'number':
      if (x - x !== 0) throw new Refusal(depth, kindOf(x))
      return x
    case 'bigint':
      if (x < BIGINT_MIN || x > BIGINT_MAX) throw new Refusal(depth, 'a bigint over 64 bits')
      return { __proto__: null, '/': '' + x }
    case 'object':
      return x === null ? null : writeObject(x, depth)
    default:
      throw new Refusal(depth, kindOf(x))
  }
}

const writeObject = (x, depth) => {
  const prototype = getPrototypeOf(x)
  // Asked only of what is no plain object, because the answer takes long.
  if (prototype !== ObjectPrototype && typedArrayTag(x) === 'Uint8Array') return writeBytes(x)
  for (let i = 0; i < depth; i++) if (open[i] === x) throw new Refusal(depth, 'a cycle')
  if (depth >= DEPTH_MAX) throw new Refusal(depth, 'nesting over ' + DEPTH_MAX + ' levels')
  open[depth] = x
  if (isArray(x) && prototype === ArrayPrototype) return writeArray(x, depth)
  if (prototype !== ObjectPrototype && prototype !== null) throw new Refusal(depth, kindOf(x))
  return writeRecord(x, depth)
}

const writeBytes = (x) => {
  met[met.length] = x
  return { __proto__: null, '/': met.length - 1 }
}

// Of one whose buffer has been taken away there are no bytes.
const copyOf = (x) => typedArrayBuffer(typedArrayByteLength(x) > 0 ? new Uint8Array(x) : new Uint8Array(0))

// A buffer with its bytes and no others.
const bufferOf = (x) => {
  const length = typedArrayByteLength(x)
  const buffer = typedArrayBuffer(x)
  return length > 0 && length === arrayBufferByteLength(buffer) ? buffer : copyOf(x)
}

const writeArray = (x, depth) => {
  const list = setPrototypeOf([], null)
  const length = x.length
  for (let i = 0; i < length; i++) {
    path[depth] = i
    list[i] = write(x[i], depth + 1)
  }
  return list
}

const writeRecord = (x, depth) => {
  const record = { __proto__: null }
  const names = keys(x)
  let count = 0
  let slash = false
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const property = x[name]
    if (property === undefined) continue
    path[depth] = name
    if (!isWellFormed(name)) throw new Refusal(depth + 1, 'a key with a lone surrogate')
    record[name] = write(property, depth + 1)
    count++
    if (name === '/') slash = true
  }
  if (slash && count === 1) throw new Refusal(depth, 'an object whose only key is "/"')
  return record
}

// The text of x, named 'name' in a refusal. Throws a Refusal; or whatever a getter or a proxy in x throws. One of those
// may have something else written meanwhile.
const textOf = (x, name) => {
  const outer = writing ? { __proto__: null, open, path, met, root } : undefined
  if (outer) {
    open = setPrototypeOf([], null)
    path = setPrototypeOf([], null)
  }
  if (outer || met.length > 0) met = setPrototypeOf([], null)
  root = name
  writing = true
  try {
    return stringify(write(x, 0))
  } finally {
    written = met
    writing = outer !== undefined
    if (outer) ({ open, path, met, root } = outer)
  }
}

const sendBuffers = () => {
  for (let i = 0; i < written.length; i++) hostBuffer(bufferOf(written[i]))
}

const revive = (x, received) => {
  if (typeof x !== 'object' || x === null) return x
  if (isArray(x)) {
    for (let i = 0; i < x.length; i++) x[i] = revive(x[i], received)
    return x
  }
  const names = keys(x)
  if (names.length === 1 && names[0] === '/') {
    const leaf = x['/']
    return typeof leaf === 'number' ? new Uint8Array(received[leaf]) : BigInt(leaf)
  }
  for (let i = 0; i < names.length; i++) x[names[i]] = revive(x[names[i]], received)
  return x
}
`
