/** A hono app, as it would run on any server. Each request meets it as it was when its module was loaded. */
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { stream } from 'hono/streaming'
import { validator } from 'hono/validator'

interface Note {
  title: string
  tags: string[]
}

const NOTES: Note[] = [
  { title: 'Buy bread', tags: ['home'] },
  { title: 'Mend the roof', tags: ['home', 'soon'] },
]

const app = new Hono()

app.use(secureHeaders())
app.use('/notes/*', async (c, next) => {
  console.log(`${c.req.method} ${c.req.path}`)
  await next()
  c.header('x-notes', String(NOTES.length))
})

app.get('/', (c) => c.html('<h1>Notes</h1><a href="/notes">all of them</a>'))

app.get('/notes', (c) => {
  const tag = c.req.query('tag')
  return c.json(NOTES.filter(({ tags }) => tag === undefined || tags.includes(tag)))
})

app.get('/notes/:n{[0-9]+}', (c) => {
  const note = NOTES[Number(c.req.param('n'))]
  return note ? c.json(note) : c.notFound()
})

app.post(
  '/notes',
  validator('json', (value: Partial<Note>, c) => {
    if (typeof value.title !== 'string' || value.title === '') return c.json({ error: 'a note needs a title' }, 400)
    return { title: value.title, tags: value.tags ?? [] }
  }),
  (c) => {
    NOTES.push(c.req.valid('json'))
    return c.json({ n: NOTES.length - 1 }, 201, { location: `/notes/${NOTES.length - 1}` })
  },
)

app.post('/form', async (c) => {
  const { name, file } = await c.req.parseBody()
  return c.text(`${name} sent ${file instanceof File ? `${file.name}, ${file.size} bytes` : 'no file'}`)
})

app.get('/visits', (c) => {
  const visits = Number(getCookie(c, 'visits') ?? 0) + 1
  setCookie(c, 'visits', String(visits), { httpOnly: true, sameSite: 'Lax', path: '/' })
  deleteCookie(c, 'old')
  return c.text(`visit ${visits}`)
})

app.get('/old', (c) => c.redirect('/notes?tag=home', 301))

app.post('/reverse', async (c) => c.body(new Uint8Array(await c.req.arrayBuffer()).reverse(), 200))

app.get('/count/:to', (c) =>
  stream(c, async (out) => {
    for (let n = 1; n <= Number(c.req.param('to')); n++) await out.write(`${n}\n`)
  }),
)

app.get('/teapot', () => {
  throw new HTTPException(418, { message: 'short and stout' })
})

app.get('/broken', () => {
  throw new Error('not built yet')
})

export default app
