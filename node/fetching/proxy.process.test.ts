import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { serve } from './testing/servers.ts'

const WEB = join(import.meta.dirname, 'web.ts')

/** Fetches `url` in a process whose environment names a proxy in every way there is. */
const fetchBehind = async (proxy: string, url: string): Promise<unknown> => {
  const script = `
    const { createWeb } = await import(${JSON.stringify(WEB)})
    const request = { url: ${JSON.stringify(url)}, method: 'GET', headers: [], body: null }
    const { kind, status } = await createWeb().exchange(request, '127.0.0.1', 1000, new AbortController().signal)
    console.log(JSON.stringify({ kind, status }))
  `
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])
  const env = { ...Object.fromEntries(names.map((name) => [name, proxy])), NODE_USE_ENV_PROXY: '1', NO_PROXY: '' }
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...env } })
  return JSON.parse(await text(child.stdout))
}

test('no proxy of the environment sees a request', async () => {
  const proxy = await serve((_, response) => response.writeHead(502).end())
  const server = await serve((_, response) => response.end('here'))
  expect(await fetchBehind(`http://127.0.0.1:${proxy.port}`, `http://localhost:${server.port}/`)).toEqual({
    kind: 'answered',
    status: 200,
  })
  expect([proxy.connections(), server.connections()]).toEqual([0, 1])
})
