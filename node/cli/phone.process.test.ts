import { once } from 'node:events'
import { get } from 'node:https'
import { beforeAll, expect, test } from 'vitest'
import { isTicketText } from '../../protocol/mesh.ts'
import { ensureWeb } from '../../scripts/web/build.ts'
import { readTerminalQr } from '../testing/qr.ts'
import { begin, freshDirectory, statusOf, until, wayside } from '../testing/wayside.ts'

beforeAll(() => ensureWeb())

const LISTEN = ['--listen', '/ip4/127.0.0.1/tcp/0/tls/ws', '--listen', '/ip4/127.0.0.1/tcp/0/ws']

const ask = async (url: string) => {
  // What the owner of the phone agrees to.
  const [response] = await once(get(url, { rejectUnauthorized: false, agent: false }), 'response')
  return { ...response, body: String(Buffer.concat(await response.toArray())), headers: response.headers }
}

test('a phone scans the code, is given a ticket, and asked by the consent frame as a page of its own', async () => {
  const data = freshDirectory()
  const running = begin(['up', '--phone', '--data', data, ...LISTEN, '--cpus', '1', '--memory', '128MiB'])
  let printed = ''
  running.child.stdout?.on('data', (text: string) => {
    printed += text
  })
  await until(() => printed.includes('Tap "Advanced"'))
  const { phone, peer, web } = await statusOf(data)
  const code = readTerminalQr(printed.split('\n').map((line) => line.slice(2)))
  expect(code).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/phone-[\w-]{22}$/)
  expect(code).toBe(phone)
  expect(printed).toContain(phone)
  const url = new URL(code as string)
  const sent = await ask(url.href)
  expect(sent.statusCode).toBe(302)
  const to = new URL(sent.headers.location, url)
  const asked = new URLSearchParams(to.hash.slice(1))
  expect(isTicketText(asked.get('mesh') ?? '')).toBe(true)
  expect(asked.get('accept')).toBe(peer)
  const page = await ask(to.href)
  expect(page).toMatchObject({ statusCode: 200, body: expect.stringContaining('<script type="module">') })
  expect(page.headers['content-security-policy']).toMatch(/script-src 'sha384-.*; frame-ancestors 'none'$/)
  expect(page.headers['cache-control']).toBe('no-store')
  const other = url.href.slice(0, -1) + (url.href.endsWith('A') ? 'B' : 'A')
  expect((await ask(other)).statusCode).toBe(404)
  expect((await ask(`${url.origin}/lend-`)).statusCode).toBe(404)
  const plain = web?.origins.find((origin) => origin.startsWith('http:'))
  const refused = await fetch(`${plain}${url.pathname}`, { redirect: 'manual' })
  expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('over https only')])
  const shown = (await wayside(['status', '--data', data])).stdout
  expect(shown).toContain(`lends at ${phone}`)
  expect(shown).toContain(`src="${url.origin}/${web?.loader}" integrity="${web?.integrity}" crossorigin`)
  running.child.kill('SIGTERM')
  expect((await running.ended).status).toBe(0)
})

test('with a page of the owner’s the phone opens that, and the agent needs no https', async () => {
  const data = freshDirectory()
  const env = { WAYSIDE_PUBLIC_URL: 'https://lend.example/' }
  const args = ['up', '--phone', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0', '--cpus', '0']
  const running = begin(args, { env })
  let printed = ''
  running.child.stdout?.on('data', (text: string) => {
    printed += text
  })
  await until(() => printed.includes('https://lend.example/'))
  expect(readTerminalQr(printed.split('\n').map((line) => line.slice(2)))).toBe('https://lend.example/')
  expect(printed).not.toContain('Advanced')
  expect(await statusOf(data)).toMatchObject({ phone: 'https://lend.example/', web: null })
  running.child.kill('SIGTERM')
  await running.ended
})
