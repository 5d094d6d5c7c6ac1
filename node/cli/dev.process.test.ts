import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { HTTP_REQUEST_MS_MAX } from '../../protocol/limits.ts'
import { begin, freshDirectory, type RunOptions, startMesh, until, wayside } from '../testing/wayside.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A folder with the hono app of the examples, and the packages of this checkout. */
const project = (): string => {
  const cwd = freshDirectory()
  symlinkSync(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
  cpSync(join(ROOT, 'examples/hono-app/app.ts'), join(cwd, 'app.ts'))
  return cwd
}

const GREETING = `const greeting: string = 'hello'

export default {
  fetch(request: Request) {
    if (request.url.endsWith('/fail')) fail()
    if (request.url.endsWith('/spin')) for (;;);
    return new Response(greeting)
  },
}

function fail() {
  throw new Error('no luck')
}
`

const written = (text: string): string => {
  const cwd = freshDirectory()
  writeFileSync(join(cwd, 'app.ts'), text)
  return cwd
}

const start = async (args: string[], options: RunOptions) => {
  const { child, ended } = begin(['dev', ...args, '--port', '0'], options)
  let said = ''
  child.stderr?.on('data', (text) => {
    said += text
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.on('data', () => {
      const at = / at (http:\/\/localhost:\d+),/.exec(said)?.[1]
      if (at) resolve(at)
    })
    ended.then(({ stderr }) => reject(new Error(stderr)))
  })
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  return { child, ended, url, get, said: () => said }
}

type Started = Awaited<ReturnType<typeof start>>

const dial = ({ url }: Started): Socket => connect(Number(new URL(url).port), '127.0.0.1')

const stop = async ({ child, ended }: Started) => {
  child.kill('SIGINT')
  expect((await ended).status).toBe(130)
}

test('a hono app is served as it is; the terminal says what was asked, and what it cost', async () => {
  const server = await start(['app.ts'], { cwd: project() })
  const { get, said } = server
  expect(await get('/notes?tag=soon')).toMatchObject({
    status: 200,
    body: '[{"title":"Mend the roof","tags":["home","soon"]}]',
  })
  const json = { 'content-type': 'application/json' }
  const made = await get('/notes', { method: 'POST', headers: json, body: '{"title":"Tea"}' })
  expect([made.status, made.headers.get('location'), made.body]).toEqual([201, '/notes/2', '{"n":2}'])
  expect((await get('/visits', { headers: { cookie: 'visits=8' } })).headers.getSetCookie()).toEqual([
    'visits=9; Path=/; HttpOnly; SameSite=Lax',
    'old=; Max-Age=0; Path=/',
  ])
  const broken = await get('/broken')
  expect([broken.status, broken.body]).toEqual([500, 'Internal Server Error'])
  await until(() => /GET \/broken 500 \d+ ms/.test(said()))
  expect(said()).toMatch(/app\.ts says │ GET \/notes\nGET \/notes\?tag=soon 200 \d+ ms, [\d,]+ fuel\n/)
  expect(said()).toMatch(/app\.ts says │ Error: not built yet\napp\.ts says │ {5}at <anonymous> \(app\.ts:79:13\)\n/)
  await stop(server)
})

test('what is saved is served; what does not build is shown, and mended by the next save', async () => {
  const cwd = written(GREETING)
  const save = (text: string) => writeFileSync(join(cwd, 'app.ts'), text)
  const server = await start(['app.ts'], { cwd })
  const { get, said } = server
  expect((await get('/')).body).toBe('hello')
  const startedMs = performance.now()
  save(GREETING.replace('hello', 'good day'))
  await until(async () => (await get('/')).body === 'good day')
  // Ten times what is promised.
  expect(performance.now() - startedMs).toBeLessThan(3000)
  save(GREETING.replace("= 'hello'", '= '))
  await until(async () => (await get('/')).status === 500)
  const page = await get('/', { headers: { accept: 'text/html' } })
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.body).toContain('<h1>app.ts:3:1: Unexpected &quot;export&quot;</h1>')
  expect(said()).toContain('error E_FUNCTION_SYNTAX: app.ts:3:1: Unexpected "export"\n  3 | export default {\n')
  save(GREETING)
  await until(async () => (await get('/')).body === 'hello')
  await stop(server)
})

