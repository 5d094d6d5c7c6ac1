import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import { HTTP_BODY_BYTES_MAX, HTTP_CONNECTIONS_MAX } from '../../protocol/limits.ts'
import { ensureResponse, type RequestValue, type ResponseValue } from './exchange.ts'
import { pageOf } from './page.ts'
import { serve } from './server.ts'

const OK: ResponseValue = { status: 200, statusText: '', headers: [], body: new Uint8Array(0) }

/** A server that answers with `responses`, what it was asked, and what it refused. */
const open = async (answer: (request: RequestValue) => ResponseValue | Promise<ResponseValue> = () => OK) => {
  const asked: RequestValue[] = []
  const refused: string[] = []
  const signals: AbortSignal[] = []
  const server = await serve(0, {
    refused: (method, path, status) => void refused.push(`${method} ${path} ${status}`),
    answer: async (request, signal) => {
      asked.push(request)
      signals.push(signal)
      return answer(request)
    },
  })
  onTestFinished(() => server.close())
  return { ...server, asked, refused, signals }
}

interface Reply {
  status: number
  statusText: string
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  body: string
}

const ask = async (port: number, options: RequestOptions & { body?: string | Uint8Array } = {}): Promise<Reply> => {
  const { body, ...rest } = options
  const sent = httpRequest({ host: '127.0.0.1', port, agent: false, ...rest })
  sent.on('error', () => {})
  sent.end(body)
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const { statusCode, statusMessage, headers, rawHeaders } = response
  const text = Buffer.concat(chunks).toString('latin1')
  return { status: statusCode, statusText: statusMessage, headers, rawHeaders, body: text }
}

test('a request comes as it was sent, without what is about the connection', async () => {
  const { port, asked } = await open()
  const headers = { host: `localhost:${port}`, 'x-twice': ['a', 'b'], te: 'trailers', cookie: 'a=1; b=2' }
  await ask(port, { method: 'PUT', path: '/a//b?c=%20&d', headers, body: Uint8Array.of(0, 255, 13, 10) })
  expect(asked).toEqual([
    {
      method: 'PUT',
      url: `http://localhost:${port}/a//b?c=%20&d`,
      headers: [
        ['host', `localhost:${port}`],
        ['x-twice', 'a'],
        ['x-twice', 'b'],
        ['cookie', 'a=1; b=2'],
        ['content-length', '4'],
      ],
      body: Uint8Array.of(0, 255, 13, 10),
    },
  ])
  await ask(port, { path: '//evil.example/x', body: 'none of a GET' })
  expect(asked[1]).toMatchObject({ url: `http://127.0.0.1:${port}//evil.example/x` })
  expect(asked[1]).not.toHaveProperty('body')
})

