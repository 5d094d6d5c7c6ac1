/** What the sandboxes of a page really take of the processor, by the account of the system. */
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { rendererOf, type ThreadTimes, threadsOf } from '../../scripts/browser/renderers.ts'

const LONG = 1e12
/** Some 3 ms in the sandbox. */
const SHORT = 3e4
const WINDOW_MS = 2000

interface Report {
  cpuMs: number
  done: number
  failed: string[]
}

let served: Awaited<ReturnType<typeof serveEntry>>
let browser: RunningBrowser
let page: Page
let renderer: number
const threads: number[] = []

beforeAll(async () => {
  served = await serveEntry(new URL('./testing/paced-page.ts', import.meta.url))
  browser = await startBrowser('chromium')
  page = await browser.open(`${served.url}/`)
  renderer = await rendererOf(browser, page)
})
afterAll(async () => {
  await browser.close()
  served.close()
})

const workers = (): ThreadTimes[] => threadsOf(renderer).filter(({ name }) => name.startsWith('DedicatedWorker'))

/** Starts one, and gives the thread that it computes on. */
const start = async (share: number, n: number): Promise<number> => {
  const before = new Set(workers().map(({ id }) => id))
  await callIn(page, 'paced.start', share, n)
  const [thread, ...more] = workers().filter(({ id }) => !before.has(id))
  expect(more).toEqual([])
  return (thread as ThreadTimes).id
}

/** Of each thread, over the same time. */
const takenIn = async (threads: readonly number[], ms: number) => {
  const look = () => threads.map((thread) => workers().find(({ id }) => id === thread) as ThreadTimes)
  const [before, fromMs] = [look(), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, ms))
  const [after, tookMs] = [look(), performance.now() - fromMs]
  return after.map((thread, i) => ({
    ran: (thread.ranMs - (before[i] as ThreadTimes).ranMs) / tookMs,
    // What others kept it from is not what it did not want.
    wanted:
      (thread.ranMs + thread.waitedMs - (before[i] as ThreadTimes).ranMs - (before[i] as ThreadTimes).waitedMs) /
      tookMs,
  }))
}

test('long and short runs take 10, 30, 50 and 100 % of a core, and what is told to the visitor is that', async () => {
  const wishes = [
    [0.1, LONG],
    [0.3, SHORT],
    [0.5, LONG],
    [1, LONG],
  ] as const
  for (const [share, n] of wishes) threads.push(await start(share, n))
  const told = await callIn<Report[]>(page, 'paced.report')
  const taken = await takenIn(threads, WINDOW_MS)
  const toldAfter = await callIn<Report[]>(page, 'paced.report')
  for (const [i, [share]] of wishes.entries()) {
    const { ran, wanted } = taken[i] as (typeof taken)[0]
    expect(ran).toBeLessThanOrEqual(1.2 * share)
    // What a hypervisor takes is in no account.
    expect(wanted).toBeGreaterThanOrEqual(0.7 * share)
    const cpuMs = (toldAfter[i] as Report).cpuMs - (told[i] as Report).cpuMs
    // It is told in pieces of 100 ms.
    expect(Math.abs(cpuMs - share * WINDOW_MS)).toBeLessThan(0.2 * share * WINDOW_MS + 200)
  }
  expect((toldAfter[1] as Report).done).toBeGreaterThan(20)
  expect(toldAfter.flatMap(({ failed }) => failed)).toEqual([])
})

test('one that is ended computes for a moment more at most, asleep or not, though the browser keeps it for 2 s', async () => {
  const before = workers()
  await callIn(page, 'paced.stop', 0)
  await callIn(page, 'paced.stop', 3)
  const ending = [threads[0], threads[3]]
  await new Promise((resolve) => setTimeout(resolve, 500))
  for (const id of ending) {
    const [was, is] = [before, workers()].map((all) => all.find((one) => one.id === id)?.ranMs)
    // One that is gone computes nothing.
    expect((is ?? 0) - (was as number)).toBeLessThan(150)
  }
})

test('one in the middle of a run that takes too much now ends, and says why; between runs it hears', async () => {
  await callIn(page, 'paced.share', 1, 0.2)
  await callIn(page, 'paced.share', 2, 0.2)
  await expect
    .poll(async () => (await callIn<Report[]>(page, 'paced.report')).map(({ failed }) => failed), { timeout: 5000 })
    .toEqual([
      [expect.stringContaining('its process ended')],
      [],
      [expect.stringContaining('it did not slow down to 0.2 of a core')],
      [expect.stringContaining('its process ended')],
    ])
})
