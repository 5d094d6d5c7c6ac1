import { createServer } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { HTTP_HEAD_BYTES_MAX } from '../../protocol/limits.ts'
import type { WebRequest } from '../../protocol/ports.ts'
import { makeCertificate } from '../web/certificate.ts'
import { serve, serveRaw } from './testing/servers.ts'
import { createWeb } from './web.ts'

const web = createWeb()
const never = new AbortController().signal
const HERE = '127.0.0.1'

const get = (url: string, changes: Partial<WebRequest> = {}): WebRequest => ({
  ...{ url, method: 'GET', headers: [], body: null },
  ...changes,
})
const exchange = (request: WebRequest, { address = HERE, bodyBytesMax = 1000, signal = never } = {}) =>
  web.exchange(request, address, bodyBytesMax, signal)
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** What comes of a GET whose server answers with these bytes. */
const answeredWith = async (bytes: string | Buffer, { ends = true } = {}) => {
  const { origin } = await serveRaw((socket) => {
    socket.write(bytes)
    if (ends) socket.end()
  })
  return exchange(get(`${origin}/`))
}

/** Until the test ends, certificates that `certificate` signed are believed, as the system's are. */
const trust = (certificate: string) => {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, certificate])
  onTestFinished(() => setDefaultCACertificates(before))
}

describe('a request', () => {
  test('is what was asked, and nothing more', async () => {
    const received = Promise.withResolvers<string>()
    const { origin, port } = await serveRaw((socket, text) => {
      received.resolve(text)
      socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    })
    const headers = [
      ['content-type', 'text/plain'],
      ['x-twice', 'a'],
      ['x-twice', 'é'],
    ] as const
    const answer = await exchange(get(`${origin}/a?b=%20`, { method: 'POST', headers, body: new Uint8Array([65, 66]) }))
    expect(await received.promise).toBe(
      [
        ...[
          'POST /a?b=%20 HTTP/1.1',
          `host: localhost:${port}`,
          'accept-encoding: identity',
          'accept: */*',
          'user-agent: wayside',
        ],
        ...['content-type: text/plain', 'x-twice: a', 'x-twice: é', 'content-length: 2', 'Connection: close', '', 'AB'],
      ].join('\r\n'),
    )
    expect(answer).toEqual({ kind: 'answered', status: 204, headers: [], body: new Uint8Array() })
  })

  test('says so if it has no body where there could be one', async () => {
    const server = await serve((_, response) => response.end())
    await exchange(get(server.origin, { method: 'PUT' }))
    await exchange(
      get(server.origin, {
        headers: [
          ['accept', 'text/html'],
          ['user-agent', 'x'],
        ],
      }),
    )
    expect(
      server.asked.map(({ headers }) => [headers['content-length'], headers.accept, headers['user-agent']]),
    ).toEqual([
      ['0', '*/*', 'wayside'],
      [undefined, 'text/html', 'x'],
    ])
  })

  test('goes to the address that it was given, whatever the name is', async () => {
    const server = await serve((_, response) => response.end('here'))
    const answer = await exchange(get(`http://metadata.internal.example:${server.port}/`))
    expect(answer).toMatchObject({ kind: 'answered', status: 200 })
    expect(server.asked[0]?.headers.host).toBe(`metadata.internal.example:${server.port}`)
  })

  test('has a connection of its own', async () => {
    const server = await serve((_, response) => response.end())
    for (let i = 0; i < 3; i++) await exchange(get(server.origin))
    expect(server.connections()).toBe(3)
  })
})

