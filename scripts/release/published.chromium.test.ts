/** What is published, in a page that a site built with esbuild, under a strict policy. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { freshDirectory, startAgent } from '../../node/testing/wayside.ts'
import { bundle, functionFile } from '../../sdk/bundle/index.ts'
import { callIn } from '../browser/in-page.ts'
import { startBrowser } from '../browser/launch.ts'
import { HTML, JAVASCRIPT, servePage, WASM } from '../browser/page-server.ts'
import { writePackage } from './main.ts'

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ws:"

const APP = `
import { connect, fn } from 'wayside'
import { lend } from 'wayside/browser'
const hello = fn(new URL('/hello.wayside', location.href))
globalThis.site = {
  lend: async (mesh) => { globalThis.agent = await lend({ mesh, accept: ['mesh'], limits: { when: 'always', onBattery: true } }) },
  state: () => agent.view().state,
  call: async (ticket) => {
    const mesh = await connect({ join: [ticket] })
    try {
      return await mesh.call(hello, { name: 'Ada' }, { verify: 'self' })
    } finally {
      await mesh.close()
    }
  },
}`

test('a site calls and lends with it', async () => {
  const folder = freshDirectory()
  const installed = join(folder, 'node_modules/wayside')
  await writePackage(installed)
  writeFileSync(join(folder, 'app.js'), APP)
  const output = join(folder, 'site')
  await build({ entryPoints: [join(folder, 'app.js')], bundle: true, format: 'esm', outdir: output, logLevel: 'error' })
  mkdirSync(output, { recursive: true })
  for (const name of ['browser-agent-worker.js', 'quickjs.wasm'])
    copyFileSync(join(installed, 'dist/browser', name), join(output, name))
  const built = (name: string) => readFileSync(join(output, name))
  const hello = functionFile(await bundle(new URL('../../examples/hello/hello.ts', import.meta.url)))
  const server = await servePage({
    '/': {
      type: HTML,
      body: `<!doctype html><meta http-equiv="content-security-policy" content="${POLICY}"><script type="module" src="/app.js"></script>`,
    },
    '/app.js': { type: JAVASCRIPT, body: built('app.js') },
    '/browser-agent-worker.js': { type: JAVASCRIPT, body: built('browser-agent-worker.js') },
    '/quickjs.wasm': { type: WASM, body: built('quickjs.wasm') },
    '/hello.wayside': { type: 'application/octet-stream', body: hello },
  })
  onTestFinished(server.close)
  const agent = await startAgent([], { listen: '/ip4/127.0.0.1/tcp/0/ws' })
  const browser = await startBrowser('chromium')
  onTestFinished(() => browser.close())
  const page = await browser.open(server.url)
  expect(await callIn(page, 'site.call', agent.status.ticket)).toEqual({ text: 'Hello, Ada' })
  await callIn(page, 'site.lend', agent.status.ticket)
  await expect.poll(() => callIn(page, 'site.state'), { timeout: 20_000 }).toBe('lending')
})
