import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { serve, serveRaw } from '../../node/fetching/testing/servers.ts'
import { createWeb } from '../../node/fetching/web.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Answer } from '../../protocol/journal.ts'
import type { Secrets, Web, WebAnswer } from '../../protocol/ports.ts'
import { decodeValue } from '../../protocol/values.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { type FetchAuthority, Fetching } from './fetch.ts'
import type { FetchArguments, FetchGrant } from './fetch-rules.ts'

const SECRET = 'sk_live_9aB/+"x&yZ.51Q'
const never = new AbortController().signal

/** Names of tests lead where the test says; all others nowhere. */
const names = new Map<string, string[][]>()
afterEach(() => names.clear())
const find = async (name: string) => {
  const turns = names.get(name) ?? []
  const found = turns.length > 1 ? turns.shift() : turns[0]
  return (found ?? []).map((address) => ({ address }))
}
const LOCAL = ['127.0.0.1']

const authority = (grant: FetchGrant, changes: Partial<FetchAuthority> = {}): FetchAuthority => ({
  ...{ grant: { private: true, ...grant }, secrets: new Map(), invocation: 'bafyinvocation', n: 3 },
  ...{ bytesMax: 4_000_000, deadlineMs: systemClock.monotonic() + 20_000 },
  ...changes,
})
const asked = (url: string, changes: Partial<FetchArguments> = {}): FetchArguments => ({
  ...{ binding: 'API', url, method: 'GET', headers: [], body: null },
  ...changes,
})

interface Shown {
  status: number
  headers: [string, string][]
  body: string
  url: string
}
const shown = (answer: Answer): Shown | string => {
  if (!answer.ok) return `${answer.code} ${answer.message}`
  const { body, ...rest } = decodeValue(answer.value) as unknown as Omit<Shown, 'body'> & { body: Uint8Array }
  return { ...rest, body: Buffer.from(body).toString('latin1') }
}

const logged: unknown[] = []
const log = { event: (...event: unknown[]) => logged.push(event) }
const secretsOf = (values: Record<string, string>): Secrets => ({ read: async (name) => values[name] })
const fetching = new Fetching({
  clock: systemClock,
  log,
  web: createWeb(find),
  secrets: secretsOf({ API_KEY: SECRET }),
})

const perform = async (given: FetchArguments, allowed: FetchAuthority, by = fetching) => {
  try {
    return shown(await by.prepare(given, allowed).send(never))
  } catch (cause) {
    return `${(cause as { code: string }).code} ${(cause as Error).message}`
  }
}

