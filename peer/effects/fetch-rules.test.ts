import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import type { FetchGrant } from '../../protocol/grants.ts'
import { checkProperty } from '../../scripts/test/seed.ts'
import { type FetchArguments, firstHop, type Hop, nextHop, withIdempotencyKey } from './fetch-rules.ts'
import { isCredential } from './secrets.ts'

const GRANT: FetchGrant = {
  fetch: ['https://api.example.com', 'https://other.example'],
  methods: ['GET', 'POST', 'PUT'],
}

const asked = (url: string, changes: Partial<FetchArguments> = {}): FetchArguments => ({
  ...{ binding: 'API', url, method: 'GET', headers: [], body: null },
  ...changes,
})

/** What comes of it: the hop, or the code and message of the refusal. */
const outcome = <T>(run: () => T): T | string => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof MeshError) return `${cause.code} ${cause.message}`
    throw cause
  }
}
const first = (url: string, changes: Partial<FetchArguments> = {}, grant = GRANT) =>
  outcome(() => firstHop(asked(url, changes), grant))

describe('a request within the grant', () => {
  test.each([
    ['https://api.example.com/v1?q=1#there', 'https://api.example.com/v1?q=1'],
    ['HTTPS://API.example.com.:443/a/../b', 'https://api.example.com/b'],
    ['https://api.example.com', 'https://api.example.com/'],
    ['https://api.example.com/%2e%2e/%00', 'https://api.example.com/%00'],
    ['https://api.example.com/@user', 'https://api.example.com/@user'],
  ])('%s', (text, url) => {
    expect(first(text)).toEqual({ url, origin: 'https://api.example.com', method: 'GET', headers: [], body: null })
  })

  test('its method and the names of its headers are written in one way', () => {
    const hop = first('https://other.example/', {
      method: 'post',
      headers: [['Content-Type', 'Text/Plain']],
      body: new Uint8Array(2),
    })
    expect(hop).toMatchObject({ method: 'POST', headers: [['content-type', 'Text/Plain']] })
  })
})

describe('a request outside of it is refused, and nothing of the grant is said', () => {
  test.each([
    [
      'http://api.example.com/',
      {},
      'E_GRANT env.API: http://api.example.com is not among the origins that it may fetch',
    ],
    ['https://api.example.com:8443/', {}, /^E_GRANT .*https:\/\/api\.example\.com:8443 is not among/],
    ['https://api.example.com.evil.example/', {}, /^E_GRANT .*evil\.example is not among/],
    ['https://xapi.example.com/', {}, /^E_GRANT/],
    ['https://example.com/', {}, /^E_GRANT/],
    ['https://api.example.com@evil.example/', {}, /^E_FETCH .*is not fetched: a URL is/],
    ['https://api.example.com\\@evil.example/', {}, /^E_FETCH/],
    ['https://evil.example\\.api.example.com/', {}, /^E_FETCH/],
    ['https://api.example.com\t.evil.example/', {}, /^E_FETCH/],
    ['https:/\n/api.example.com/', {}, /^E_FETCH/],
    ['//api.example.com/', {}, /^E_FETCH/],
    ['/v1', {}, /^E_FETCH/],
    ['ws://api.example.com/', {}, /^E_FETCH/],
    [
      'https://api.example.com/',
      { method: 'DELETE' },
      'E_GRANT env.API: DELETE is not among the methods that it may use',
    ],
    ['https://api.example.com/', { method: 'connect' }, /^E_FETCH .*CONNECT is not sent/],
    ['https://api.example.com/', { body: new Uint8Array(1) }, /^E_FETCH .*GET has no body/],
  ] as [string, Partial<FetchArguments>, string | RegExp][])('%j %j', (url, changes, refusal) => {
    const found = first(url, changes)
    expect(found).toMatch(refusal)
    expect(found).not.toContain('other.example')
  })

  test('GET and HEAD alone, where the grant names no methods', () => {
    const grant = { fetch: ['https://api.example.com'] }
    expect(first('https://api.example.com/', { method: 'HEAD' }, grant)).toMatchObject({ method: 'HEAD' })
    expect(first('https://api.example.com/', { method: 'POST' }, grant)).toMatch(/^E_GRANT/)
  })

  test.each([
    ...[
      'Host',
      'Connection',
      'Content-Length',
      'Transfer-Encoding',
      'TE',
      'Trailer',
      'Upgrade',
      'Expect',
      'Keep-Alive',
      'Via',
    ],
    ...['Cookie', 'cookie2', 'Proxy-Authorization', 'Sec-Fetch-Site', 'HTTP2-Settings', 'Accept-Encoding'],
    ...['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override'],
  ])('the header %s', (name) => {
    const found = first('https://api.example.com/', {
      headers: [
        ['accept', '*/*'],
        [name, 'x'],
      ],
    })
    expect(found).toBe(`E_FETCH env.API: a function may not set the header ${name.toLowerCase()}; leave it out`)
  })
})

const POST: Hop = {
  url: 'https://api.example.com/a/b',
  origin: 'https://api.example.com',
  method: 'POST',
  headers: [
    ['authorization', 'Bearer {wayside-secret:KEY}'],
    ['x-key', '{wayside-secret:KEY}'],
    ['accept', '*/*'],
    ['content-type', 'text/plain'],
    ['idempotency-key', 'k'],
  ],
  body: new Uint8Array(3),
}
const redirect = (hop: Hop, status: number, location: string, grant = GRANT) =>
  outcome(() => nextHop('API', hop, { status, location }, grant, isCredential))