describe('a handler', () => {
  test('that throws is a page with its stack; one that computes for ever ends with the server', async () => {
    const server = await start(['app.ts'], { cwd: written(GREETING) })
    const failed = await server.get('/fail')
    const frames = '    at fail (app.ts:12:13)\n    at fetch (app.ts:5:40)'
    expect([failed.status, failed.body]).toEqual([500, `E_FUNCTION_THREW: Error: no luck\n${frames}\n`])
    expect(server.said()).toMatch(
      /GET \/fail 500 .*\nerror E_FUNCTION_THREW: Error: no luck\n {4}at fail \(app\.ts:12:13\)\n/,
    )
    const leaving = dial(server)
    await new Promise<unknown>((written) => leaving.write('GET /spin HTTP/1.1\r\nhost: localhost\r\n\r\n', written))
    await sleep(300)
    leaving.destroy()
    expect((await server.get('/')).body).toBe('hello')
    await until(() => /^GET \/spin given up after \d+ ms$/m.test(server.said()))
    const spinning = server.get('/spin').catch(() => 'ended')
    await sleep(300)
    const endedMs = performance.now()
    await stop(server)
    expect(performance.now() - endedMs).toBeLessThan(10_000)
    expect(await spinning).toBe('ended')
  })

  test('on the mesh runs on another machine, with the same stack', async () => {
    const { data } = (await startMesh(2))[0]!
    const cwd = written(GREETING)
    const server = await start(['app.ts', '--remote', '--data', data], { cwd })
    expect((await server.get('/')).body).toBe('hello')
    expect((await server.get('/fail')).body).toContain('at fail (app.ts:12:13)\n')
    await until(() => /GET \/fail 500 \d+ ms, [\d,]+ fuel, on \S+\n/.test(server.said()))
    await stop(server)
    const request = JSON.stringify({ url: 'https://example.com/fail' })
    const { stderr } = await wayside(['run', 'app.ts', request, '--remote', '--data', data], { cwd })
    expect(stderr).toContain('    at fail (app.ts:12:13)\n    at fetch (app.ts:5:40)\n')
  })

  test('is called by run and map too, with a request as its input', async () => {
    const cwd = project()
    const request = {
      url: 'http://localhost/notes',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    }
    const { stdout } = await wayside(['run', 'app.ts', JSON.stringify(request), '--local'], { cwd })
    const { status, headers, body } = JSON.parse(stdout)
    expect([status, Object.fromEntries(headers)['content-type']]).toEqual([400, 'application/json'])
    expect(Buffer.from(body['/'].bytes, 'base64').toString()).toBe('{"error":"a note needs a title"}')
    const { status: exit, stderr } = await wayside(['run', 'app.ts', '{"path":"/"}', '--local'], { cwd })
    expect([exit, stderr]).toEqual([1, expect.stringContaining('error E_VALUE: input: ')])
  })
})

test(
  'a request that dawdles is ended',
  async () => {
    const server = await start(['app.ts'], { cwd: written(GREETING) })
    const slow = dial(server)
    slow.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx')
    let answer = ''
    for await (const chunk of slow) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect((await server.get('/')).body).toBe('hello')
    await stop(server)
  },
  10 * HTTP_REQUEST_MS_MAX,
)

test('what cannot be served is said at once', async () => {
  const cwd = written(GREETING)
  const server = await start(['app.ts'], { cwd })
  const { port } = new URL(server.url)
  const failures: [string[], string][] = [
    [['app.ts', '--port', port], `E_USAGE: port ${port} is taken; name another with --port`],
    [['app.ts', '--port', '70000'], 'E_USAGE: --port: expected a number from 0 to 65535, found "70000"'],
    [['nowhere.ts'], 'E_BUNDLE: nowhere.ts: no file has that name; name the one that exports default { fetch }'],
    [['.'], 'E_BUNDLE: .: no file has that name; name the one that exports default { fetch }'],
    [['app.ts#other'], 'E_USAGE: dev serves the default export of a file; leave out #other'],
  ]
  for (const [args, words] of failures)
    expect(await wayside(['dev', ...args], { cwd })).toEqual({ status: 2, stdout: '', stderr: `error ${words}\n` })
  await stop(server)
  expect(readFileSync(join(cwd, 'app.ts'), 'utf8')).toBe(GREETING)
})
