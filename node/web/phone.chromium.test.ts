import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { ensureWeb } from '../../scripts/web/build.ts'
import { startAgent, type TestAgent } from '../testing/wayside.ts'

let browser: RunningBrowser
let agent: TestAgent

beforeAll(async () => {
  await ensureWeb()
  ;[browser, agent] = await Promise.all([
    startBrowser('chromium', { acceptInsecureCerts: true }),
    startAgent(['--phone'], { listen: '/ip4/127.0.0.1/tcp/0/tls/ws' }),
  ])
})

afterAll(async () => {
  await browser?.close()
  await agent?.stop()
})

test('a phone is asked in a secure context, on a page of its own that fits it', async () => {
  const { phone, peer } = agent.status
  const page = await browser.open(phone ?? '')
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 3 })
  const url = new URL(page.url())
  expect(url.pathname).toBe(new URL(phone ?? '').pathname.replace('/phone-', '/lend-'))
  expect(new URLSearchParams(url.hash.slice(1)).get('accept')).toBe(peer)
  expect(await page.evaluate('isSecureContext && window === top && typeof crypto.subtle.digest')).toBe('function')
  expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
  // What the frame loads after a press comes from this origin, past the same certificate.
  const { loader } = agent.status.web ?? {}
  expect(await page.evaluate(`fetch('/${loader}').then(({ ok }) => ok)`)).toBe(true)
  const framed = await browser.open(`${url.origin}/`)
  await framed.setContent(`<iframe src="${url.href}"></iframe>`)
  await expect(framed.waitForFrame((frame) => frame.url().includes('/lend-'), { timeout: 500 })).rejects.toThrow()
})