describe('over TLS', () => {
  const certificate = makeCertificate([HERE], Date.now())
  const server = () => serve((_, response) => response.end('secret'), certificate)

  test('a certificate that nobody vouches for is refused before anything is sent, whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { origin, asked } = await server()
    expect(await exchange(get(origin))).toEqual({
      kind: 'unsent',
      reason: 'its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    })
    expect(asked).toEqual([])
  })

  test('one that is trusted serves its names, and no other', async () => {
    trust(certificate.cert)
    const { origin, port, asked } = await server()
    expect(await exchange(get(origin))).toMatchObject({ kind: 'answered', status: 200 })
    expect(await exchange(get(`https://127.0.0.1:${port}/`))).toMatchObject({ kind: 'answered', status: 200 })
    expect(asked.length).toBe(2)
    expect(await exchange(get(`https://other.example:${port}/`))).toEqual({
      kind: 'unsent',
      reason: 'its certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)',
    })
    expect(asked.length).toBe(2)
  })

  test('no session is taken up again', async () => {
    trust(certificate.cert)
    const { origin, asked } = await server()
    for (let i = 0; i < 3; i++) await exchange(get(origin))
    expect(asked.map(({ isResumed }) => isResumed)).toEqual([false, false, false])
  })

  test('a server that speaks no TLS gets nothing', async () => {
    const { origin } = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
    expect(await exchange(get(origin.replace('http:', 'https:')))).toMatchObject({ kind: 'unsent' })
  })
})

describe('an answer', () => {
  test('comes as it is: status, all headers, bytes', async () => {
    const head = 'HTTP/1.1 302 Found\r\nLocation: /x\r\nX-A: 1\r\nx-a: \xe9\r\nContent-Length: 3\r\n\r\n'
    expect(await answeredWith(Buffer.from(`${head}\x00\xff!`, 'latin1'))).toEqual({
      kind: 'answered',
      status: 302,
      headers: [
        ['location', '/x'],
        ['x-a', '1'],
        ['x-a', 'é'],
        ['content-length', '3'],
      ],
      body: new Uint8Array([0, 255, 33]),
    })
  })

  test('in pieces, and after an interim one', async () => {
    const answer = await answeredWith(
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    )
    expect(answer.kind === 'answered' && textOf(answer.body)).toBe('abcde')
  })

  test('to HEAD has no body', async () => {
    const server = await serve((_, response) => response.end('text'))
    const answer = await exchange(get(server.origin, { method: 'HEAD' }))
    expect(answer).toMatchObject({ kind: 'answered', body: new Uint8Array() })
  })

  test('of as many bytes as may be is taken, of one more is not', async () => {
    const server = await serve((request, response) => response.end('x'.repeat(Number(request.url?.slice(1)))))
    expect(await exchange(get(`${server.origin}/1000`))).toMatchObject({ kind: 'answered' })
    expect(await exchange(get(`${server.origin}/1001`))).toEqual({
      kind: 'unusable',
      reason: 'its body is longer than 1000 bytes',
    })
  })

  test('without end is given up', async () => {
    let isGone = false
    const { origin } = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = () => {
        while (socket.write('x'.repeat(65_536)));
      }
      socket.on('drain', more)
      socket.on('close', () => {
        isGone = true
      })
      more()
    })
    expect(await exchange(get(origin))).toMatchObject({ kind: 'unusable' })
    await vi.waitFor(() => expect(isGone).toBe(true), 20_000)
  })

  test.each([
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(HTTP_HEAD_BYTES_MAX)}`,
      /^its headers are longer than 16384 bytes$/,
    ],
    ['one header without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(HTTP_HEAD_BYTES_MAX)}`, /^its headers are longer/],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /^what it answered is no HTTP \(HPE_/],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /is no HTTP \(HPE_/],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /is no HTTP \(HPE_/,
    ],
    ['a bare line feed', 'HTTP/1.1 200 OK\nx: y\n\n', /is no HTTP \(HPE_/],
    ['a chunk that lies', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', /is no HTTP \(HPE_/],
    [
      'interim answers without end',
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000),
      /^it answers without coming to an end$/,
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      /^it changed to another protocol$/,
    ],
    [
      'a coding that was not asked for',
      Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n'),
        gzipSync(Buffer.alloc(1 << 20)),
      ]),
      /^its body came as gzip, which was not asked for$/,
    ],
  ] as [string, string | Buffer, RegExp][])('that is %s is not used', async (_, bytes, reason) => {
    const answer = await answeredWith(bytes)
    expect(answer).toEqual({ kind: 'unusable', reason: expect.stringMatching(reason) })
  })

  test.each([
    ['before it begins', ''],
    ['in its headers', 'HTTP/1.1 200 OK\r\nContent-'],
    ['in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('that ends %s is lost', async (_, bytes) => {
    expect(await answeredWith(bytes)).toMatchObject({ kind: 'lost' })
  })
})