test('a response goes out as it came, with its own length', async () => {
  const headers: [string, string][] = [
    ['Set-Cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['X-Latin', 'grün'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '99'],
  ]
  const body = Uint8Array.of(0, 255, 128)
  const { port } = await open(({ url }) => ({
    ...OK,
    status: Number(url.slice(-3)),
    statusText: 'Well',
    headers,
    body,
  }))
  const whole = await ask(port, { path: '/201' })
  expect(whole).toMatchObject({ status: 201, statusText: 'Well', body: '\u0000\u00ff\u0080' })
  expect(whole.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-latin': 'grün', 'content-length': '3' })
  expect(whole.headers).not.toHaveProperty('transfer-encoding')
  const head = await ask(port, { path: '/200', method: 'HEAD' })
  expect([head.headers['content-length'], head.body]).toEqual(['99', ''])
  const nothing = await ask(port, { path: '/204' })
  expect([nothing.status, nothing.body, nothing.headers['content-length']]).toEqual([204, '', undefined])
})

test.each([
  ['status', { ...OK, status: 99 }],
  ['status', { ...OK, status: 1000 }],
  ['headers', { ...OK, headers: [['a b', 'c']] }],
  ['headers', { ...OK, headers: [['a', 'c\r\nset-cookie: d=1']] }],
  ['headers', { ...OK, headers: [['a']] }],
  ['statusText', { ...OK, statusText: 'a\nb' }],
  ['body', { ...OK, body: 'text' }],
])('what is no response is refused: %s, %j', (path, value) => {
  expect(() => ensureResponse(value as never)).toThrow(MeshError)
  expect(() => ensureResponse(value as never)).toThrow(path)
})

test('whatever is no response at all', () => {
  for (const value of [null, 3, 'x', [], {}])
    expect(() => ensureResponse(value as never)).toThrow('export default { fetch }')
})

test('both addresses of loopback are served on one port, and their own names alone', async () => {
  const { port, asked, refused } = await open()
  // A machine may be without IPv6.
  const second = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
  expect((await ask(port, { host: second ? '::1' : '127.0.0.1' })).status).toBe(200)
  for (const host of ['localhost', 'LOCALHOST:1', 'app.localhost:80', '127.0.0.1', `[::1]:${port}`])
    expect((await ask(port, { headers: { host } })).status).toBe(200)
  expect(asked).toHaveLength(6)
  const strangers = [
    'evil.example',
    'localhost.evil.example',
    'evil.example:127.0.0.1',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '0.0.0.0',
  ]
  for (const host of strangers) {
    const { status, body } = await ask(port, { headers: { host } })
    expect([status, body]).toEqual([403, `this server answers to localhost and 127.0.0.1 only, not to "${host}"\n`])
  }
  expect(asked).toHaveLength(6)
  expect(refused).toEqual(strangers.map(() => 'GET / 403'))
})

test('a body that is too large is refused, whether it says so or not, and the connection goes on', async () => {
  const { port, asked } = await open()
  const body = new Uint8Array(HTTP_BODY_BYTES_MAX + 1)
  for (const headers of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
    const reply = await ask(port, { method: 'POST', headers, body })
    expect(reply).toMatchObject({ status: 413, body: expect.stringContaining('4032 KiB') })
  }
  expect(asked).toEqual([])
  expect((await ask(port, { method: 'POST', body: body.subarray(1) })).status).toBe(200)
  expect(asked[0]?.body?.length).toBe(HTTP_BODY_BYTES_MAX)
})

test('a head that is too large, and targets that are no path', async () => {
  const { port, asked } = await open()
  expect((await ask(port, { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431)
  expect((await ask(port, { method: 'OPTIONS', path: '*' })).status).toBe(400)
  expect((await ask(port, { path: 'http://evil.example/' })).status).toBe(400)
  expect(asked).toEqual([])
})

test('whoever leaves ends what was begun for it, and the next is served', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { port, signals } = await open(async () => {
    await promise
    return OK
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  while (signals.length === 0) await new Promise(setImmediate)
  socket.destroy()
  await once(signals[0]!, 'abort')
  resolve()
  expect((await ask(port)).status).toBe(200)
})

test('two requests on one connection', async () => {
  const { port } = await open(({ url }) => ({ ...OK, body: new TextEncoder().encode(url.slice(-1)) }))
  const socket = connect(port, '127.0.0.1')
  socket.write(
    'GET /1 HTTP/1.1\r\nhost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
  )
  let text = ''
  for await (const chunk of socket) text += chunk
  expect(text.match(/\r\n\r\n\d/g)).toEqual(['\r\n\r\n1', '\r\n\r\n2'])
})

test('more connections than are kept are closed', async () => {
  const { port } = await open()
  const sockets = Array.from({ length: HTTP_CONNECTIONS_MAX }, () => connect(port, '127.0.0.1'))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const last = connect(port, '127.0.0.1')
  last.on('error', () => {})
  await once(last, 'close')
  sockets[0]!.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(sockets[0]!, 'data')
  for (const socket of sockets) socket.destroy()
})

test('a port that is taken says so', async () => {
  const { port } = await open()
  const message = `port ${port} is taken; name another with --port`
  await expect(serve(port, { answer: async () => OK, refused() {} })).rejects.toMatchObject({
    code: 'E_USAGE',
    message,
  })
})

test('closing ends open connections at once', async () => {
  const { port, close } = await open()
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(socket, 'data')
  close()
  await once(socket, 'close')
})

test('a page for browsers, text for others; nothing in it is markup', () => {
  const notice = {
    status: 500,
    code: 'E_FUNCTION_THREW',
    title: '<b>"x" & y',
    details: '1 | <i>',
    stack: '    at <anonymous>',
  }
  const text = (accept?: string) => new TextDecoder().decode(pageOf(accept, notice).body)
  expect(text()).toBe('E_FUNCTION_THREW: <b>"x" & y\n1 | <i>\n    at <anonymous>\n')
  expect(text('*/*')).toBe(text())
  const page = text('text/html,*/*;q=0.8')
  expect(page).toContain(
    '<h1>&lt;b&gt;&quot;x&quot; &amp; y</h1>\n<pre>1 | &lt;i&gt;</pre>\n<pre>at &lt;anonymous&gt;</pre>',
  )
  expect(pageOf('text/html', notice).headers).toContainEqual(['content-type', 'text/html; charset=utf-8'])
})
