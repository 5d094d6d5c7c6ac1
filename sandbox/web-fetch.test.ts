import { describe, expect, test } from 'vitest'
import { returned } from './fixture.ts'
import { expectSame } from './same-as-node.ts'

describe('Headers', () => {
  test('of anything that can be headers', async () => {
    for (const init of [
      '{ a: 1, "B-c": "d" }',
      '[["a", "1"], ["A", "2"], ["b", " x\\t"]]',
      'new Headers({ z: "1", a: "2" })',
      'new Map([["k", "v"]])',
      'undefined',
      'null',
      '1',
      '"a"',
      '[["a"]]',
      '["ab"]',
      '{ "a b": "c" }',
      '{ "": "c" }',
      '{ a: "b\\nc" }',
      '{ a: "é" }',
      '{ a: "€" }',
      '{ "é": "a" }',
      '{ a: "\\0" }',
      '{ a: "\\n b \\r" }',
    ])
      await expectSame(`return [...new Headers(${init})]`)
  })

  test('are read and changed', async () => {
    await expectSame(`const h = new Headers({ B: '1', a: '2' }); h.append('b', '3'); h.append('Set-Cookie', 'x=1'); h.append('set-cookie', 'y=2, z'); h.set('C', ''); h.delete('A')
      const each = []; h.forEach(function (v, k, all) { each.push([v, k, this.t, all === h]) }, { t: 1 })
      return [[...h], [...h.keys()], [...h.values()], h.get('b'), h.get('none'), h.has('B'), h.getSetCookie(), h.get('set-cookie'), each, Object.prototype.toString.call(h)]`)
    for (const call of [
      'get()',
      'set("a")',
      'append("a")',
      'get("a b")',
      'has("")',
      'set("a", "\\n")',
      'set("a", "b\\nc")',
      'delete("(")',
    ])
      await expectSame(`return new Headers().${call}`)
  })

  test('are iterated while they change', async () => {
    await expectSame(
      `const h = new Headers({ b: '1', d: '2' }); const seen = []; for (const [k] of h) { seen.push(k); if (k === 'b') h.set('c', 'new'); if (seen.length > 9) break } return seen`,
    )
  })
})

const BODIES = [
  '"text é"',
  'new Uint8Array([1, 2, 255]).subarray(1)',
  'new Uint16Array([1, 2]).buffer',
  'new DataView(new ArrayBuffer(3))',
  'new URLSearchParams("a=1&b=é")',
  'new Blob(["b"], { type: "x/Y" })',
  'new Blob(["b"])',
  '""',
  '5',
  '{ toString() { return "t" } }',
  'new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104])); c.enqueue(new Uint8Array([105])); c.close() } })',
]

