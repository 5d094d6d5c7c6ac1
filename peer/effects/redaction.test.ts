import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import { createRedactor } from './redaction.ts'

const SECRET = 'sk_live_9aB/+"x&yZ.51Q'
const MARK = '[secret KEY]'
const redactor = createRedactor(new Map([['KEY', SECRET]]))
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a secret is taken out', () => {
  test.each([
    ['as it is', SECRET],
    ['in capitals', SECRET.toUpperCase()],
    ['as JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['as JSON with escaped slashes', JSON.stringify(SECRET).slice(1, -1).replaceAll('/', '\\/')],
    ['as JSON of ASCII codes', [...SECRET].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('')],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in a URL in a URL', encodeURIComponent(encodeURIComponent(SECRET))],
    ['all of it percent-encoded', [...SECRET].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')],
    ['in HTML', SECRET.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
    ['in HTML by number', SECRET.replaceAll('&', '&#38;').replaceAll('"', '&#x22;')],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['in base64', base64(SECRET).replaceAll('=', '')],
    ['in base64 for URLs', Buffer.from(SECRET).toString('base64url')],
  ])('%s', (_, disguised) => {
    expect(redactor.text(`before ${disguised} after ${disguised}`)).toBe(`before ${MARK} after ${MARK}`)
  })

  test('in base64 of more than it, wherever it stands there, and over lines', () => {
    for (const before of ['', 'a', 'ab', 'abc', 'user:', 'Bearer ']) {
      for (const after of ['', 'z', 'zz', 'zzz', ':word']) {
        const found = redactor.text(base64(before + SECRET + after))
        expect(found).toContain(MARK)
        const [left = '', right = ''] = found.split(MARK)
        expect(before.startsWith(Buffer.from(left, 'base64').toString().slice(0, before.length))).toBe(true)
        expect(left.length + right.length).toBeLessThan(base64(before + after).length + 4)
      }
    }
    const lines = base64(`${'x'.repeat(50)}${SECRET}${'y'.repeat(50)}`).replace(/.{76}/g, '$&\r\n')
    expect(redactor.text(lines)).toContain(MARK)
    expect(redactor.text(JSON.stringify(lines))).toContain(MARK)
  })
})

test('each secret has its own name; what is none stays to the byte', () => {
  const two = createRedactor(
    new Map([
      ['A', 'first-secret'],
      ['B', 'second$&secret'],
    ]),
  )
  expect(two.text('first-secret second$&secret first-secre')).toBe('[secret A] [secret B] first-secre')
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  expect(two.bytes(bytes)).toBe(bytes)
  const around = new Uint8Array([...bytes, ...new TextEncoder().encode('first-secret'), ...bytes])
  expect(two.bytes(around)).toEqual(new Uint8Array([...bytes, ...new TextEncoder().encode('[secret A]'), ...bytes]))
})

test('nothing of any secret is left, whatever stands around it', async () => {
  const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
  const secrets = fc.array(visible, { minLength: 8, maxLength: 40 }).map((chars) => chars.join(''))
  const disguise = fc.constantFrom<(text: string) => string>(
    (text) => text,
    encodeURIComponent,
    (text) => JSON.stringify(text),
    (text) => Buffer.from(text, 'latin1').toString('base64'),
    (text) => Buffer.from(text, 'latin1').toString('base64url'),
    (text) => Buffer.from(text, 'latin1').toString('hex'),
  )
  const noise = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  await checkProperty(
    'redacted',
    fc.property(secrets, disguise, noise, noise, (secret, disguised, before, after) => {
      const clean = createRedactor(new Map([['KEY', secret]]))
      const told = disguised(before + secret + after)
      const body = Buffer.from(clean.bytes(new Uint8Array(Buffer.from(told, 'latin1')))).toString('latin1')
      for (const found of [body, clean.text(told)]) {
        expect(found).toContain(MARK)
        expect(found).not.toContain(secret)
      }
    }),
    { runs: 500 },
  )
})

test('a body of full size costs ten times a second of a processor at most, whatever it looks like', {
  timeout: 120_000,
}, () => {
  const repeated = ['sk_live_', '%2525', '\\u00', '&#x0', '&#0', 'c2tf\n', '73\n', '\0']
  for (const piece of repeated) {
    const body = new TextEncoder().encode(piece.repeat((4 * 1024 * 1024) / piece.length))
    const before = process.cpuUsage()
    redactor.bytes(body)
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10)
  }
})
