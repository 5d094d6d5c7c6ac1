import { expect, test, vi } from 'vitest'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../../protocol/limits.ts'
import { outcomeOf, runOf, valueIn, wasm } from '../../sandbox/fixture.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { bundle } from '../../sdk/bundle/bundle.ts'

const limits = { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX }
const built = await bundle(new URL('./app.ts', import.meta.url))
const sandbox = createSandbox({ wasm, compare: true })
sandbox.load('app', built.code, limits.memory_bytes)

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
}

interface Answered {
  status: number
  statusText: string
  headers: [string, string][]
  body: Uint8Array
}

const requestOf = (path: string, asked: Asked) => ({ url: `http://localhost${path}`, ...asked })

const inSandbox = (path: string, asked: Asked): Answered => {
  const { result } = sandbox.run('app', runOf(requestOf(path, asked), { limits }), {})
  return valueIn(outcomeOf(result)) as unknown as Answered
}

/** As each run does, it begins with the module as it was loaded. */
const inNode = async (path: string, asked: Asked): Promise<Answered> => {
  vi.resetModules()
  const { default: app } = await import('./app.ts')
  const { url, ...init } = requestOf(path, asked)
  const response = await app.fetch(new Request(url, init))
  const { status, statusText, headers } = response
  return { status, statusText, headers: [...headers], body: new Uint8Array(await response.arrayBuffer()) }
}

/** What the sandbox answers, after it was found to be what Node answers. */
const ask = async (path: string, asked: Asked = {}) => {
  const answered = inSandbox(path, asked)
  vi.spyOn(console, 'log').mockReturnValue()
  vi.spyOn(console, 'error').mockReturnValue()
  expect(answered).toEqual(await inNode(path, asked))
  vi.restoreAllMocks()
  const { status, headers, body } = answered
  const header = (name: string) => headers.filter(([one]) => one === name).map(([, value]) => value)
  return { status, header, body, text: new TextDecoder().decode(body) }
}

const JSON_TYPE = { 'content-type': 'application/json' }

test('it bundles without a warning', () => {
  expect(built).toMatchObject({ name: 'app', exports: ['default'], effects: [], warnings: [] })
})

test('a page, through middleware that sets headers', async () => {
  const { status, text, header } = await ask('/')
  expect([status, text]).toEqual([200, '<h1>Notes</h1><a href="/notes">all of them</a>'])
  expect(header('content-type')).toEqual(['text/html; charset=UTF-8'])
  expect(header('x-content-type-options')).toEqual(['nosniff'])
})

test('routes with parameters and queries; middleware for some of them', async () => {
  expect(await ask('/notes')).toMatchObject({ status: 200 })
  expect(JSON.parse((await ask('/notes?tag=soon')).text)).toEqual([{ title: 'Mend the roof', tags: ['home', 'soon'] }])
  const one = await ask('/notes/0')
  expect([JSON.parse(one.text).title, one.header('x-notes')]).toEqual(['Buy bread', ['2']])
})

test('what is not there', async () => {
  for (const path of ['/notes/9', '/notes/x', '/nowhere']) expect((await ask(path)).status).toBe(404)
  expect((await ask('/', { method: 'DELETE' })).status).toBe(404)
})

test('JSON bodies, checked; nothing of them is left for the next request', async () => {
  const post = (body: string) => ask('/notes', { method: 'POST', headers: JSON_TYPE, body })
  const made = await post('{"title":"Tea"}')
  expect([made.status, made.text, made.header('location'), made.header('x-notes')]).toEqual([
    201,
    '{"n":2}',
    ['/notes/2'],
    ['3'],
  ])
  expect((await post('{}')).text).toBe('{"error":"a note needs a title"}')
  expect((await post('{')).status).toBe(400)
  expect(JSON.parse((await ask('/notes')).text)).toHaveLength(2)
})

test('forms, with a file or encoded as a query', async () => {
  const type = 'multipart/form-data; boundary=x'
  const body =
    '--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nAda\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
  expect((await ask('/form', { method: 'POST', headers: { 'content-type': type }, body })).text).toBe(
    'Ada sent a.txt, 5 bytes',
  )
  const encoded = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'name=A+%C3%A9',
  }
  expect((await ask('/form', encoded)).text).toBe('A é sent no file')
})

test('cookies, read and set, two of them in one response', async () => {
  const { text, header } = await ask('/visits', { headers: { cookie: 'old=1; visits=41' } })
  expect(text).toBe('visit 42')
  expect(header('set-cookie')).toEqual(['visits=42; Path=/; HttpOnly; SameSite=Lax', 'old=; Max-Age=0; Path=/'])
})

test('redirects', async () => {
  const { status, header, body } = await ask('/old')
  expect([status, header('location'), body.length]).toEqual([301, ['/notes?tag=home'], 0])
})

test('bytes there and back', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  expect((await ask('/reverse', { method: 'POST', body: all })).body).toEqual(all.toReversed())
})

test('a response that is a stream', async () => {
  expect((await ask('/count/5')).text).toBe('1\n2\n3\n4\n5\n')
})

test('HEAD', async () => {
  const { status, header, body } = await ask('/notes', { method: 'HEAD' })
  expect([status, header('content-type'), body.length]).toEqual([200, ['application/json'], 0])
})

test('errors that the app means, and those that it does not', async () => {
  expect(await ask('/teapot')).toMatchObject({ status: 418, text: 'short and stout' })
  expect(await ask('/broken')).toMatchObject({ status: 500, text: 'Internal Server Error' })
})
