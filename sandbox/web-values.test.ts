import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { perform, returned } from './fixture.ts'
import { expectSame, inGuest } from './same-as-node.ts'

describe('structuredClone', () => {
  test('copies what the standard says can be copied', async () => {
    await expectSame(`const shared = { s: 1 }; const x = { n: null, u: undefined, d: new Date(5), r: /a\\/b/giu, m: new Map([[shared, [1n]], ['k', new Set([1, shared])]]), a: [1, , 3], shared, b: new Boolean(false), num: new Number(-0), str: new String('s'), big: Object(7n), nan: NaN }
      x.self = x; x.a.extra = shared; const y = structuredClone(x)
      return [y !== x, y.self === y, 'u' in y, y.d instanceof Date, +y.d, y.r.source, y.r.flags, y.r.lastIndex, [...y.m.keys()][0] === y.shared, y.m.get(y.shared)[0] === 1n, y.m.get('k').has(y.shared), y.a.length, 1 in y.a, y.a.extra === y.shared, typeof y.b, y.b.valueOf(), Object.is(y.num.valueOf(), -0), y.str + '', typeof y.big.valueOf(), y.nan !== y.nan, y.shared !== shared]`)
    await expectSame(`const b = new Uint8Array([1, 2, 3, 4]); const x = { whole: b, part: b.subarray(1, 3), view: new DataView(b.buffer, 2), f: new Float64Array([0.5]), buffer: b.buffer }; const y = structuredClone(x); y.whole[1] = 9
      return [bytes(y.part), y.part.buffer === y.buffer, y.view.getUint8(0), y.view.byteOffset, y.f[0], y.f.constructor.name, bytes(b), y.part.byteOffset]`)
    await expectSame(
      `class Mine { a = 1; get b() { return 2 } } const x = new Mine(); Object.defineProperty(x, 'hidden', { value: 1 }); x[Symbol('s')] = 1; const y = structuredClone(x); return [y, Object.getPrototypeOf(y) === Object.prototype, Object.keys(y)]`,
    )
    await expectSame(`return structuredClone({ get a() { return { b: 1 } } })`)
  })

  test('copies errors', async () => {
    for (const make of [
      'new Error("m")',
      'new TypeError("m", { cause: { c: 1 } })',
      'Object.assign(new RangeError("r"), { extra: 1 })',
      'Object.assign(new Error("n"), { name: "Mine" })',
      'new DOMException("d", "AbortError")',
      'new (class extends SyntaxError {})("s")',
      'new Error()',
    ])
      await expectSame(
        `const y = structuredClone(${make}); return [y instanceof Error, y.constructor.name, y.name, y.message, y.cause ?? null, 'extra' in y, typeof y.stack]`,
      )
  })

  test('refuses what cannot be copied', async () => {
    for (const what of [
      '() => 1',
      'Symbol("s")',
      '{ a: [class {}] }',
      'new WeakMap()',
      'new WeakSet()',
      'Promise.resolve()',
      'Object(Symbol("s"))',
      '(function* () {})()',
      'new Map([[1, () => 1]])',
    ])
      await expectSame(`return [await attempt(() => { structuredClone(${what}); return 1 })]`)
    await expectSame(`return structuredClone()`)
    await expectSame(`return structuredClone({ get a() { throw new EvalError('mine') } })`)
  })

  test('transfers buffers', async () => {
    await expectSame(
      `const b = new Uint8Array([1, 2]); const y = structuredClone({ b }, { transfer: [b.buffer] }); return [b.length, b.buffer.byteLength, bytes(y.b)]`,
    )
    await expectSame(
      `const b = new ArrayBuffer(2); return [await attempt(() => structuredClone(1, { transfer: [b, b] })), b.byteLength, await attempt(() => structuredClone(1, { transfer: [{}] })), await attempt(() => structuredClone(() => 1, { transfer: [b] })), b.byteLength]`,
    )
  })

  test('files, and no other of the web’s classes', async () => {
    await expectSame(
      `const f = structuredClone(new File(['ab'], 'n', { type: 't/u', lastModified: 3 })); return [f.name, f.size, f.type, f.lastModified, await f.text(), f instanceof File]`,
    )
    expect(
      returned('export default () => { try { structuredClone(new Headers()) } catch (e) { return [e.name, e.code] } }'),
    ).toEqual(['DataCloneError', 25])
  })

  test('anything', async () => {
    const guest = inGuest('const y = structuredClone(x); return [y, y !== x || typeof x !== "object" || x === null]')
    await checkProperty(
      'clones',
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        (x) => void expect(guest(x)).toBe(JSON.stringify([JSON.parse(JSON.stringify(x)), true])),
      ),
      { runs: 60 },
    )
  })
})

