// The web's own interfaces, evaluated with the module, or when they are first used.

export const urls = () =>
  ['http://ÜnÏ.com:80/a/../b?c d#é', 'file:///C|/x/..', 'foo:/..//a', 'http://[::1.2.3.4]/', 'x'].map((text) =>
    caught(() => {
      const url = new URL(text)
      url.searchParams.append('é', '&')
      return [url.href, url.origin]
    }),
  )

export const unnamed = () => {
  const made = new globalThis[['U', 'RL'].join('')]('a:b')
  return [made.href, typeof globalThis[['structured', 'Clone'].join('')]]
}

export const brokenFirst = () => {
  Array.prototype.map = () => []
  return caught(() => new globalThis[['Head', 'ers'].join('')]({ a: 'b' }).get('a'))
}

export const bodies = async () => {
  const form = new FormData()
  form.append('file', new File(['é'], 'n', { type: 'a/b' }))
  const response = new Response(form)
  const text = await response.clone().text()
  return [
    text,
    [...(await response.formData()).keys()],
    await new Request('http://a', { method: 'PUT', body: 'x' }).text(),
  ]
}

export const streams = async () => {
  const chunks = []
  const source = ReadableStream.from(['a', '\ud83d', '\udca9', 'b'])
  for await (const chunk of source.pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()))
    chunks.push(chunk)
  return chunks
}

export const clones = () => {
  const x = {
    m: new Map([[1, new Set(['a'])]]),
    d: new Date(5),
    e: new RangeError('r'),
    b: new Uint8Array([1, 2]).subarray(1),
  }
  x.self = x
  const y = structuredClone(x)
  return [show(y.m), +y.d, show(y.e), y.b.length, y.self === y, caught(() => structuredClone(() => 1))]
}

export const digests = async () => {
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const names = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']
  return Promise.all(
    names.map(async (name) => hex(await crypto.subtle.digest(name, new TextEncoder().encode('wayside')))),
  )
}

export const drawn = () => [crypto.randomUUID(), ...crypto.getRandomValues(new Uint16Array(4)), Math.random()]

export const turns = () =>
  new Promise((done) => {
    const seen = []
    setTimeout(() => seen.push(1))
    queueMicrotask(() => seen.push(0))
    setTimeout(() => {
      reportError(new Error('printed'))
      done(seen)
    }, 0)
  })

export const events = () => {
  const [a, b] = [new AbortController(), new AbortController()]
  const seen = []
  AbortSignal.any([a.signal, b.signal]).addEventListener('abort', (event) =>
    seen.push([event.type, show(event.target.reason)]),
  )
  b.abort()
  a.abort(1)
  return seen
}

export const printed = () => {
  console.table([{ a: 1 }, { b: [2] }])
  console.log('%s %d', 'x', '5', new Map([[1, 2]]))
  return navigator.userAgent
}
