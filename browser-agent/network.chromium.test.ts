/** Pages and agents, in a real browser: every way that leads from one to the other. */
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'
import { callIn } from './testing/in-page.ts'
import { type Agent, agentOn, eventually } from './testing/page-agents.ts'
import { serveEntry } from './testing/serve.ts'

let server: { url: string; close(): void }
let browser: RunningBrowser

beforeAll(async () => {
  server = await serveEntry(new URL('./testing/peer-page.ts', import.meta.url))
  browser = await startBrowser('chromium')
})
afterAll(async () => {
  await browser.close()
  server.close()
})

const LISTEN = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']

interface Tab {
  page: Page
  peerId: string
}

const joined = async (agent: Agent, kinds: string, setUp?: string): Promise<Tab> => {
  const page = await browser.open('about:blank')
  onTestFinished(() => page.close())
  if (setUp) await page.evaluateOnNewDocument(setUp)
  await page.goto(server.url)
  const peerId = await callIn<string>(page, 'lending.start', await agent.ticket(), kinds)
  return { page, peerId }
}

test.each(['/ws/', '/webrtc-direct/'])('a page joins an agent by %s and works for it', async (kind) => {
  const agent = await agentOn(LISTEN)
  const tab = await joined(agent, kind)
  await eventually(() => expect(agent.neighbours()).toContain(tab.peerId))
  expect(await agent.doubled(21)).toBe(42)
})
