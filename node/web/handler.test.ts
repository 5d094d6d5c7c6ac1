import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadWebFiles } from './files.ts'
import { createWebHandler } from './handler.ts'
import { WEB_RESPONSE_MS_MAX } from './limits.ts'
import { BUILD, FRAME_CSP, writeBuild } from './testing/build.ts'

const PEER = '12D3KooWGzBXnjvwFHN9EyxYkFGBHCJ6ZCTzEKqvXyPJ8jtb2ov1'

const open = async () => {
  const folder = writeBuild()
  const files = loadWebFiles(folder)
  const server = createServer(createWebHandler({ files, peer: PEER })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, folder, files }
}

interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

const ask = async (
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Reply> => {
  const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

test('each file of the build: its type, for ever, for every page, and nothing else than it is', async () => {
  const { port } = await open()
  for (const [name, { type, body }] of Object.entries(BUILD)) {
    const reply = await ask(port, `/${name}`)
    expect(reply.status).toBe(200)
    expect(reply.body.equals(body)).toBe(true)
    expect(reply.headers).toMatchObject({
      'content-type': type,
      'content-length': String(body.length),
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    })
    expect(reply.headers).not.toHaveProperty('set-cookie')
  }
  const frame = await ask(port, '/wayside-frame-0a1b.html?x=1')
  expect(frame.headers['content-security-policy']).toBe(FRAME_CSP)
})

test('gzip to those who take it, where it is smaller; HEAD as GET without the body', async () => {
  const { port } = await open()
  const { body } = BUILD['wayside-0a1b.js']
  for (const accepted of ['gzip', 'br, gzip;q=0.5', '*', 'GZIP ; q=1.0']) {
    const zipped = await ask(port, '/wayside-0a1b.js', { 'accept-encoding': accepted })
    expect(zipped.headers['content-encoding'], accepted).toBe('gzip')
    expect(zipped.body.length).toBeLessThan(body.length / 4)
    expect(gunzipSync(zipped.body).equals(body)).toBe(true)
  }
  for (const accepted of ['', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.0', 'x-gzip-not'])
    expect((await ask(port, '/wayside-0a1b.js', { 'accept-encoding': accepted })).body.equals(body), accepted).toBe(
      true,
    )
  const tiny = await ask(port, '/wayside-frame-0a1b.html', { 'accept-encoding': 'gzip' })
  expect(tiny.headers).not.toHaveProperty('content-encoding')
  const head = await ask(port, '/wayside-0a1b.js', {}, 'HEAD')
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, String(body.length), 0])
})

test('no path leads anywhere else, nor does another method', async () => {
  const { port, folder } = await open()
  writeFileSync(join(folder, 'identity.key'), 'secret')
  const paths = [
    ...['/identity.key', '/manifest.json', '/wayside-0a1b.js/', '//wayside-0a1b.js', '/./wayside-0a1b.js', '/%2e%2e/x'],
    ...[
      '/../identity.key',
      '/..%2fidentity.key',
      '/constructor',
      '/__proto__',
      '/wayside-0a1b.js%00',
      '/\\identity.key',
    ],
    ...['http://evil.example/wayside-0a1b.js', `${folder}/identity.key`, '*'],
  ]
  for (const path of paths) {
    const { status, body } = await ask(port, path)
    expect([path, status, String(body)]).toEqual([path, 404, 'there is nothing here\n'])
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    const { status, headers } = await ask(port, '/wayside-0a1b.js', {}, method)
    expect([method, status, headers.allow, headers.connection]).toEqual([method, 405, 'GET, HEAD', 'close'])
  }
})

test('the first page says whose agent this is and has the tag with its integrity, and no ticket', async () => {
  const { port, files } = await open()
  const text = async (headers: Record<string, string> = {}) => String((await ask(port, '/', headers)).body)
  const { headers } = await ask(port, '/')
  expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(await text()).toContain(PEER)
  expect(await text()).toContain(
    `src=&quot;http://127.0.0.1:${port}/wayside-0a1b.js&quot; integrity=&quot;${files.integrity}&quot; crossorigin`,
  )
  expect(await text()).toContain('mesh=&quot;TICKET&quot;')
  expect(await text()).not.toContain('wayside1')
  expect(await text({ host: 'mesh.example', 'x-forwarded-proto': 'https' })).toContain(
    'src=&quot;https://mesh.example/wayside-0a1b.js&quot;',
  )
  for (const host of ['"><script>', 'a b', 'evil.example/x?', 'x'.repeat(300)])
    expect(await text({ host }), host).toContain('http://this-agent.example/wayside-0a1b.js')
})

test('whoever leaves in the middle harms nobody', async () => {
  const { port } = await open()
  for (let i = 0; i < 100; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write('GET /engine-0a1b.wasm HTTP/1.1\r\nhost: a\r\n\r\n')
    await once(socket, 'data')
    socket.resetAndDestroy()
  }
  expect((await ask(port, '/engine-0a1b.wasm')).body.length).toBe(70_000)
})

test('whoever reads nothing of an answer loses the connection, thirty of them too', async () => {
  const { port } = await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  // A hundred answers each: far more than the system takes for one who does not read.
  for (const socket of sockets) socket.write('GET /engine-0a1b.wasm HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(100))
  await Promise.all(sockets.map((socket) => once(socket, 'readable')))
  vi.advanceTimersByTime(WEB_RESPONSE_MS_MAX)
  const read = sockets.map(async (socket) => {
    let bytes = 0
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    await once(socket, 'close')
    return bytes
  })
  for (const bytes of await Promise.all(read)) expect(bytes).toBeLessThan(100 * 70_000)
  expect((await ask(port, '/engine-0a1b.wasm')).body.length).toBe(70_000)
})

test('files that are not those of their build are not served', () => {
  const refused = (folder: string, why: string) =>
    expect(() => loadWebFiles(folder)).toThrow(
      expect.objectContaining({ code: 'E_STORAGE', message: expect.stringContaining(why) }),
    )
  const tampered = writeBuild()
  writeFileSync(join(tampered, 'engine-0a1b.wasm'), 'another')
  refused(tampered, 'engine-0a1b.wasm is not the file of its build')
  refused(writeBuild({ frame: 'other.html' }), 'it lacks other.html')
  const outside = { '../identity.key': { type: 'text/plain', sha384: 'A'.repeat(64) } }
  refused(writeBuild({ files: outside }), 'expected the name of a file')
  const folded = { 'a.js': { type: 'text/plain', sha384: 'A'.repeat(64), headers: { a: 'b\r\nc: d' } } }
  refused(writeBuild({ files: folded }), 'expected one line')
  refused(join(tampered, 'nowhere'), 'ENOENT')
})