const names = (hop: Hop | string) => (hop as Hop).headers.map(([name]) => name)

describe('a redirect', () => {
  test.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [301, 'PUT', 'PUT'],
    [302, 'PUT', 'PUT'],
    [303, 'PUT', 'GET'],
    [307, 'PUT', 'PUT'],
    [308, 'PUT', 'PUT'],
    [301, 'GET', 'GET'],
    [303, 'GET', 'GET'],
    [307, 'GET', 'GET'],
  ])('%i makes of a %s a %s', (status, before, after) => {
    const hop = redirect({ ...POST, method: before }, status, '../c')
    expect(hop).toMatchObject({ url: 'https://api.example.com/c', method: after })
    const isBare = before !== after
    expect((hop as Hop).body).toEqual(isBare ? null : POST.body)
    expect(names(hop)).toEqual(isBare ? ['authorization', 'x-key', 'accept'] : names(POST))
  })

  test.each([301, 302, 303, 307, 308])('%i to another origin leaves the credentials behind, for good', (status) => {
    const there = redirect(POST, status, 'https://other.example/x')
    expect(names(there)).not.toContain('authorization')
    expect(names(there)).not.toContain('x-key')
    expect(names(there)).toContain('accept')
    expect(names(redirect(there as Hop, 307, POST.url))).toEqual(names(there))
  })

  test.each([
    ['http://api.example.com/', /^E_GRANT .*http:\/\/api\.example\.com is not among/],
    ['//evil.example/', /^E_GRANT/],
    ['https://api.example.com:444/', /^E_GRANT/],
    ['https://user:word@api.example.com/', /^E_FETCH/],
    ['https:\\\\evil.example', /^E_FETCH .*redirected to what is not fetched/],
    ['/a b', /^E_FETCH/],
    ['https://[', /^E_FETCH/],
    ['file:///etc/passwd', /^E_FETCH/],
    ['data:text/plain,x', /^E_FETCH/],
    ['//169.254.169.254/latest', /^E_GRANT/],
  ])('to %s is refused', (location, refusal) => {
    expect(redirect(POST, 307, location)).toMatch(refusal)
  })

  test('whose method the grant does not have is refused', () => {
    expect(redirect(POST, 303, '/x', { ...GRANT, methods: ['POST'] })).toMatch(
      /^E_GRANT .*GET is not among the methods/,
    )
  })
})

test('a request has an idempotency key if it is unsafe, and its own if the function gave one', () => {
  const key = (method: string, headers: Hop['headers'] = []) =>
    withIdempotencyKey({ ...POST, method, headers }, 'bafyinvocation', 7).headers
  expect(['POST', 'PUT', 'PATCH', 'DELETE', 'X'].map((method) => key(method))).toEqual(
    new Array(5).fill([['idempotency-key', 'wayside-bafyinvocation-7']]),
  )
  expect(['GET', 'HEAD', 'OPTIONS'].flatMap((method) => key(method))).toEqual([])
  expect(key('POST', [['idempotency-key', 'order 5']])).toEqual([['idempotency-key', 'order 5']])
})

describe('whatever a function or a server writes', () => {
  const evil = fc.constantFrom(
    ...[
      'https:',
      'http:',
      '//',
      '/',
      '\\',
      '@',
      ':',
      '#',
      '?',
      '.',
      '%2e',
      '%40',
      '\t',
      '\n',
      '\0',
      ' ',
      '\u3002',
      '\uff0f',
    ],
    ...['api.example.com', 'evil.example', '127.0.0.1', '[::1]', '443', '80', 'xn--', '\u202e', '\u00ad', 'user', '*'],
  )
  const anyText = fc.oneof(
    fc.array(evil, { maxLength: 9 }).map((parts) => parts.join('')),
    fc.webUrl(),
    fc.string(),
  )

  /** As far as a grammar of a few lines tells: RFC 3986, of one host. */
  const isWithin = (url: string) => /^https:\/\/(?:api\.example\.com|other\.example)(?:[/?]|$)/.test(url)

  test('a request that passes goes to a granted origin, by any reader of URLs', async () => {
    await checkProperty(
      'first hops',
      fc.property(anyText, fc.constantFrom('', 'https://api.example.com', 'https://'), (text, before) => {
        const hop = first(before + text)
        if (typeof hop === 'string') return
        expect(isWithin(hop.url)).toBe(true)
        expect(new URL(hop.url).href).toBe(hop.url)
      }),
      { runs: 3000 },
    )
  })

  test('so does a redirect, and no credential goes to another origin', async () => {
    const statuses = fc.constantFrom(301, 302, 303, 307, 308)
    await checkProperty(
      'redirects',
      fc.property(
        fc.array(fc.tuple(statuses, fc.oneof(anyText, fc.constantFrom('https://other.example/', POST.url)))),
        (steps) => {
          let hop = POST
          let isAway = false
          for (const [status, location] of steps) {
            const next = redirect(hop, status, location)
            if (typeof next === 'string') continue
            isAway ||= next.origin !== POST.origin
            expect(isWithin(next.url)).toBe(true)
            expect(names(next).includes('authorization') || names(next).includes('x-key')).toBe(!isAway)
            hop = next
          }
        },
      ),
      { runs: 2000 },
    )
  })
})
