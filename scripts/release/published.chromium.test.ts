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

/** What the README shows of a page. */
const SHOWN = /^```ts page\.ts\n(.*?)^```$/ms.exec(readFileSync('README.md', 'utf8'))?.[1] ?? ''

const APP = `
import { connect } from 'wayside'
import { greet, help } from './page.ts'
let agent
const said = []
globalThis.site = {
  greet,
  lend: async (mesh) => {
    agent = await help(mesh, (text) => said.push(text))
    agent.limit({ when: 'always', onBattery: true })
  },
  said: () => said.join(),
  connects: async (ticket) => (await connect({ join: [ticket] })).close(),
}`

test('a site calls and lends with it', async () => {
  const folder = freshDirectory()
  const installed = join(folder, 'node_modules/wayside')
  await writePackage(installed)
  writeFileSync(join(folder, 'page.ts'), SHOWN)
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
  expect(await callIn(page, 'site.greet', agent.status.ticket, 'Ada')).toBe('Hello, Ada')
  await callIn(page, 'site.connects', agent.status.ticket)
  await callIn(page, 'site.lend', agent.status.ticket)
  await expect.poll(() => callIn(page, 'site.said'), { timeout: 20_000 }).toContain('lending : 0 tasks today')
})
