/** console, after the Console standard: lines of plain text, which the run keeps in its outcome. */
import { print } from './prelude-exports.ts'

const ITEMS_MAX = 100
const DEPTH_MAX = 3

type Holder = Record<PropertyKey, unknown>

const kindOf = (x: object): string => {
  try {
    const { name } = x.constructor
    return typeof name === 'string' && name !== 'Object' ? name : ''
  } catch {
    return ''
  }
}

const listed = <T>(items: readonly T[], count: number, show: (item: T) => string): string => {
  const shown = items.slice(0, ITEMS_MAX).map(show).join(', ')
  return count > ITEMS_MAX ? `${shown}, … ${count - ITEMS_MAX} more` : shown
}

const inspectError = (x: Error): string =>
  typeof x.stack === 'string' ? `${x.name}: ${x.message}\n${x.stack.replace(/\n$/, '')}` : `${x.name}: ${x.message}`

const inspectObject = (x: object, depth: number): string => {
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return `${kindOf(x)}(${(x as Uint8Array).length})`
  if (x instanceof Date) return Number.isNaN(x.getTime()) ? 'Invalid Date' : x.toISOString()
  if (x instanceof RegExp) return `${x}`
  if (depth > DEPTH_MAX) return Array.isArray(x) ? '[…]' : '{…}'
  const inner = (item: unknown) => inspect(item, depth + 1)
  if (Array.isArray(x)) return `[${listed(x.slice(0, ITEMS_MAX), x.length, inner)}]`
  if (x instanceof Set) return `Set(${x.size}) {${listed([...x], x.size, inner)}}`
  if (x instanceof Map)
    return `Map(${x.size}) {${listed([...x], x.size, ([key, value]) => `${inner(key)} => ${inner(value)}`)}}`
  const names = Object.keys(x)
  const kind = kindOf(x)
  return `${kind}${kind && ' '}{${listed(names, names.length, (name) => `${name}: ${inner((x as Holder)[name])}`)}}`
}

/** How a value is shown inside of another. */
export const inspect = (x: unknown, depth = 0): string => {
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x === 'bigint') return `${x}n`
  if (typeof x === 'symbol') return String(x)
  if (typeof x === 'function') return `[function ${x.name}]`
  if (typeof x !== 'object' || x === null) return `${x}`
  return (Error as unknown as { isError(x: unknown): boolean }).isError(x)
    ? inspectError(x as Error)
    : inspectObject(x, depth)
}

const shown = (x: unknown): string => {
  try {
    return typeof x === 'string' ? x : inspect(x)
  } catch {
    return '[unprintable]'
  }
}

/** What each letter after a % makes of its argument; the standard's "Formatter". */
const FORMATS: Record<string, (x: unknown) => string> = {
  s: (x) => (typeof x === 'symbol' ? String(x) : shown(x)),
  d: (x) => `${typeof x === 'symbol' ? Number.NaN : Number.parseInt(`${x}`, 10)}`,
  i: (x) => `${typeof x === 'symbol' ? Number.NaN : Number.parseInt(`${x}`, 10)}`,
  f: (x) => `${typeof x === 'symbol' ? Number.NaN : Number.parseFloat(`${x}`)}`,
  j: (x) => JSON.stringify(x) ?? 'undefined',
  o: (x) => inspect(x),
  O: (x) => inspect(x),
  c: () => '',
}

const textOf = ([first, ...rest]: unknown[]): string => {
  if (typeof first !== 'string' || rest.length === 0 || !first.includes('%'))
    return [first, ...rest].map(shown).join(' ')
  let used = 0
  const text = first.replace(/%([sdifjoOc%])/g, (match, letter) => {
    if (letter === '%') return '%'
    return used < rest.length ? (FORMATS[letter] as (x: unknown) => string)(rest[used++]) : match
  })
  return [text, ...rest.slice(used).map(shown)].join(' ')
}

let indent = ''
// Not Map and Set: what has only been a text is printed whatever a function has done to them before it first prints.
const counts = { __proto__: null } as unknown as Record<string, number>
const timers = { __proto__: null } as unknown as Record<string, true>

const write = (level: string, args: unknown[]): void => {
  if (args.length === 0) return print(level, indent)
  let text = '[unprintable]'
  try {
    text = args.length === 1 && typeof args[0] === 'string' ? args[0] : textOf(args)
  } catch {}
  print(level, indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`))
}

const logger =
  (level: string) =>
  (...args: unknown[]): void =>
    write(level, args)

const columnsOf = (rows: readonly Holder[]): string[] => [
  ...new Set(rows.flatMap((row) => (typeof row === 'object' && row !== null ? Object.keys(row) : []))),
]

const table = (data: unknown, only?: string[]): void => {
  if (typeof data !== 'object' || data === null) return write('log', [data])
  const index = Object.keys(data)
  const rows = index.map((key) => (data as Record<string, Holder>)[key] as Holder)
  const columns = only ?? columnsOf(rows)
  const plain = rows.some((row) => typeof row !== 'object' || row === null)
  const cell = (row: Holder, column: string) =>
    typeof row === 'object' && row !== null && column in row ? inspect(row[column], DEPTH_MAX) : ''
  const lines = [
    ['(index)', ...columns, ...(plain ? ['Values'] : [])],
    ...rows.map((row, i) => {
      const value = typeof row === 'object' && row !== null ? '' : inspect(row)
      return [index[i] as string, ...columns.map((column) => cell(row, column)), ...(plain ? [value] : [])]
    }),
  ]
  const widths = (lines[0] as string[]).map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)))
  write('log', [
    lines
      .map((line) =>
        line
          .map((text, i) => text.padEnd(widths[i] as number))
          .join(' | ')
          .trimEnd(),
      )
      .join('\n'),
  ])
}

const timed = (label: unknown, ...args: unknown[]): void => {
  const name = `${label ?? 'default'}`
  // The clock stands still.
  if (timers[name]) write('log', [`${name}: 0ms`, ...args])
  else write('warn', [`Timer '${name}' does not exist`])
}

const group = (...args: unknown[]): void => {
  if (args.length > 0) write('log', args)
  indent += '  '
}

export const console = {
  debug: logger('debug'),
  log: logger('log'),
  info: logger('info'),
  warn: logger('warn'),
  error: logger('error'),
  trace: logger('debug'),
  dir: (x: unknown) => write('log', [x]),
  dirxml: logger('log'),
  table,
  assert(condition?: unknown, ...args: unknown[]) {
    if (condition) return
    const [first, ...rest] = args
    if (typeof first === 'string') write('error', [`Assertion failed: ${first}`, ...rest])
    else write('error', args.length > 0 ? ['Assertion failed', ...args] : ['Assertion failed'])
  },
  clear() {},
  count(label: unknown = 'default') {
    const name = `${label}`
    counts[name] = (counts[name] ?? 0) + 1
    write('log', [`${name}: ${counts[name]}`])
  },
  countReset(label: unknown = 'default') {
    if (`${label}` in counts) delete counts[`${label}`]
    else write('warn', [`Count for '${label}' does not exist`])
  },
  group,
  groupCollapsed: group,
  groupEnd() {
    indent = indent.slice(2)
  },
  time(label: unknown = 'default') {
    if (timers[`${label}`]) write('warn', [`Timer '${label}' already exists`])
    timers[`${label}`] = true
  },
  timeLog: timed,
  timeEnd(label: unknown = 'default') {
    timed(label)
    delete timers[`${label}`]
  },
}