describe('crypto', () => {
  test('digests what Node digests', async () => {
    const digest = 'return bytes(await crypto.subtle.digest(x[0], Uint8Array.from({ length: x[1] }, (_, i) => i * 7)))'
    const lengths = [0, 1, 3, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000]
    const algorithms = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'sha-256', { name: 'Sha-512' }]
    await expectSame(
      digest,
      algorithms.flatMap((algorithm) => lengths.map((length) => [algorithm, length])),
    )
    await expectSame(digest, [
      ['MD5', 1],
      ['', 1],
    ])
    await expectSame(`return await crypto.subtle.digest('SHA-256', 'text')`)
    await expectSame(
      `return [bytes(await crypto.subtle.digest('SHA-256', new DataView(new ArrayBuffer(4), 1, 2))), bytes(await crypto.subtle.digest('SHA-1', new Uint16Array([1, 2]).buffer))]`,
    )
  })

  test('randomUUID is of version 4, and the same in every run of the task', () => {
    const module = 'export default () => [crypto.randomUUID(), crypto.randomUUID()]'
    const [first, second] = returned(module) as string[]
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(second).not.toBe(first)
    expect(returned(module)).toEqual([first, second])
  })
})

describe('TextDecoder of other encodings', () => {
  test('reads them as Node does', async () => {
    const labels = [
      'utf-16le',
      'utf-16be',
      'UTF-16',
      'latin1',
      'ascii',
      'windows-1252',
      ' iso-8859-1 ',
      'utf8',
      'unicode',
      'l1',
    ]
    const inputs = [
      [],
      [65],
      [65, 0],
      [0, 65, 0],
      [0xff, 0xfe, 65, 0],
      [0xfe, 0xff, 0, 65],
      [0x3d, 0xd8, 0xa9, 0xdc],
      [0xd8, 0x3d, 0xdc, 0xa9],
      [0x3d, 0xd8],
      [0xd8, 0x3d, 0, 65],
      [0x80, 0x9f, 0xa0, 0xff],
    ]
    await expectSame(
      `const d = new TextDecoder(x[0]); const b = new Uint8Array(x[1]); let pieces = ''; for (const byte of b) pieces += d.decode(Uint8Array.of(byte), { stream: true }); return [d.encoding, new TextDecoder(x[0]).decode(b), pieces + d.decode(), await attempt(() => new TextDecoder(x[0], { fatal: true }).decode(b)), new TextDecoder(x[0], { ignoreBOM: true }).decode(b)]`,
      labels.flatMap((label) => inputs.map((bytes) => [label, bytes])),
    )
    await expectSame('return new TextDecoder("none")')
  })
})

describe('the console’s other methods', () => {
  const lines = (body: string) =>
    perform(`export default () => { ${body} }`).console.map(({ level, text }) => `${level} ${text}`)

  test('format', () => {
    expect(
      lines(
        `console.log('%s is %d years, %i, %f, %o %j%c %%', 'Ada', '36.5', 7.9, '1.5x', { a: 1 }, [2], 'color: red', 'more'); console.log('%s'); console.log('100%', 5); console.log('%d', 'x')`,
      ),
    ).toEqual(['log Ada is 36 years, 7, 1.5, {a: 1} [2] % more', 'log %s', 'log 100% 5', 'log NaN'])
  })

  test('group, count, assert, table, time', () => {
    const body = `console.group('outer'); console.log('a\\nb'); console.groupCollapsed(); console.warn('deep'); console.groupEnd(); console.groupEnd(); console.groupEnd()
      console.count(); console.count('x'); console.count(); console.countReset(); console.count(); console.countReset('none')
      console.assert(true, 'no'); console.assert(false, 'is %s', 'wrong'); console.assert(false); console.time('t'); console.timeLog('t', 1); console.timeEnd('t'); console.timeEnd('t')
      console.table([{ a: 1, b: 'x' }, { b: [2] }, 3]); console.clear(); console.dirxml(1, 2)`
    expect(lines(body)).toEqual([
      'log outer',
      'log   a\n  b',
      'warn     deep',
      'log default: 1',
      'log x: 1',
      'log default: 2',
      'log default: 1',
      "warn Count for 'none' does not exist",
      'error Assertion failed: is wrong',
      'error Assertion failed',
      'log t: 0ms 1',
      'log t: 0ms',
      "warn Timer 't' does not exist",
      'log (index) | a | b   | Values\n0       | 1 | "x" |\n1       |   | [2] |\n2       |   |     | 3',
      'log 1 2',
    ])
  })

  test('show dates, maps, sets and expressions', () => {
    expect(lines(`console.log(new Date(0), new Date(NaN), new Map([[1, { a: 2 }]]), new Set(['x']), /a/g)`)).toEqual([
      'log 1970-01-01T00:00:00.000Z Invalid Date Map(1) {1 => {a: 2}} Set(1) {"x"} /a/g',
    ])
  })
})
