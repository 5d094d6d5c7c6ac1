import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { bytesOf, failed, limits, outcomeOf, returned, runOf, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

/** A function of the guest, to be compared with that of the same name here. */
const guest = (body: string) => {
  const sandbox = createSandbox({ wasm })
  sandbox.load(
    'f',
    bytesOf(`export default (x) => { try { return ${body} } catch (e) { return e.name } }`),
    limits.memory_bytes,
  )
  return (x: unknown) => valueIn(outcomeOf(sandbox.run('f', runOf(x)).result))
}

const text = fc.string({ unit: 'binary', maxLength: 40 })
const latin1 = fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes))
/** Bytes that are nearly utf-8: the borders of its ranges, in any order. */
const nearlyUtf8 = fc
  .array(
    fc.constantFrom(
      0,
      65,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xbb,
      0xf0,
      0xf4,
      0xf5,
      0xff,
    ),
    { maxLength: 12 },
  )
  .map((bytes) => Uint8Array.from(bytes))

const decode = (bytes: Uint8Array, options?: object) => {
  try {
    return new TextDecoder('utf-8', options).decode(bytes)
  } catch (error) {
    return (error as Error).name
  }
}

describe('as in a page', () => {
  test('TextEncoder', async () => {
    const encode = guest('new TextEncoder().encode(x)')
    await checkProperty(
      'encode',
      fc.property(text, (x) => void expect(encode(x)).toEqual(new TextEncoder().encode(x))),
    )
    expect(returned(String.raw`export default () => new TextEncoder().encode('a\ud800b')`)).toEqual(
      new TextEncoder().encode('a\ud800b'),
    )
    const into = `export default () => { const b = new Uint8Array(6); const r = new TextEncoder().encodeInto('aé😀é', b); return [b, r] }`
    const bytes = new Uint8Array(6)
    expect(returned(into)).toEqual([bytes, new TextEncoder().encodeInto('aé😀é', bytes)])
  })

  test('TextDecoder', async () => {
    const [plain, fatal, bom] = [
      guest('new TextDecoder().decode(x)'),
      guest('new TextDecoder("utf8", { fatal: true }).decode(x)'),
      guest('new TextDecoder("UTF-8", { ignoreBOM: true }).decode(x.buffer)'),
    ]
    const same = fc.property(nearlyUtf8, (x) => {
      expect(plain(x)).toBe(decode(x))
      expect(fatal(x)).toBe(decode(x, { fatal: true }))
      expect(bom(x)).toBe(decode(x, { ignoreBOM: true }))
    })
    await checkProperty('decode', same, { runs: 300 })
  })

  test('TextDecoder by pieces', async () => {
    const body =
      '(() => { const d = new TextDecoder(); let t = ""; for (const b of x) t += d.decode(Uint8Array.of(b), { stream: true }); return t + d.decode() })()'
    const pieces = guest(body)
    const same = fc.property(nearlyUtf8, (x) => void expect(pieces(x)).toBe(decode(x)))
    await checkProperty('pieces', same, { runs: 200 })
  })

  test('btoa and atob', async () => {
    const [encode, decodeBase64] = [guest('btoa(x)'), guest('atob(x)')]
    const same = fc.property(latin1, (x) => {
      expect(encode(x)).toBe(btoa(x))
      expect(decodeBase64(` ${btoa(x).replace(/=+$/, '')}\n`)).toBe(x)
      expect(decodeBase64(btoa(x))).toBe(x)
    })
    await checkProperty('base64', same)
    expect(encode('€')).toBe('InvalidCharacterError')
    for (const wrong of ['a', 'ab=c', '€', 'ab==c']) expect(decodeBase64(wrong)).toBe('InvalidCharacterError')
  })

  test('queueMicrotask, in the order of promises', () => {
    const module = `export default async () => {
      const order = []
      queueMicrotask(() => order.push(1)); Promise.resolve().then(() => order.push(2)); queueMicrotask(() => order.push(3))
      order.push(0)
      for (let i = 0; i < 5; i++) await null
      return order
    }`
    expect(returned(module)).toEqual([0, 1, 2, 3])
    expect(failed('export default () => queueMicrotask(1)').message).toContain('expected a function')
  })

  test('structuredClone, of Values', () => {
    const module = `export default () => {
      const x = { a: [1n, new Uint8Array([1, 2])], b: null }
      const y = structuredClone(x)
      y.a[1][0] = 9
      return [x, y, y.a !== x.a]
    }`
    const [bytes, copy] = [Uint8Array.of(1, 2), Uint8Array.of(9, 2)]
    expect(returned(module)).toEqual([{ a: [1n, bytes], b: null }, { a: [1n, copy], b: null }, true])
  })

  test('crypto.getRandomValues fills arrays of integers, within its limit', () => {
    const module = `export default () => {
      const whole = new Uint8Array(100)
      const view = crypto.getRandomValues(whole.subarray(50, 90))
      const wide = crypto.getRandomValues(new BigUint64Array(2))
      return [view.length, whole.slice(0, 50).every((x) => x === 0), whole.slice(50, 90).some((x) => x !== 0), whole.slice(90).every((x) => x === 0), wide.some((x) => x > 2n ** 32n)]
    }`
    expect(returned(module)).toEqual([40, true, true, true, true])
    expect(failed('export default () => crypto.getRandomValues(new Float64Array(1))').message).toContain(
      'TypeMismatchError',
    )
    expect(failed('export default () => crypto.getRandomValues(new Uint8Array(65537))').message).toContain(
      'QuotaExceededError',
    )
  })
})
