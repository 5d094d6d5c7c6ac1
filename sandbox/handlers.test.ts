/** A Workers module: its handler fetch() is called with a Request and answers with a Response. */
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../protocol/values.ts'
import { failed, perform, returned } from './fixture.ts'

const GET = { url: 'http://example.org/a?b=c' }

const textOf = (value: unknown) => new TextDecoder().decode((value as { body: Uint8Array }).body)
const handler = (body: string) => `export default { async fetch(request, env, ctx) { ${body} } }`
/** The text of the response that `body` makes. */
const answered = (body: string, input: object = GET) => textOf(returned(handler(body), input))

describe('a request', () => {
  test('is made of the input, whose headers are an object or a list', () => {
    const body = `return Response.json([
      request instanceof Request, request.method, request.url, [...request.headers], [...await request.bytes()],
      this === loaded, Object.isFrozen(env), ctx.invocationId.length ])`
    const module = `const loaded = ${handler(body).slice('export default '.length)}\nexport default loaded`
    const seen = (input: object) => JSON.parse(textOf(returned(module, input)))
    const common = [true, true, 64]
    expect(seen(GET)).toEqual([true, 'GET', GET.url, [], [], ...common])
    const headers = [
      ['x-a', '1'],
      ['X-A', '2'],
    ]
    expect(seen({ ...GET, method: 'put', headers, body: Uint8Array.of(0, 255) })).toEqual([
      true,
      'PUT',
      GET.url,
      [['x-a', '1, 2']],
      [0, 255],
      ...common,
    ])
    expect(seen({ url: 'https://example.org', method: 'POST', headers: { a: 'b' }, body: 'é' })).toEqual([
      true,
      'POST',
      'https://example.org/',
      [
        ['a', 'b'],
        ['content-type', 'text/plain;charset=UTF-8'],
      ],
      [0xc3, 0xa9],
      ...common,
    ])
  })

  test.each([
    [null, 'input: TypeError: '],
    ['http://example.org', 'input: TypeError: Failed to parse URL from undefined'],
    [{ url: '/a' }, 'input: TypeError: Failed to parse URL from /a'],
    [{ ...GET, method: 'TRACE' }, 'input: TypeError: '],
    [{ ...GET, body: 'of a GET' }, 'input: TypeError: '],
    [{ ...GET, headers: { 'a b': 'c' } }, 'input: TypeError: '],
  ])('cannot be made of %j', (input, message) => {
    const failure = failed(handler('throw "it was called"'), input)
    expect(failure).toMatchObject({ code: 'E_VALUE', message: expect.stringContaining(message), stack: '' })
    expect(failure.message).toContain('a fetch handler is called with {"url": "https://…"}')
  })
})