/** A server at a name of its own. */
const serveAt = async (name: string, ...[answer]: Parameters<typeof serve>) => {
  names.set(name, [LOCAL])
  const server = await serve(answer)
  return { ...server, origin: `http://${name}:${server.port}` }
}

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

  test('are tried one after the other, as long as nothing was sent', async () => {
    const server = await serveAt('two.example', (_, response) => response.end('second'))
    names.set('two.example', [['127.0.0.2', '127.0.0.1']])
    expect(await perform(asked(server.origin), authority({ fetch: [server.origin] }))).toMatchObject({ body: 'second' })
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

describe('a secret', () => {
  const KEY = '{wayside-secret:KEY}'
  const withKey: Partial<FetchArguments> = { headers: [['authorization', `Bearer ${KEY}`]] }
  const granted = (origin: string) => new Map([['KEY', { secret: 'API_KEY', origin, header: 'authorization' }]])

  test('that the server echoes in any place is taken out before anybody reads it', async () => {
    const a = await serveAt('a.example', (request, response) => {
      const sent = request.headers.authorization as string
      const body = JSON.stringify({
        sent,
        url: encodeURIComponent(sent),
        base64: btoa(`x${sent}`),
        hex: Buffer.from(sent).toString('hex'),
      })
      response.writeHead(200, 'OK', { 'x-echo': sent, 'content-length': body.length }).end(body)
    })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    const answer = await fetching.prepare(asked(a.origin, withKey), allowed).send(never)
    const found = shown(answer) as Shown
    expect(a.asked[0]?.headers.authorization).toBe(`Bearer ${SECRET}`)
    expect(JSON.parse(found.body)).toMatchObject({ sent: 'Bearer [secret KEY]', url: 'Bearer%20[secret KEY]' })
    expect(found.headers).toContainEqual(['x-echo', 'Bearer [secret KEY]'])
    // It was that of another body.
    expect(Object.fromEntries(found.headers)).not.toHaveProperty('content-length')
    const bytes = Buffer.from(answer.ok ? answer.value : []).toString('latin1')
    for (const text of [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('hex'), SECRET.slice(0, 12)])
      expect(bytes).not.toContain(text)
  })

  test('that was sent before is taken out of what comes later, and of what an error says', async () => {
    const a = await serveAt('a.example', (request, response) => {
      if (request.url === '/later') response.end(SECRET)
      else response.writeHead(302, { location: `http://${request.url?.slice(1)}.example/` }).end()
    })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    expect(await perform(asked(`${a.origin}/later`), allowed)).toMatchObject({ body: '[secret KEY]' })
    const named = new Fetching({
      clock: systemClock,
      log,
      web: createWeb(find),
      secrets: secretsOf({ API_KEY: 'evil-key' }),
    })
    const told = await perform(asked(`${a.origin}/evil-key`), allowed, named)
    expect(told).toBe(`E_FETCH env.API: ${a.origin} redirected to an address with a secret in it`)
  })

  test('does not go where a redirect leads, nor comes back by a second one', async () => {
    const b = await serveAt('b.example', (request, response) => {
      if (request.url === '/back') response.writeHead(307, { location: `${a.origin}/end` }).end()
      else response.end()
    })
    const a = await serveAt('a.example', (request, response) => {
      if (request.url === '/end') response.end('end')
      else response.writeHead(307, { location: request.url === '/own' ? '/end' : `${b.origin}${request.url}` }).end()
    })
    const allowed = authority({ fetch: [a.origin, b.origin] }, { secrets: granted(a.origin) })
    for (const path of ['/away', '/back', '/own']) await perform(asked(a.origin + path, withKey), allowed)
    expect(b.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect(a.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/away', `Bearer ${SECRET}`],
      ['/back', `Bearer ${SECRET}`],
      ['/end', undefined],
      ['/own', `Bearer ${SECRET}`],
      ['/end', `Bearer ${SECRET}`],
    ])
  })

  test('that this home does not have, or that was not granted, stops the request', async () => {
    const a = await serveAt('a.example', (_, response) => response.end())
    const allowed = authority(
      { fetch: [a.origin] },
      { secrets: new Map([['KEY', { secret: 'OTHER', origin: a.origin, header: 'authorization' }]]) },
    )
    expect(await perform(asked(a.origin, withKey), allowed)).toBe(
      'E_GRANT env.KEY: this home has no value for the secret',
    )
    expect(await perform(asked(a.origin, withKey), authority({ fetch: [a.origin] }))).toMatch(/^E_GRANT/)
    expect(a.connections()).toBe(0)
    expect(await perform(asked(a.origin), allowed)).toMatchObject({ status: 200 })
  })

  test('that cannot be read stops each request, and why is said to the owner alone', async () => {
    const a = await serveAt('a.example', (_, response) => response.end())
    const secrets: Secrets = {
      async read() {
        throw new MeshError('E_CONFIG', 'a file of the owner')
      },
    }
    const by = new Fetching({ clock: systemClock, log, web: createWeb(find), secrets })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    expect(await perform(asked(a.origin), allowed, by)).toBe(
      'E_GRANT env.KEY: this home cannot read the secret; its log says why',
    )
    expect(logged).toEqual([['secret.unreadable', { reason: 'a file of the owner' }]])
    expect(a.connections()).toBe(0)
  })
})

describe('an unsafe request whose outcome is not known', () => {
  const post = (origin: string) => asked(origin, { method: 'POST', body: new Uint8Array([7]) })

  test('is not sent again, and that is said', async () => {
    const server = await serveRaw((socket) => socket.end())
    names.set('localhost', [LOCAL])
    const allowed = authority({ fetch: [server.origin], methods: ['GET', 'POST'] })
    expect(await perform(post(server.origin), allowed)).toMatch(
      /^E_EFFECT_OUTCOME_UNKNOWN env\.API: POST http:\/\/localhost:\d+: the connection ended .*; the request had been sent, and may have been performed$/,
    )
    expect(server.connections()).toBe(1)
    // Nothing is lost where nothing was to be changed.
    expect(await perform(asked(server.origin), allowed)).toMatch(/^E_FETCH/)
    expect(server.connections()).toBe(2)
  })

  test('is known not to have been sent where nobody was reached', async () => {
    const server = await serveRaw(() => {})
    names.set('away.example', [['127.0.0.2']])
    const origin = `http://away.example:${server.port}`
    expect(await perform(post(origin), authority({ fetch: [origin], methods: ['POST'], onUnknown: 'retry' }))).toBe(
      `E_FETCH env.API: POST ${origin}: no connection (ECONNREFUSED)`,
    )
  })

  const scripted = (answers: WebAnswer[]) => {
    const clock = new FakeClock()
    const sent: { atMs: number; key: string | undefined }[] = []
    const web: Web = {
      resolve: async () => ['127.0.0.1'],
      exchange: async ({ headers }) => {
        sent.push({ atMs: clock.monotonic(), key: headers.find(([name]) => name === 'idempotency-key')?.[1] })
        return answers[Math.min(sent.length, answers.length) - 1] as WebAnswer
      },
    }
    const by = new Fetching({ clock, log, web })
    const origin = 'http://api.example'
    const allowed = (deadlineMs: number) =>
      authority(
        { fetch: [origin], methods: ['POST'], onUnknown: 'retry' },
        { deadlineMs: clock.monotonic() + deadlineMs },
      )
    return { clock, sent, send: (deadlineMs: number) => by.prepare(post(origin), allowed(deadlineMs)).send(never) }
  }
  const lost: WebAnswer = { kind: 'lost', reason: 'lost' }

  test('is sent again with the same key, later each time, if the grant says so', async () => {
    const answered: WebAnswer = { kind: 'answered', status: 201, headers: [], body: new Uint8Array() }
    const { clock, sent, send } = scripted([lost, lost, answered])
    const answer = send(60_000)
    await clock.advance(5000)
    expect(shown(await answer)).toMatchObject({ status: 201 })
    const start = sent[0]?.atMs as number
    expect(sent.map(({ atMs, key }) => [atMs - start, key])).toEqual(
      [0, 500, 1500].map((ms) => [ms, 'wayside-bafyinvocation-3']),
    )
  })

  test('is sent four times at most, and not beyond the deadline', async () => {
    for (const [deadlineMs, times] of [
      [60_000, 4],
      [1000, 2],
    ] as const) {
      const { clock, sent, send } = scripted([lost])
      const answer = send(deadlineMs)
      await clock.advance(70_000)
      expect(shown(await answer)).toMatch(/^E_EFFECT_OUTCOME_UNKNOWN/)
      expect(sent.length).toBe(times)
    }
  })

  test('is not sent again where it was answered, with what is of no use', async () => {
    const { clock, sent, send } = scripted([{ kind: 'unusable', reason: 'no HTTP' }])
    const answer = send(60_000)
    await clock.advance(10_000)
    expect(shown(await answer)).toMatch(/^E_EFFECT_OUTCOME_UNKNOWN .*no HTTP; the request had been sent/)
    expect(sent.length).toBe(1)
  })
})

test('a fetch ends at the deadline of its caller, or when that gives up', async () => {
  const server = await serveRaw(() => {})
  names.set('localhost', [LOCAL])
  const allowed = authority({ fetch: [server.origin] }, { deadlineMs: systemClock.monotonic() + 50 })
  expect(await perform(asked(server.origin), allowed)).toBe(
    `E_FETCH env.API: GET ${server.origin}: no answer came in time`,
  )
  const controller = new AbortController()
  const answer = fetching.prepare(asked(server.origin), authority({ fetch: [server.origin] })).send(controller.signal)
  controller.abort()
  expect(shown(await answer)).toMatch(/^E_FETCH/)
})