describe('a server that', () => {
  /** Until something has come over the connection. */
  const abortOnce = (begin: (heard: () => void) => void): AbortSignal => {
    const controller = new AbortController()
    begin(() => controller.abort())
    return controller.signal
  }

  test('does not answer is given up in time, and may have done what it was asked', async () => {
    let heard = () => {}
    const signal = abortOnce((abort) => {
      heard = abort
    })
    const { origin } = await serveRaw(() => heard())
    expect(await exchange(get(origin), { signal })).toEqual({ kind: 'lost', reason: 'no answer came in time' })
  })

  test('sends its answer a byte at a time is given up in time', async () => {
    let heard = () => {}
    const signal = abortOnce((abort) => {
      heard = abort
    })
    const { origin } = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx', heard)
    })
    expect(await exchange(get(origin), { signal })).toEqual({ kind: 'lost', reason: 'no answer came in time' })
  })

  test('takes the connection and begins no TLS is left after five seconds, with nothing sent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const heard = Promise.withResolvers<void>()
    const { origin } = await serveRaw(() => heard.resolve())
    const answer = exchange(get(origin.replace('http:', 'https:')))
    await heard.promise
    vi.advanceTimersByTime(5000)
    expect(await answer).toEqual({ kind: 'unsent', reason: 'it does not answer' })
  })

  test('is not there has been sent nothing', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, HERE, resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    expect(await exchange(get(`http://localhost:${port}/`))).toEqual({
      kind: 'unsent',
      reason: 'no connection (ECONNREFUSED)',
    })
  })

  test('closes its half first, and answers nonetheless', async () => {
    const { origin } = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    expect(await exchange(get(origin))).toMatchObject({ kind: 'answered', status: 200 })
  })

  test('answers before it has read a large request', async () => {
    const { origin } = await serveRaw((socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'))
    const answer = await exchange(get(origin, { method: 'POST', body: new Uint8Array(4_000_000) }))
    expect(answer).toMatchObject({ kind: 'answered', status: 413 })
  })
})

describe('a name', () => {
  test('has the addresses that were found; one that is an address is it', async () => {
    const asked: string[] = []
    const { resolve } = createWeb(async (name) => {
      asked.push(name)
      if (name === 'nobody.example') throw new Error('ENOTFOUND')
      return [{ address: '192.0.2.1' }, { address: '::1' }]
    })
    expect(await resolve('some.example', never)).toEqual(['192.0.2.1', '::1'])
    expect(await resolve('nobody.example', never)).toEqual([])
    expect(await resolve('127.0.0.1', never)).toEqual(['127.0.0.1'])
    expect(await resolve('::1', never)).toEqual(['::1'])
    expect(asked).toEqual(['some.example', 'nobody.example'])
  })

  test('that takes too long is given up', async () => {
    const controller = new AbortController()
    const { resolve } = createWeb(() => new Promise(() => {}))
    const found = resolve('slow.example', controller.signal)
    controller.abort()
    await expect(found).rejects.toThrow()
    await expect(resolve('slow.example', controller.signal)).rejects.toThrow()
  })

  test('of this machine is known to its system', async () => {
    expect(await web.resolve('localhost', never)).toContain(HERE)
  })
})
