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

const report = (error) => {
  let shown = '[unprintable]'
  try {
    shown = inspect(error, 0)
  } catch {}
  printer('error')('Uncaught ' + shown)
}

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
