/** The share of a core in Firefox, whose workers sleep by the same means. */
import { expect, onTestFinished, test } from 'vitest'
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { startBrowser } from '../../scripts/browser/launch.ts'
import { threadsOf } from '../../scripts/browser/renderers.ts'
import { descendantsOf } from '../../scripts/processes.ts'

const SHARE = 0.3
const WINDOW_MS = 2000

test('a long run takes no more than 30 % of a core and tells of it, and takes none once it is ended', async () => {
  const served = await serveEntry(new URL('./testing/paced-page.ts', import.meta.url))
  onTestFinished(served.close)
  const browser = await startBrowser('firefox')
  onTestFinished(browser.close)
  const page = await browser.open(`${served.url}/`)
  const ranMs = () =>
    descendantsOf(browser.pid)
      .flatMap(threadsOf)
      .filter(({ name }) => name.startsWith('DOM Worker'))
      .reduce((sum, thread) => sum + thread.ranMs, 0)
  const told = async () =>
    (await callIn<{ cpuMs: number }[]>(page, 'paced.report')).reduce((sum, one) => sum + one.cpuMs, 0)
  await callIn(page, 'paced.start', SHARE, 1e12)
  const [toldMs, fromMs, ran] = [await told(), performance.now(), ranMs()]
  await new Promise((resolve) => setTimeout(resolve, WINDOW_MS))
  const [took, tookMs] = [ranMs() - ran, performance.now() - fromMs]
  expect(took).toBeLessThanOrEqual(1.2 * SHARE * tookMs)
  // It is told in pieces of 100 ms, each after it was computed.
  expect((await told()) - toldMs).toBeGreaterThanOrEqual(0.8 * took - 200)
  // However late it is woken, it goes on.
  await expect.poll(() => ranMs() - ran).toBeGreaterThan(0.5 * SHARE * WINDOW_MS)
  await callIn(page, 'paced.stop', 0)
  await expect.poll(ranMs).toBe(0)
})
