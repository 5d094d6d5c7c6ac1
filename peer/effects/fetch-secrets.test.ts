import { describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createWeb } from '../../node/fetching/web.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Secrets } from '../../protocol/ports.ts'
import { Fetching } from './fetch.ts'
import type { FetchArguments } from './fetch-rules.ts'
import {
  asked,
  authority,
  fetching,
  find,
  log,
  logged,
  never,
  perform,
  SECRET,
  type Shown,
  secretsOf,
  serveAt,
  shown,
} from './testing/fetching.ts'

describe('a secret', () => {
  const KEY = '{wayside-secret:KEY}'
  const withKey: Partial<FetchArguments> = { headers: [['authorization', `Bearer ${KEY}`]] }
  const granted = (origin: string) => new Map([['KEY', { secret: 'API_KEY', origin, header: 'authorization' }]])

  test('that the server echoes in any place is taken out before anybody reads it', async () => {
    const a = await serveAt('a.example', (request, response) => {
      const sent = request.headers.authorization as string
      const body = JSON.stringify({
        sent,
        url: encodeURIComponent(sent),
        base64: btoa(`x${sent}`),
        hex: Buffer.from(sent).toString('hex'),
      })
      response.writeHead(200, 'OK', { 'x-echo': sent, 'content-length': body.length }).end(body)
    })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    const answer = await fetching.prepare(asked(a.origin, withKey), allowed).send(never)
    const found = shown(answer) as Shown
    expect(a.asked[0]?.headers.authorization).toBe(`Bearer ${SECRET}`)
    expect(JSON.parse(found.body)).toMatchObject({ sent: 'Bearer [secret KEY]', url: 'Bearer%20[secret KEY]' })
    expect(found.headers).toContainEqual(['x-echo', 'Bearer [secret KEY]'])
    // It was that of another body.
    expect(Object.fromEntries(found.headers)).not.toHaveProperty('content-length')
    const bytes = Buffer.from(answer.ok ? answer.value : []).toString('latin1')
    for (const text of [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('hex'), SECRET.slice(0, 12)])
      expect(bytes).not.toContain(text)
  })

  test('that was sent before is taken out of what comes later, and of what an error says', async () => {
    const a = await serveAt('a.example', (request, response) => {
      if (request.url === '/later') response.end(SECRET)
      else response.writeHead(302, { location: `http://${request.url?.slice(1)}.example/` }).end()
    })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    expect(await perform(asked(`${a.origin}/later`), allowed)).toMatchObject({ body: '[secret KEY]' })
    const named = new Fetching({
      clock: systemClock,
      log,
      web: createWeb(find),
      secrets: secretsOf({ API_KEY: 'evil-key' }),
    })
    const told = await perform(asked(`${a.origin}/evil-key`), allowed, named)
    expect(told).toBe(`E_FETCH env.API: ${a.origin} redirected to an address with a secret in it`)
  })

  test('does not go where a redirect leads, nor comes back by a second one', async () => {
    const b = await serveAt('b.example', (request, response) => {
      if (request.url === '/back') response.writeHead(307, { location: `${a.origin}/end` }).end()
      else response.end()
    })
    const a = await serveAt('a.example', (request, response) => {
      if (request.url === '/end') response.end('end')
      else response.writeHead(307, { location: request.url === '/own' ? '/end' : `${b.origin}${request.url}` }).end()
    })
    const allowed = authority({ fetch: [a.origin, b.origin] }, { secrets: granted(a.origin) })
    for (const path of ['/away', '/back', '/own']) await perform(asked(a.origin + path, withKey), allowed)
    expect(b.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect(a.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/away', `Bearer ${SECRET}`],
      ['/back', `Bearer ${SECRET}`],
      ['/end', undefined],
      ['/own', `Bearer ${SECRET}`],
      ['/end', `Bearer ${SECRET}`],
    ])
  })

  test('that this home does not have, or that was not granted, stops the request', async () => {
    const a = await serveAt('a.example', (_, response) => response.end())
    const allowed = authority(
      { fetch: [a.origin] },
      { secrets: new Map([['KEY', { secret: 'OTHER', origin: a.origin, header: 'authorization' }]]) },
    )
    expect(await perform(asked(a.origin, withKey), allowed)).toBe(
      'E_GRANT env.KEY: this home has no value for the secret',
    )
    expect(await perform(asked(a.origin, withKey), authority({ fetch: [a.origin] }))).toMatch(/^E_GRANT/)
    expect(a.connections()).toBe(0)
    expect(await perform(asked(a.origin), allowed)).toMatchObject({ status: 200 })
  })

  test('that cannot be read stops each request, and why is said to the owner alone', async () => {
    const a = await serveAt('a.example', (_, response) => response.end())
    const secrets: Secrets = {
      async read() {
        throw new MeshError('E_CONFIG', 'a file of the owner')
      },
    }
    const by = new Fetching({ clock: systemClock, log, web: createWeb(find), secrets })
    const allowed = authority({ fetch: [a.origin] }, { secrets: granted(a.origin) })
    expect(await perform(asked(a.origin), allowed, by)).toBe(
      'E_GRANT env.KEY: this home cannot read the secret; its log says why',
    )
    expect(logged).toEqual([['secret.unreadable', { reason: 'a file of the owner' }]])
    expect(a.connections()).toBe(0)
  })
})
