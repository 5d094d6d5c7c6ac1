import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll } from 'vitest'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'
import { testPorts } from './testing/ports-in-page.ts'

let server: { url: string; close(): void }
let browser: RunningBrowser
let page: Page

beforeAll(async () => {
  server = await serveEntry(new URL('./testing/ports-page.ts', import.meta.url))
  browser = await startBrowser('firefox')
  page = await browser.open(server.url)
})
afterAll(async () => {
  await browser.close()
  server.close()
})

testPorts(() => page)