describe('Response', () => {
  test('gives its body in each form, once', async () => {
    for (const body of BODIES)
      await expectSame(`const make = () => new Response(${body}); const r = make(); const before = r.bodyUsed; const text = await r.text()
        const b = await make().blob(); const whole = await make().arrayBuffer()
        return [r.status, r.ok, r.type, r.url, r.redirected, r.statusText, [...r.headers], before, text, r.bodyUsed, await attempt(() => r.text()), b.type, b.size, bytes(whole), await attempt(() => make().json()), bytes(await make().bytes())]`)
  })

  test('with what it is made of', async () => {
    for (const init of [
      '{ status: 201, statusText: "Made", headers: { a: "b" } }',
      '{ status: 199 }',
      '{ status: 600 }',
      '{ status: "404" }',
      '{ statusText: "a\\nb" }',
      '{ headers: { "content-type": "x/y" } }',
      'null',
      'undefined',
      '{ status: 204 }',
      '{ headers: [["a"]] }',
      '5',
    ])
      await expectSame(
        `const r = new Response("b", ${init}); return [r.status, r.ok, r.statusText, [...r.headers], await r.text()]`,
      )
    await expectSame(
      `const r = new Response(null, { status: 204 }); return [r.body, r.bodyUsed, await r.text(), r.bodyUsed, [...r.headers]]`,
    )
  })

  test('json, redirect, error', async () => {
    await expectSame(
      `const r = Response.json({ a: [1] }, { status: 201, headers: { 'x-a': 'b' } }); return [r.status, [...r.headers], await r.json()]`,
    )
    await expectSame(`const r = Response.json(1, { headers: { 'content-type': 'a/b' } }); return [...r.headers]`)
    await expectSame('return Response.json(undefined)')
    await expectSame(
      `const r = Response.redirect('http://a/b é', 307); return [r.status, r.headers.get('location'), await attempt(() => r.headers.set('a', 'b'))]`,
    )
    await expectSame(`return Response.redirect('http://a', 200)`)
    await expectSame(`return Response.redirect('a b')`)
    await expectSame(
      `const r = Response.error(); return [r.type, r.status, r.ok, r.body, await attempt(() => r.headers.append('a', 'b'))]`,
    )
  })

  test('its body is a stream of bytes, which can be cloned', async () => {
    await expectSame(
      `const r = new Response('abc'); const { body } = r; const reader = body.getReader(); const first = await reader.read(); const second = await reader.read(); return [r.body === body, first.done, bytes(first.value), second.done, r.bodyUsed, body.locked, await attempt(() => r.text())]`,
    )
    await expectSame(
      `const r = new Response('abc'); const c = r.clone(); const texts = [await r.text(), await c.text()]; return [texts, await attempt(() => r.clone())]`,
    )
    await expectSame(
      `const r = new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array([65])); c.close() } })); const c = r.clone(); return [await c.text(), await r.text(), r.bodyUsed]`,
    )
    await expectSame(
      `const r = new Response('abc'); r.body.getReader(); return [r.bodyUsed, await attempt(() => r.text()), await attempt(() => r.clone())]`,
    )
    await expectSame(
      `const r = new Response('abc'); await r.body.cancel(); return [r.bodyUsed, await attempt(() => r.text())]`,
    )
    await expectSame(`const s = new ReadableStream(); s.getReader(); return new Response(s)`)
    await expectSame(
      `return await new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close() } })).text()`,
    )
    await expectSame(
      `return await new Response(new ReadableStream({ start(c) { c.error(new RangeError('x')) } })).text()`,
    )
    await expectSame(
      `const chunks = []; for await (const c of new Response('abc').body) chunks.push(bytes(c)); return chunks`,
    )
    await expectSame(
      `return await new Response(new Response('through').body.pipeThrough(new TransformStream({ transform(c, t) { t.enqueue(c); t.enqueue(c) } }))).text()`,
    )
    await expectSame(`return await new Response('\\ufefftext').text()`)
    await expectSame(`return await new Response('{"a":1}').json()`)
  })
})

describe('Request', () => {
  const show = `const show = async (r) => [r.method, r.url, [...r.headers], r.redirect, r.credentials, r.cache, r.mode, r.referrerPolicy, r.integrity, r.keepalive, r.destination, r.duplex, r.signal.aborted, r.body === null, r.bodyUsed, await r.text()];`

  test('of a URL and what goes with it', async () => {
    for (const args of [
      '"http://a/b#c"',
      'new URL("http://a?b")',
      '"http://a", { method: "post", body: "x" }',
      '"http://a", { method: "patch" }',
      '"http://a", { method: "PATCH", body: new URLSearchParams("a=b") }',
      '"http://a", { method: "GET", body: "x" }',
      '"http://a", { method: "CONNECT" }',
      '"http://a", { method: "a b" }',
      '"/rel"',
      '"http://u:p@a"',
      '"http://a", { redirect: "error", credentials: "omit", cache: "no-store", mode: "same-origin", integrity: "i", keepalive: true, referrerPolicy: "origin" }',
      '"http://a", { redirect: "odd" }',
      '"http://a", { mode: "navigate" }',
      '"http://a", { headers: { a: "b" }, method: "PUT", body: new Uint8Array([65]) }',
      '"http://a", null',
      '"http://a", { signal: AbortSignal.abort() }',
      '"http://a", { signal: {} }',
      '"http://a", { method: "POST", body: null }',
      '"http://a", { method: "POST", body: new ReadableStream() }',
      '"http://a", { method: "POST", duplex: "half", body: new ReadableStream({ start(c) { c.enqueue(new Uint8Array([66])); c.close() } }) }',
      '"http://a", { method: "POST", body: new Blob(["z"], { type: "t/u" }) }',
    ])
      await expectSame(`${show} return await show(new Request(${args}))`)
  })

  test('of a Request, whose body it takes', async () => {
    await expectSame(
      `${show} const r = new Request('http://a', { method: 'POST', body: 'x', headers: { a: 'b' }, redirect: 'manual' }); const s = new Request(r, { headers: { c: 'd' } }); return [r.bodyUsed, await attempt(() => r.text()), await show(s)]`,
    )
    await expectSame(
      `${show} const r = new Request('http://a', { method: 'POST', body: 'x' }); const s = new Request(r, { body: 'y' }); return [r.bodyUsed, await r.text(), await show(s)]`,
    )
    await expectSame(
      `const r = new Request('http://a', { method: 'POST', body: 'x' }); await r.text(); return new Request(r)`,
    )
    await expectSame(
      `${show} const r = new Request('http://a', { method: 'POST', body: 'x' }); const c = r.clone(); return [await show(r), await show(c), await attempt(() => r.clone())]`,
    )
    await expectSame(
      `const c = new AbortController(); const r = new Request('http://a', { signal: c.signal }); const s = new Request(r); const t = s.clone(); c.abort('w'); return [r.signal.reason, s.signal.reason, t.signal.reason, r.signal === c.signal]`,
    )
  })
})

