/**
 * Guest code (part of the prelude): the console, and the few web interfaces that packages for pure computing expect.
 * What would make a run depend on the machine is removed.
 */
export const WEB_APIS_SOURCE = String.raw`
for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer']) delete globalThis[name]

const publish = (name, value) => {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

const ITEMS_MAX = 100

const inspectItems = (x, names, depth) => {
  let text = ''
  for (let i = 0; i < names.length && i < ITEMS_MAX; i++) {
    const shown = inspect(x[names[i]], depth + 1)
    text += (i ? ', ' : '') + (isArray(x) ? shown : names[i] + ': ' + shown)
  }
  return names.length > ITEMS_MAX ? text + ', … ' + (names.length - ITEMS_MAX) + ' more' : text
}

const inspect = (x, depth) => {
  if (typeof x === 'string') return stringify(x)
  if (typeof x === 'bigint') return x + 'n'
  if (typeof x === 'symbol') return String(x)
  if (typeof x === 'function') return '[function ' + x.name + ']'
  if (typeof x !== 'object' || x === null) return '' + x
  if (isError(x)) return typeof x.stack === 'string' ? x.name + ': ' + x.message + '\n' + replace(x.stack, /\n$/, '') : x.name + ': ' + x.message
  const tag = typedArrayTag(x)
  if (tag !== undefined) return tag + '(' + x.length + ')'
  if (depth > 3) return isArray(x) ? '[…]' : '{…}'
  const items = inspectItems(x, keys(x), depth)
  if (isArray(x)) return '[' + items + ']'
  const kind = kindOf(x)
  return (kind === 'Object' || kind === 'object' ? '' : kind + ' ') + '{' + items + '}'
}

// Beyond these the host drops what is printed anyway (CONSOLE_BYTES_MAX, CONSOLE_LINES_MAX).
const CONSOLE_CHARS_MAX = 65536
const CONSOLE_LINES_MAX = 1000

let printedChars = 0
let printedLines = 0

const printer = (level) => (...args) => {
  if (printedChars > CONSOLE_CHARS_MAX || printedLines > CONSOLE_LINES_MAX) return
  let text = ''
  for (let i = 0; i < args.length && text.length < CONSOLE_CHARS_MAX; i++) {
    let shown = '[unprintable]'
    try {
      shown = typeof args[i] === 'string' ? args[i] : inspect(args[i], 0)
    } catch {}
    text += (i ? ' ' : '') + slice(shown, 0, CONSOLE_CHARS_MAX)
  }
  printedChars += text.length
  printedLines++
  hostLog(level, stringify(slice(text, 0, CONSOLE_CHARS_MAX)))
}

publish('console', {
  debug: printer('debug'),
  log: printer('log'),
  info: printer('info'),
  warn: printer('warn'),
  error: printer('error'),
  trace: printer('debug'),
  dir: printer('log'),
})

publish('queueMicrotask', (run) => {
  if (typeof run !== 'function') throw new TypeError('queueMicrotask: expected a function')
  const start = async () => {
    await undefined
    run()
  }
  start()
})

const random = Math.random

publish('crypto', {
  // Seeded by the task, as Math.random is: the same numbers in every run of it. Not fit for secrets.
  getRandomValues(array) {
    const tag = typedArrayTag(array)
    if (tag === undefined || tag === 'Float16Array' || tag === 'Float32Array' || tag === 'Float64Array')
      throw new TypeError('crypto.getRandomValues: expected an array of integers')
    const length = typedArrayByteLength(array)
    if (length > 65536) throw new RangeError('crypto.getRandomValues: at most 65536 bytes')
    const bytes = new Uint8Array(typedArrayBuffer(array), typedArrayByteOffset(array), length)
    for (let i = 0; i < length; i++) bytes[i] = random() * 256
    return array
  },
})

const encodeUtf8 = (text, bytes) => {
  let at = 0
  let read = 0
  for (; read < text.length; read++) {
    const c = codePointAt(text, read)
    const length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4
    if (at + length > bytes.length) break
    if (length === 1) bytes[at++] = c
    else {
      bytes[at++] = ((0xf00 >> length) & 0xff) | (c >> (6 * (length - 1)))
      for (let shift = 6 * (length - 2); shift >= 0; shift -= 6) bytes[at++] = 0x80 | ((c >> shift) & 0x3f)
    }
    if (length === 4) read++
  }
  return { read, written: at }
}

const utf8Length = (text) => {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const c = charCodeAt(text, i)
    if (c >= 0xd800 && c < 0xdc00) i++, (length += 4)
    else length += c < 0x80 ? 1 : c < 0x800 ? 2 : 3
  }
  return length
}

publish('TextEncoder', class TextEncoder {
  get encoding() {
    return 'utf-8'
  }
  encode(input) {
    const text = toWellFormed(input === undefined ? '' : '' + input)
    const bytes = new Uint8Array(utf8Length(text))
    encodeUtf8(text, bytes)
    return bytes
  }
  encodeInto(input, bytes) {
    return encodeUtf8(toWellFormed('' + input), bytes)
  }
})

// The length of the longest valid beginning of a sequence at i, and its character; -1 where that is cut short or wrong.
const decodeOne = (bytes, i) => {
  const b = bytes[i]
  if (b < 0x80) return { length: 1, c: b }
  const needed = b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : 0
  let c = needed === 0 ? 0 : b & (0x3f >> needed)
  for (let k = 1; k <= needed; k++) {
    const next = bytes[i + k]
    const low = k > 1 ? 0x80 : b === 0xe0 ? 0xa0 : b === 0xf0 ? 0x90 : 0x80
    const high = k > 1 ? 0xbf : b === 0xed ? 0x9f : b === 0xf4 ? 0x8f : 0xbf
    if (next === undefined || next < low || next > high) return { length: k, c: -1, cut: next === undefined }
    c = (c << 6) | (next & 0x3f)
  }
  return needed === 0 ? { length: 1, c: -1, cut: false } : { length: needed + 1, c }
}

const bytesOf = (source) => {
  if (source === undefined) return new Uint8Array(0)
  if (typedArrayTag(source) !== undefined) return new Uint8Array(typedArrayBuffer(source), typedArrayByteOffset(source), typedArrayByteLength(source))
  return source instanceof DataView ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source)
}

publish('TextDecoder', class TextDecoder {
  #fatal
  #ignoreBOM
  #held = new Uint8Array(0)
  #begun = false
  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (exec(/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i, '' + label) === null) throw new RangeError('TextDecoder: only utf-8 is served here, not ' + label)
    this.#fatal = !!fatal
    this.#ignoreBOM = !!ignoreBOM
  }
  get encoding() {
    return 'utf-8'
  }
  get fatal() {
    return this.#fatal
  }
  get ignoreBOM() {
    return this.#ignoreBOM
  }
  decode(source, { stream = false } = {}) {
    const bytes = this.#joined(bytesOf(source))
    let text = ''
    let i = 0
    while (i < bytes.length) {
      const { length, c, cut } = decodeOne(bytes, i)
      if (c < 0 && cut && stream) break
      if (c < 0 && this.#fatal) throw new TypeError('TextDecoder: the bytes are not utf-8')
      if (c !== 0xfeff || this.#begun || this.#ignoreBOM) text += fromCodePoint(c < 0 ? 0xfffd : c)
      this.#begun = true
      i += length
    }
    this.#held = subarray(bytes, i)
    if (!stream) this.#begun = false
    return text
  }
  #joined(bytes) {
    const held = this.#held
    if (held.length === 0) return bytes
    const joined = new Uint8Array(held.length + bytes.length)
    for (let i = 0; i < held.length; i++) joined[i] = held[i]
    for (let i = 0; i < bytes.length; i++) joined[held.length + i] = bytes[i]
    return joined
  }
})

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

publish('btoa', (input) => {
  const text = '' + input
  let out = ''
  for (let i = 0; i < text.length; i += 3) {
    const left = text.length - i
    const a = charCodeAt(text, i)
    const b = left > 1 ? charCodeAt(text, i + 1) : 0
    const c = left > 2 ? charCodeAt(text, i + 2) : 0
    if (a > 255 || b > 255 || c > 255) throw new TypeError('btoa: a character past U+00FF')
    const bits = (a << 16) | (b << 8) | c
    out += BASE64[bits >> 18] + BASE64[(bits >> 12) & 63] + (left > 1 ? BASE64[(bits >> 6) & 63] : '=') + (left > 2 ? BASE64[bits & 63] : '=')
  }
  return out
})

publish('atob', (input) => {
  const compact = replace('' + input, /[\t\n\f\r ]+/g, '')
  const text = compact.length % 4 === 0 ? replace(compact, /==?$/, '') : compact
  let out = ''
  let bits = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const sextet = indexOf(BASE64, text[i])
    if (sextet < 0) throw new TypeError('atob: not base64')
    bits = ((bits << 6) | sextet) & 0xffffff
    count += 6
    if (count >= 8) out += fromCodePoint((bits >> (count -= 8)) & 255)
  }
  if (text.length % 4 === 1) throw new TypeError('atob: not base64')
  return out
})

publish('structuredClone', (x) => {
  try {
    const text = textOf(x, 'structuredClone')
    const copies = setPrototypeOf([], null)
    for (let i = 0; i < buffers.length; i++) copies[i] = typedArrayBuffer(new Uint8Array(new Uint8Array(buffers[i])))
    return revive(parse(text), copies)
  } catch (error) {
    throw error instanceof Refusal ? new TypeError(error.text) : error
  }
})
`
