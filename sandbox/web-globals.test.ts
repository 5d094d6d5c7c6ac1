import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { returned } from './fixture.ts'
import { WEB_GROUPS } from './guest/web.ts'
import { expectSame } from './same-as-node.ts'

const table = readFileSync(join(import.meta.dirname, '../docs/WEB-API.md'), 'utf8')
const rows = Array.from(table.matchAll(/^\| (`.*?`) \| (yes|no) \|/gm), ([, names = '', there]) => ({
  names: Array.from(names.matchAll(/`([^`]+)`/g), ([, name]) => name as string),
  there: there === 'yes',
}))
const named = (there: boolean) => rows.filter((row) => row.there === there).flatMap(({ names }) => names)

/** The globals that ECMAScript 2025 itself has. */
const LANGUAGE = `
  globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent
  escape unescape AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError
  Float16Array Float32Array Float64Array Function Int8Array Int16Array Int32Array InternalError Iterator JSON Map Math Number Object
  Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError Uint8Array Uint8ClampedArray
  Uint16Array Uint32Array URIError WeakMap WeakSet DOMException`
  .split(/\s+/)
  .filter((name) => name !== 'DOMException')

describe('docs/WEB-API.md', () => {
  test('lists what is there, and nothing that is not', () => {
    const globals = returned('export default () => Object.getOwnPropertyNames(globalThis)') as string[]
    const beyond = globals.filter((name) => !LANGUAGE.includes(name))
    expect(beyond.toSorted()).toEqual(named(true).toSorted())
  })

  test('lists what is not there', () => {
    const absent = returned('export default (names) => names.filter((name) => name in globalThis)', named(false))
    expect(absent).toEqual([])
    expect(named(false).length).toBeGreaterThan(10)
  })

  test('lists each once', () => {
    const all = rows.flatMap(({ names }) => names)
    expect(all.length).toBe(new Set(all).size)
  })
})

/** Event has constants there that its prototype lacks, AbortSignal members that cannot be enumerated. */
const NODES_MISTAKES = ['Event', 'AbortSignal']

/** Members that Node has beyond the standards, or in another place. */
const NODES_OWN = ['abortReason', 'attribute', 'message', 'textStream']

describe('each class', () => {
  const classes = Object.values(WEB_GROUPS)
    .flat()
    .filter((name) => /^[A-Z]/.test(name) && name in globalThis)

  test('has the members that Node’s has, as Node has them', async () => {
    const members = `const C = globalThis[x]; const shown = (holder) => Object.entries(Object.getOwnPropertyDescriptors(holder)).filter(([name]) => !${JSON.stringify(['prototype', 'arguments', 'caller', ...NODES_OWN])}.includes(name)).map(([name, d]) => [name, d.get ? 'getter' : typeof d.value, !!d.set, d.enumerable].join(' ')).sort()
      return [shown(C.prototype), typeof C]`
    await expectSame(
      members,
      classes.filter((name) => !['Crypto', 'SubtleCrypto', ...NODES_MISTAKES].includes(name)),
    )
  })

  test('has its name, and says so', async () => {
    await expectSame(
      'const C = globalThis[x]; return [C.name, C.prototype[Symbol.toStringTag], typeof C.prototype.constructor]',
      classes.filter((name) => !/^Text.*Stream$/.test(name)),
    )
  })
})