describe('FormData', () => {
  test('holds texts and files', async () => {
    await expectSame(`const f = new FormData(); f.append('a', 1); f.append('a', 'é\\ud800'); f.append('b', new Blob(['x'], { type: 't/u' })); f.append('c', new File(['yy'], 'n.txt', { type: 'v/w', lastModified: 5 }), 'other'); f.set('a', 'z'); f.set('d', 'new'); f.delete('d')
      return [[...f.keys()], f.getAll('a'), f.get('b').name, f.get('b').type, f.get('b') instanceof File, await f.get('b').text(), f.get('c').name, f.get('c').lastModified, f.has('d'), f.get('none'), await attempt(() => f.append('a', 'b', 'name')), await attempt(() => f.append('a'))]`)
  })

  test('crosses as multipart/form-data', async () => {
    const make = `const f = new FormData(); f.append('a', 'x\\ny'); f.append('q"\\n', 'é'); f.append('file', new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'f"n.bin', { type: 'a/b' })); f.append('empty', new Blob([]));`
    await expectSame(
      `${make} const r = new Response(f); const type = r.headers.get('content-type').replace(/boundary=.*/, ''); const back = await r.formData(); return [type, [...back.keys()], back.get('a'), back.get('q"\\n'), back.get('file').name, back.get('file').type, bytes(await back.get('file').arrayBuffer()), back.get('empty').name, back.get('empty').size]`,
    )
    await expectSame(
      `${make} const text = await new Response(f).text(); const mark = text.slice(2, text.indexOf('\\r\\n')); return text.replaceAll(mark, 'MARK')`,
    )
    const text = String.raw`'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b\r\ncontent-disposition:form-data;name="y"; filename="z"\r\n\r\n\r\n--b--\r\n'`
    await expectSame(
      `const f = await new Response(${text}, { headers: { 'content-type': 'multipart/form-data; boundary=b' } }).formData(); return [f.get('x'), f.get('y').name, f.get('y').type, f.get('y').size]`,
    )
    for (const wrong of [
      '""',
      '"--b"',
      '"--b\\r\\nx"',
      '"--c--"',
      '"--b\\r\\nContent-Disposition: form-data\\r\\n\\r\\n1\\r\\n--b--"',
    ])
      await expectSame(
        `return [...(await new Response(${wrong}, { headers: { 'content-type': 'multipart/form-data; boundary=b' } }).formData()).keys()]`,
      )
    await expectSame(
      `return [...await new Response('a=1&b=%C3%A9+x', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData()]`,
    )
    await expectSame(`return await new Response('a', { headers: { 'content-type': 'text/plain' } }).formData()`)
  })
})

describe('Blob and File', () => {
  test('of parts, and their slices', async () => {
    await expectSame(`const b = new Blob(['aé', new Uint8Array([1, 2]), new Blob(['z']), new Uint16Array([3]).buffer, 5], { type: 'A/b' }); const out = [b.size, b.type, await b.text(), bytes(await b.arrayBuffer())]
      for (const args of [[1], [1, 3], [-2], [-3, -1], [5, 2], [0, 99], [undefined, 2], ['1'], [NaN, 1.9]]) { const s = b.slice(...args); out.push([s.size, s.type, await s.text()]) }
      return [out, b.slice(0, 1, 'X/y').type, bytes(await b.bytes())]`)
    for (const wrong of [
      'new Blob("a")',
      'new Blob(1)',
      'new Blob(null)',
      'new File([])',
      'new Blob([], { endings: "x" })',
    ])
      await expectSame(`return ${wrong}`)
    await expectSame(
      `const f = new File(['a'], 'n', { type: 'é', lastModified: 7 }); return [f.name, f.size, f.type, f.lastModified, f instanceof Blob, Object.prototype.toString.call(f), await f.slice(0).text(), f.slice(0) instanceof File]`,
    )
    await expectSame(
      `const chunks = []; for await (const c of new Blob(['ab', 'c']).stream()) chunks.push(...c); return chunks`,
    )
  })

  test('a File is as old as the clock that stands still', () => {
    expect(returned('export default () => new File([], "n").lastModified === Date.now()')).toBe(true)
  })
})
