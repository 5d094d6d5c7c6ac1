/** What the sandboxes of a page really take of the processor, by the account of the system. */
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { metered } from '../../sandbox/program/testing/programs.ts'
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { rendererOf, type ThreadTimes, threadsOf } from '../../scripts/browser/renderers.ts'
import { parsed } from '../../scripts/wasm/parsed.ts'

const LONG = 1e12
/** Some 3 ms in the sandbox. */
const SHORT = 3e4
const WINDOW_MS = 3000
/** Counts to ten to the power of the bytes of its input. */
const COUNT = `(module (memory 1 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 8))
  (func (export "count") (param i32) (param $bytes i32) (result i64) (local $n i64)
    (local.set $n (i64.const 1))
    (loop $times
      (local.set $n (i64.mul (local.get $n) (i64.const 10)))
      (br_if $times (local.tee $bytes (i32.sub (local.get $bytes) (i32.const 1)))))
    (loop $down (br_if $down (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (i64.const 0)))`

type Wish = [share: number, n: number, wasm?: string]

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
const start = async (share: number, n: number, wasm?: string): Promise<number> => {
  const before = new Set(workers().map(({ id }) => id))
  await callIn(page, 'paced.start', share, n, wasm)
  const [thread, ...more] = workers().filter(({ id }) => !before.has(id))
  expect(more).toEqual([])
  return (thread as ThreadTimes).id
}

/**
 * Of the sandboxes from `first` on. What a share is in ms of rest, pacer.test.ts has, where time stands still but for it:
 * here nobody knows how late a thread is woken. But it takes no more than it may, of the time that this took at least,
 * goes on, and tells of what it takes: that, and at most what it was kept from meanwhile.
 */
const expectShares = async (wishes: readonly Wish[], first: number, windowMs: number) => {
  for (const wish of wishes) threads.push(await start(...wish))
  const look = () => threads.slice(first).map((thread) => workers().find(({ id }) => id === thread) as ThreadTimes)
  const told = await callIn<Report[]>(page, 'paced.report')
  const [fromMs, before] = [performance.now(), look()]
  await new Promise((resolve) => setTimeout(resolve, windowMs))
  const [after, tookMs] = [look(), performance.now() - fromMs]
  const toldAfter = await callIn<Report[]>(page, 'paced.report')
  for (const [i, [share]] of wishes.entries()) {
    const [is, was] = [after[i], before[i]] as [ThreadTimes, ThreadTimes]
    const ran = is.ranMs - was.ranMs
    expect(ran).toBeLessThanOrEqual(1.2 * share * tookMs)
    expect(ran + is.waitedMs - was.waitedMs).toBeGreaterThanOrEqual(0.1 * share * tookMs)
    const cpuMs = (toldAfter[first + i] as Report).cpuMs - (told[first + i] as Report).cpuMs
    // It is told in pieces of 100 ms, each after it was computed.
    expect(cpuMs).toBeGreaterThanOrEqual(0.8 * ran - 200)
  }
  return toldAfter
}

test('long and short runs of both tiers take no more than 10 to 50 % of a core, and what is told to the visitor is that', async () => {
  const wasm = Buffer.from(await metered(parsed(COUNT))).toString('base64')
  const told = await expectShares(
    [
      [0.1, LONG],
      [0.3, SHORT],
      [0.5, LONG],
      [0.2, LONG, wasm],
    ],
    0,
    WINDOW_MS,
  )
  await expect.poll(async () => (await callIn<Report[]>(page, 'paced.report'))[1]?.done).toBeGreaterThan(20)
  expect(told.flatMap(({ failed }) => failed)).toEqual([])
})

test('a whole core is one', async () => {
  await expectShares([[1, LONG]], 4, 1000)
})

test('one that is ended computes for a moment more at most, asleep or not, though the browser keeps it for 2 s', async () => {
  for (const i of [0, 3, 4]) await callIn(page, 'paced.stop', i)
  const before = workers()
  const ending = [0, 3, 4].map((i) => threads[i])
  await new Promise((resolve) => setTimeout(resolve, 500))
  for (const id of ending) {
    // One that is gone computes nothing.
    const [was = 0, is = 0] = [before, workers()].map((all) => all.find((one) => one.id === id)?.ranMs)
    expect(is - was).toBeLessThan(150)
  }
})

test('one in the middle of a run that takes too much now ends, and says why; between runs it hears', async () => {
  await callIn(page, 'paced.share', 1, 0.2)
  await callIn(page, 'paced.share', 2, 0.2)
  await expect
    .poll(async () => (await callIn<Report[]>(page, 'paced.report')).map(({ failed }) => failed))
    .toEqual([
      [expect.stringContaining('its process ended')],
      [],
      [expect.stringContaining('it did not slow down to 0.2 of a core')],
      [expect.stringContaining('its process ended')],
      [expect.stringContaining('its process ended')],
    ])
})
