/** Serves the demo's page, and tells it what happens. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { DemoEvent } from './events.ts'
import type { Show } from './show.ts'

/** A page that reads more slowly is too far behind: it begins again with what there is by then. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024

const read = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8')

const bundlePage = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
  })
  return (outputFiles[0] as { text: string }).text
}

/** What an embedding page needs is in docs/EMBED.md: the host's scripts and its frame. */
const policyFor = (host: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' ${host}`,
    "style-src 'self' 'unsafe-inline'",
    `frame-src ${host}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const tellTo = (response: ServerResponse, show: Show): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const stop = show.subscribe((event: DemoEvent) => {
    response.write(`data: ${JSON.stringify(event)}\n\n`)
    if (response.writableLength > UNREAD_BYTES_MAX) response.destroy()
  })
  response.on('close', stop).on('error', () => {})
}

export interface DemoServer {
  readonly url: string
  close(): void
}

/** `tag`: what an agent says a page is to contain. Port 0: the system chooses. */
export const serveDemo = async (show: Show, tag: string, port: number): Promise<DemoServer> => {
  const host = new URL(/src="([^"]+)"/.exec(tag)?.[1] ?? '').origin
  const page = read('index.html').replace('<!-- tag -->', () => tag)
  const script = await bundlePage()
  const style = read('page.css')
  const files: Record<string, () => [type: string, body: string | Uint8Array]> = {
    '/': () => ['text/html; charset=utf-8', page],
    '/page.js': () => ['text/javascript; charset=utf-8', script],
    '/page.css': () => ['text/css; charset=utf-8', style],
    '/picture': () => ['application/octet-stream', show.rgb],
  }
  const server = createServer(({ url = '' }, response) => {
    if (url === '/events') return tellTo(response, show)
    const file = files[url]?.()
    if (!file) return void response.writeHead(404).end()
    const headers = {
      'cache-control': 'no-store',
      'content-security-policy': policyFor(host),
      'x-content-type-options': 'nosniff',
    }
    response.writeHead(200, { 'content-type': file[0], ...headers }).end(file[1])
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close }
}
