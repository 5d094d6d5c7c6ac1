/** What is published, in a page that a site built with esbuild, under a strict policy. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { frameOf, stateOf } from '../../browser-agent/frame/testing/hosts.ts'
import { freshDirectory, startAgent, type TestAgent } from '../../node/testing/wayside.ts'
import { bundle, functionFile } from '../../sdk/bundle/index.ts'
import { callIn } from '../browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../browser/launch.ts'
import { HTML, JAVASCRIPT, type PageFile, servePage, WASM } from '../browser/page-server.ts'
import { ensureWeb } from '../web/build.ts'
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

let browser: RunningBrowser
let agent: TestAgent
let folder = ''
const installed = () => join(folder, 'node_modules/wayside')

beforeAll(async () => {
  folder = freshDirectory()
  await Promise.all([writePackage(installed()), ensureWeb()])
  agent = await startAgent([], { listen: '/ip4/127.0.0.1/tcp/0/ws' })
  browser = await startBrowser('chromium')
  return () => browser.close()
})

/** What a site makes of `source`, as a page under `policy`; with `more` files by path. Resolves to the page, open. */
const openBuilt = async (source: string, policy: string, markup = '', more: Record<string, PageFile> = {}) => {
  writeFileSync(join(folder, 'app.js'), source)
  const { outputFiles } = await build({
    ...{ entryPoints: [join(folder, 'app.js')], bundle: true, format: 'esm', write: false, logLevel: 'error' },
  })
  const server = await servePage({
    '/': {
      type: HTML,
      body: `<!doctype html><meta http-equiv="content-security-policy" content="${policy}">${markup}<script type="module" src="/app.js"></script>`,
    },
    '/app.js': { type: JAVASCRIPT, body: outputFiles[0]!.contents },
    ...more,
  })
  onTestFinished(server.close)
  return browser.open(server.url)
}

test('a site calls and lends with it', async () => {
  const built = (name: string) => readFileSync(join(installed(), 'dist/browser', name))
  writeFileSync(join(folder, 'page.ts'), SHOWN)
  const hello = functionFile(await bundle(new URL('../../examples/hello/hello.ts', import.meta.url)))
  const page = await openBuilt(APP, POLICY, '', {
    '/browser-agent-worker.js': { type: JAVASCRIPT, body: built('browser-agent-worker.js') },
    '/sandbox-program-program.js': { type: JAVASCRIPT, body: built('sandbox-program-program.js') },
    '/quickjs.wasm': { type: WASM, body: built('quickjs.wasm') },
    '/hello.wayside': { type: 'application/octet-stream', body: hello },
  })
  expect(await callIn(page, 'site.greet', agent.status.ticket, 'Ada')).toBe('Hello, Ada')
  await callIn(page, 'site.connects', agent.status.ticket)
  await callIn(page, 'site.lend', agent.status.ticket)
  await expect.poll(() => callIn(page, 'site.said')).toContain('lending : 0 tasks today')
})

test('a site builds the element in, which finds the frame where the ticket leads', async () => {
  const { ticket, peer } = agent.status
  const [origin] = agent.status.web!.origins
  const policy = `default-src 'none'; script-src 'self'; frame-src ${origin}; require-trusted-types-for 'script'`
  const markup = `<wayside-agent mesh="${ticket}" accept="${peer}" reason="Helps"></wayside-agent>`
  const page = await openBuilt(`import 'wayside/element'`, policy, markup)
  const frame = await frameOf(page)
  const reason = () => frame.evaluate('document.getElementById("reason")?.textContent')
  await expect.poll(reason).toBe('“Helps”')
  expect(new URL(frame.url()).origin).toBe(origin)
  expect(await stateOf(frame)).toBe('asking')
  await page.evaluate(`document.querySelector('wayside-agent').setAttribute('host', 'mesh.example')`)
  const said = 'document.querySelector("wayside-agent").shadowRoot.textContent'
  await expect.poll(() => page.evaluate(said)).toContain('host="…" must be where an agent serves pages')
})
