import { describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { serve } from '../../node/fetching/testing/servers.ts'
import { createWeb } from '../../node/fetching/web.ts'
import type { Web } from '../../protocol/ports.ts'
import { Fetching } from './fetch.ts'
import {
  asked,
  authority,
  fetching,
  log,
  names,
  never,
  perform,
  SECRET,
  type Shown,
  serveAt,
} from './testing/fetching.ts'

describe('a fetch', () => {
  test('is answered with status, headers, bytes and where they come from', async () => {
    const server = await serveAt('api.example', (_, response) => {
      response.writeHead(418, { 'x-one': '1', 'set-cookie': 'session=1', 'content-type': 'text/plain' }).end('tea')
    })
    const found = (await perform(asked(`${server.origin}/pot#lid`), authority({ fetch: [server.origin] }))) as Shown
    expect(found).toMatchObject({ status: 418, body: 'tea', url: `${server.origin}/pot` })
    const headers = Object.fromEntries(found.headers)
    expect(headers).toMatchObject({ 'x-one': '1', 'content-type': 'text/plain' })
    expect(Object.keys(headers)).not.toContain('set-cookie')
    expect(Object.keys(headers)).not.toContain('connection')
  })

  test('is sent only once it is said to, and its intent holds no secret', async () => {
    const server = await serveAt('api.example', (_, response) => response.end())
    const secrets = new Map([['KEY', { secret: 'API_KEY', origin: server.origin, header: 'authorization' }]])
    const headers: [string, string][] = [['authorization', 'Bearer {wayside-secret:KEY}']]
    const given = asked(server.origin, { method: 'POST', headers, body: new Uint8Array([1]) })
    const prepared = fetching.prepare(given, authority({ fetch: [server.origin], methods: ['POST'] }, { secrets }))
    expect(prepared.intent).toEqual({
      url: `${server.origin}/`,
      method: 'POST',
      headers: [...headers, ['idempotency-key', 'wayside-bafyinvocation-3']],
      body: given.body,
      onUnknown: 'fail',
    })
    expect(server.connections()).toBe(0)
    await prepared.send(never)
    expect(server.asked).toMatchObject([
      { headers: { authorization: `Bearer ${SECRET}`, 'idempotency-key': 'wayside-bafyinvocation-3' }, body: '\x01' },
    ])
  })

  test('whose answer is longer than may be is none', async () => {
    const server = await serveAt('api.example', (_, response) => response.end('x'.repeat(101)))
    expect(await perform(asked(server.origin), authority({ fetch: [server.origin] }, { bytesMax: 100 }))).toBe(
      `E_FETCH env.API: GET ${server.origin}: its body is longer than 100 bytes`,
    )
  })

  test('where a host performs none is refused', async () => {
    const page = new Fetching({ clock: systemClock, log })
    expect(await perform(asked('https://a.example/'), authority({ fetch: ['https://a.example'] }), page)).toMatch(
      /^E_FETCH env\.API: a page fetches nothing/,
    )
  })
})

describe('addresses', () => {
  test.each([
    [['127.0.0.1']],
    [['::1']],
    [['10.0.0.1']],
    [['192.168.1.1']],
    [['169.254.169.254']],
    [['0.0.0.0']],
    [['fd00::1']],
    [['::ffff:127.0.0.1']],
    [['64:ff9b::7f00:1']],
    [['2002:7f00:1::']],
    [['100.64.0.1']],
    [['224.0.0.1']],
    [['93.184.215.14', '127.0.0.1']],
    [['127.0.0.1', '93.184.215.14']],
  ])('%j are not reached unless that is granted', async (found) => {
    const server = await serveAt('inside.example', (_, response) => response.end())
    names.set('inside.example', [found])
    const answer = await perform(asked(server.origin), authority({ fetch: [server.origin], private: false }))
    expect(answer).toBe(
      `E_GRANT env.API: ${server.origin} leads to addresses that are not public, which "private": true in its grant lets a function reach`,
    )
    expect(server.connections()).toBe(0)
  })

  test.each(['127.0.0.1', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0'])(
    'nor http://%s',
    async (host) => {
      const server = await serve((_, response) => response.end())
      const url = `http://${host}:${server.port}`
      expect(await perform(asked(url), authority({ fetch: [url], private: false }))).toMatch(/^E_GRANT .*not public/)
      expect(server.connections()).toBe(0)
    },
  )

  test.each([['169.254.169.254'], ['0.0.0.0'], ['224.0.0.1'], ['fe80::1']])('%s is never reached', async (address) => {
    names.set('inside.example', [[address]])
    const answer = await perform(asked('http://inside.example/'), authority({ fetch: ['http://inside.example'] }))
    expect(answer).toMatch(/^E_GRANT .*not public, which no function reaches$/)
  })

  test('a name that is public first and then leads inside is asked once, and the address that was judged is used', async () => {
    const server = await serve((_, response) => response.end('inside'))
    const reached: string[] = []
    let asks = 0
    const real = createWeb(async () => [{ address: asks++ === 0 ? '93.184.215.14' : '127.0.0.1' }])
    const web: Web = {
      resolve: real.resolve,
      // Nothing leaves this machine: the public address is where the test ends.
      exchange: async (request, address, ...rest) => {
        reached.push(address)
        return address === '127.0.0.1' ? real.exchange(request, address, ...rest) : { kind: 'unsent', reason: 'test' }
      },
    }
    const origin = `http://rebinding.example:${server.port}`
    const by = new Fetching({ clock: systemClock, log, web })
    const allowed = authority({ fetch: [origin], private: false })
    expect(await perform(asked(origin), allowed, by)).toMatch(/^E_FETCH/)
    expect([asks, reached]).toEqual([1, ['93.184.215.14']])
    expect(await perform(asked(origin), allowed, by)).toMatch(/^E_GRANT/)
    expect([asks, reached, server.connections()]).toEqual([2, ['93.184.215.14'], 0])
  })

  test('are tried one after the other, four of them, as long as nothing was sent', async () => {
    const server = await serveAt('two.example', (_, response) => response.end('second'))
    names.set('two.example', [['127.0.0.2', '127.0.0.1']])
    expect(await perform(asked(server.origin), authority({ fetch: [server.origin] }))).toMatchObject({ body: 'second' })
    // That of the server is the fifth.
    names.set('two.example', [['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.1']])
    expect(await perform(asked(server.origin), authority({ fetch: [server.origin] }))).toMatch(
      /^E_FETCH .*ECONNREFUSED/,
    )
    expect(server.connections()).toBe(1)
    expect(await perform(asked('http://none.example/'), authority({ fetch: ['http://none.example'] }))).toBe(
      'E_FETCH env.API: http://none.example has no address',
    )
  })
})

describe('redirects', () => {
  test('are followed within the grant, and the answer says where it ended', async () => {
    const b = await serveAt('b.example', (_, response) => response.end('end'))
    const a = await serveAt('a.example', (request, response) => {
      response.writeHead(302, { location: request.url === '/1' ? '/2' : `${b.origin}/3` }).end()
    })
    const grant = { fetch: [a.origin, b.origin], methods: ['GET', 'POST'] }
    const headers: [string, string][] = [
      ['authorization', 'Basic x'],
      ['x-any', 'kept'],
    ]
    const answer = await perform(
      asked(`${a.origin}/1`, { method: 'POST', body: new Uint8Array(2), headers }),
      authority(grant),
    )
    expect(answer).toMatchObject({ status: 200, body: 'end', url: `${b.origin}/3` })
    expect(a.asked.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['POST', 'Basic x'],
      ['GET', 'Basic x'],
    ])
    expect(b.asked).toMatchObject([{ method: 'GET', body: '', headers: { 'x-any': 'kept' } }])
    expect(b.asked[0]?.headers.authorization).toBeUndefined()
  })

  test('out of it are not', async () => {
    const inside = await serve((_, response) => response.end('metadata'))
    const a = await serveAt('a.example', (request, response) => {
      const where = {
        '/origin': 'https://evil.example/',
        '/inside': `http://127.0.0.1:${inside.port}/`,
        '/file': 'file:///etc/passwd',
      }
      response.writeHead(307, { location: where[request.url as keyof typeof where] }).end()
    })
    const allowed = authority({ fetch: [a.origin], methods: ['GET', 'PUT'] })
    expect(await perform(asked(`${a.origin}/origin`), allowed)).toMatch(
      /^E_GRANT .*https:\/\/evil\.example is not among/,
    )
    expect(await perform(asked(`${a.origin}/inside`), allowed)).toMatch(/^E_GRANT/)
    expect(await perform(asked(`${a.origin}/file`), allowed)).toMatch(/^E_FETCH/)
    // Something had been asked for by then.
    expect(await perform(asked(`${a.origin}/origin`, { method: 'PUT' }), allowed)).toMatch(
      /^E_EFFECT_OUTCOME_UNKNOWN .*is not among the origins that it may fetch; the request had been sent/,
    )
    expect(inside.connections()).toBe(0)
  })

  test('to a granted origin whose name leads inside are judged like any other', async () => {
    const inside = await serveAt('inside.example', (_, response) => response.end())
    const web = createWeb(async (name) => [{ address: name === 'outside.example' ? '93.184.215.14' : '127.0.0.1' }])
    const outside: Web = {
      ...web,
      exchange: async () => ({
        kind: 'answered',
        status: 302,
        headers: [['location', `${inside.origin}/`]],
        body: new Uint8Array(),
      }),
    }
    const by = new Fetching({ clock: systemClock, log, web: outside })
    const allowed = authority({ fetch: ['http://outside.example', inside.origin], private: false })
    expect(await perform(asked('http://outside.example/'), allowed, by)).toMatch(
      /^E_GRANT .*inside\.example.*not public/,
    )
    expect(inside.connections()).toBe(0)
  })

  test('end after five, without a place, and at two places', async () => {
    const server = await serveAt('a.example', (request, response) => {
      const left = Number(request.url?.slice(1))
      if (left > 0) response.writeHead(301, { location: `/${left - 1}` })
      else response.statusCode = request.url === '/0' ? 200 : 302
      if (request.url === '/two') response.setHeader('location', ['/0', '/1'])
      response.end()
    })
    const allowed = authority({ fetch: [server.origin] })
    expect(await perform(asked(`${server.origin}/5`), allowed)).toMatchObject({
      status: 200,
      url: `${server.origin}/0`,
    })
    expect(await perform(asked(`${server.origin}/6`), allowed)).toMatch(/^E_FETCH .*redirected more than 5 times/)
    expect(await perform(asked(`${server.origin}/nowhere`), allowed)).toMatchObject({ status: 302 })
    expect(await perform(asked(`${server.origin}/two`), allowed)).toMatch(/^E_FETCH .*several places/)
  })
})
