// What env and ctx have: requests, a function's own writes over what the home has, and the web's requests and responses.

export const clock = async (x, env, ctx) => show([await ctx.now(), await ctx.random(5)])

export const writes = async (x, { DB, OTHER }) => {
  DB.put('b', { n: 1n, bytes: new Uint8Array([1, 2]) })
  DB.delete('a')
  OTHER.put('b', [null, 'é'])
  return show([await DB.get('a'), await DB.get('b'), await OTHER.get('b'), await OTHER.get('c')])
}

export const pages = async (x, { DB }) => {
  for (const key of ['0', 'k1', '\u{1f600}', '\uff5e', 'z']) DB.put(key, key)
  DB.delete('k2')
  const found = []
  let after = null
  for (let page; page?.more !== false; after = page.entries.at(-1).key) {
    page = await DB.list({ after, limit: 3 })
    found.push(page.entries.map(({ key, value }) => [key, value]))
    if (page.entries.length === 0) break
  }
  return show(found)
}

export const atOnce = async (x, { DB }, ctx) => {
  const order = []
  const note = (name) => (value) => order.push([name, typeof value])
  DB.put('a', 1).then(note('put'))
  await Promise.all([
    DB.get('b').then(note('b')),
    ctx.now().then(note('now')),
    DB.get('a').then(note('a')),
    DB.get('c').then(note('c')),
  ])
  DB.delete('a').then(note('delete'))
  return show([order, await DB.get('a')])
}

export const refused = async (x, { DB, API }, ctx) => {
  const caught = []
  for (const wrong of [
    () => DB.put('', 1),
    () => DB.get(5),
    () => DB.put('a', () => 1),
    () => ctx.random(-1),
    () => API.send('x'),
  ]) {
    try {
      caught.push(await wrong())
    } catch (error) {
      caught.push([error.name, error.code, error.message])
    }
  }
  return show(caught)
}

export const fetches = async (x, { API, KEY }) => {
  const headers = { authorization: `Bearer ${KEY}` }
  const response = await API.fetch('https://a.example/x?y#z', {
    method: 'POST',
    headers,
    body: new URLSearchParams({ a: '1' }),
  })
  API.send(new Request('https://a.example/sent', { method: 'PUT', body: 'text' }))
  return show([response.status, response.url, [...response.headers], await response.text()])
}

export const streams = async (x, { API }) => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([1, 2]))
      controller.close()
    },
  })
  await API.send('https://a.example/', { method: 'POST', body, duplex: 'half' })
  const response = await API.fetch('https://a.example/')
  return show([
    await new Response(response.body.pipeThrough(new TextDecoderStream())).text().catch((error) => error.name),
  ])
}