describe('a response', () => {
  test('is a status, headers in order, and bytes', () => {
    const body = `return new Response(Uint8Array.of(0, 255), {
      status: 201, statusText: 'Made', headers: [['b', '1'], ['a', '2'], ['set-cookie', 'x=1'], ['set-cookie', 'y=2']] })`
    expect(returned(handler(body), GET)).toEqual({
      status: 201,
      statusText: 'Made',
      headers: [
        ['a', '2'],
        ['b', '1'],
        ['set-cookie', 'x=1'],
        ['set-cookie', 'y=2'],
      ],
      body: Uint8Array.of(0, 255),
    })
    expect(returned(handler('return new Response(null, { status: 204 })'), GET)).toMatchObject({
      status: 204,
      headers: [],
      body: new Uint8Array(0),
    })
  })

  test('may be given at once, and by an object of any class', () => {
    expect(textOf(returned('export default { fetch: () => new Response("now") }', GET))).toBe('now')
    const module = 'class App { name = "app"; fetch() { return new Response(this.name) } }\nexport default new App()'
    expect(textOf(returned(module, GET))).toBe('app')
  })

  test('may be a stream, which is read to its end', () => {
    const chunks = `let n = 0; const pull = (c) => n < 3 ? c.enqueue(new TextEncoder().encode(n++ + ' ')) : c.close()`
    expect(answered(`${chunks}; return new Response(new ReadableStream({ pull }))`)).toBe('0 1 2 ')
    expect(
      answered(`${chunks}; return new Response(new ReadableStream({ pull }).pipeThrough(new TransformStream()))`),
    ).toBe('0 1 2 ')
  })

  test('that never ends is longer than a result may be', () => {
    const stream = 'new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) } })'
    expect(failed(handler(`return new Response(${stream})`), GET)).toMatchObject({
      code: 'E_OUTPUT_LIMIT',
      message: 'its result is larger than 1048576 bytes',
    })
  })

  test.each([
    ['"text"', 'E_VALUE', 'result: fetch() returned string, not a Response'],
    ['undefined', 'E_VALUE', 'result: fetch() returned undefined, not a Response'],
    ['{ status: 200 }', 'E_VALUE', 'result: fetch() returned Object, not a Response'],
    [
      'new Response(new ReadableStream({ pull(c) { c.enqueue("text") } }))',
      'E_FUNCTION_THREW',
      'must give Uint8Array, not string',
    ],
    [
      'new Response(new ReadableStream({ pull() { throw new RangeError("dry") } }))',
      'E_FUNCTION_THREW',
      'RangeError: dry',
    ],
    ['new Promise(() => {})', 'E_FUNCTION_PENDING', 'a promise that nothing will settle'],
  ])('is not %s', (value, code, message) => {
    expect(failed(handler(`return ${value}`), GET)).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('that was read already is refused', () => {
    const body = 'const made = new Response("once"); await made.text(); return made'
    expect(failed(handler(body), GET)).toMatchObject({
      code: 'E_FUNCTION_THREW',
      message: expect.stringContaining('TypeError'),
    })
  })
})

describe('what goes wrong', () => {
  test('in a handler has its stack', () => {
    const { code, stack } = failed('export default {\n  fetch() {\n    throw new Error("no")\n  },\n}', GET)
    expect([code, stack]).toEqual(['E_FUNCTION_THREW', '    at fetch (function.js:3:20)'])
  })

  test('in a module whose handler cannot even be looked at', () => {
    const module = 'export default { get fetch() { throw new Error("shy") } }'
    expect(failed(module, GET)).toMatchObject({ code: 'E_FUNCTION_THREW', message: 'Error: shy' })
  })
})

describe('waitUntil', () => {
  const wait = (then: string) => `
    const later = async (text) => { for (let i = 0; i < 9; i++) await null; console.log(text); ${then} }
    ctx.waitUntil(later('one'))
    ctx.waitUntil(3)
  `

  test('keeps a run until the promise is settled, also one that is given meanwhile', () => {
    const outcome = perform(
      handler(`${wait("ctx.waitUntil(null, console.log('two'))")} return new Response('sent')`),
      GET,
    )
    expect(outcome.console.map(({ text }) => text)).toEqual(['one', 'two'])
    expect(outcome.result.ok && textOf(decodeValue(outcome.result.value))).toBe('sent')
  })

  test('serves functions as well, and those that fail', () => {
    const module = (end: string) => `export default (input, env, ctx) => { ${wait('')} ${end} }`
    expect(perform(module('return 1')).console).toHaveLength(1)
    const outcome = perform(handler(`${wait('')} throw new Error('no')`), GET)
    expect(outcome.result).toMatchObject({ ok: false, message: 'Error: no' })
    expect(outcome.console).toHaveLength(1)
  })

  test('a promise that is rejected is printed, and changes nothing', () => {
    const outcome = perform(handler(`${wait("throw new Error('unseen')")} return new Response('sent')`), GET)
    expect(outcome.result.ok).toBe(true)
    expect(outcome.console[1]).toMatchObject({ level: 'error', text: expect.stringContaining('Error: unseen') })
  })
})

test.each(['scheduled', 'queue'])('a module that has %s alone is refused, beside fetch it is served', (name) => {
  expect(failed(`export default { async ${name}() {} }`, GET)).toMatchObject({
    code: 'E_HANDLER_UNSUPPORTED',
    message: expect.stringContaining(`the handler ${name}(), which is not served`),
  })
  expect(textOf(returned(`export default { ${name}() {}, fetch: () => new Response('both') }`, GET))).toBe('both')
})
