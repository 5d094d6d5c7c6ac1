import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'

let browser: RunningBrowser
beforeAll(async () => {
  browser = await startBrowser('chromium', { isThrottled: true })
})
afterAll(() => browser.close())

/** How long a page's own timer of 20 ms takes. */
const OWN_TIMER = `new Promise((resolve) => {
  const from = performance.now()
  setTimeout(() => resolve(performance.now() - from), 20)
})`

test('behind another tab, where the own timers of a page come once a second, those of its peer come in time', async () => {
  const served = await serveEntry(new URL('./testing/ports-page.ts', import.meta.url))
  const page = await browser.open(served.url)
  await (await browser.open('about:blank')).bringToFront()
  expect(await page.evaluate('document.hidden')).toBe(true)
  // The first may come when the second is nearly over.
  while (((await page.evaluate(OWN_TIMER)) as number) < 500);
  const fired = await callIn<{ order: number[]; lateMs: number }>(page, 'ports.fire', true)
  expect(fired.order).toEqual([0, 5, 40, 60])
  expect(fired.lateMs).toBeLessThan(400)
  served.close()
})
