import { describe, expect, test } from 'vitest'
import { ensureOrigin, isOrigin, readUrl } from './origins.ts'

describe('an origin', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com'],
    ['HTTPS://API.Example.COM:443/', 'https://api.example.com'],
    ['http://api.example.com:80', 'http://api.example.com'],
    ['http://api.example.com:443', 'http://api.example.com:443'],
    ['https://api.example.com.', 'https://api.example.com'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://BÜCHER.example.:8443', 'https://xn--bcher-kva.example:8443'],
    ['http://0x7f.1', 'http://127.0.0.1'],
    ['http://2130706433:8080', 'http://127.0.0.1:8080'],
    ['http://１２７.0.0.1', 'http://127.0.0.1'],
    ['http://[::ffff:127.0.0.1]', 'http://[::ffff:7f00:1]'],
    ['http://[0:0::1]:80', 'http://[::1]'],
  ])('%s is %s', (text, origin) => {
    expect(ensureOrigin(text)).toBe(origin)
    expect(isOrigin(text)).toBe(true)
  })

  test.each([
    ...[
      '',
      'api.example.com',
      '//api.example.com',
      'ftp://api.example.com',
      'file:///etc/passwd',
      'data:,x',
      'javascript:1',
    ],
    ...[
      'https://',
      'https://*.example.com',
      'https://api.example.com/v1',
      'https://api.example.com?',
      'https://a.example#',
    ],
    ...[
      'https://user@api.example.com',
      'https://@api.example.com',
      'https:///u@api.example.com',
      'https:/api.example.com',
    ],
    ...[
      'https:api.example.com',
      ' https://a.example',
      'https://a.example ',
      'https:\\\\a.example',
      'https://a.example\\',
    ],
    ...[
      'https://a.exam\nple',
      'https://a.example\u0000',
      'https://a.example..',
      'https://.',
      'https://a\u00adb.example',
    ],
    ...[
      'https://a.example:65536',
      'https://a.example:port',
      'https://[::1',
      'https://a b.example',
      'https://a%00.example',
    ],
  ])('%j is none', (text) => {
    expect(isOrigin(text)).toBe(false)
    expect(() => ensureOrigin(text)).toThrow(/is no origin; write one such as/)
  })
})

test.each([
  ['/b?c#d', 'https://a.example/b?c'],
  ['b', 'https://a.example/x/b'],
  ['?q=@', 'https://a.example/x/y?q=@'],
  ['//b.example', 'https://b.example/'],
  ['http://b.example.', 'http://b.example/'],
  ['//u@b.example', undefined],
  ['//@b.example', undefined],
  ['https:/b', undefined],
  ['https:b', undefined],
  ['///b.example', undefined],
  ['\\\\b.example', undefined],
  ['mailto:a@b.example', undefined],
  ['', 'https://a.example/x/y'],
])('%j from https://a.example/x/y is %s', (text, url) => {
  expect(readUrl(text, 'https://a.example/x/y')?.href).toBe(url)
})
