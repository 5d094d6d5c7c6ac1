/** Ten pages and two agents compute a map of 2,000 tasks, while pages close, crash, reload, freeze and go offline. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, fn, type Mesh } from '../node/sdk.ts'
import { freshDirectory, startAgent, statusOf, type TestAgent, until } from '../node/testing/wayside.ts'
import { entryFiles } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'
import { servePage } from '../scripts/browser/page-server.ts'
import type { AgentView } from './agent-view.ts'

const PAGES = 10
const TASKS = 2000
/** Results between one disturbance and the next. */
const CALM = 150

const SUM = `export default (n) => {
  let sum = n
  for (let i = 0; i < 10_000; i++) sum = (sum * 31 + i) % 1000003
  return sum
}`
const sumOf = (n: number): number => {
  let sum = n
  for (let i = 0; i < 10_000; i++) sum = (sum * 31 + i) % 1000003
  return sum
}

let browser: RunningBrowser
let servers: { url: string; close(): void }[]
let agents: TestAgent[]
let mesh: Mesh
let pages: Page[]

const lend = (page: Page) => callIn(page, 'lending.start', agents[0]?.status.ticket, ['mesh'])

beforeAll(async () => {
  const building = entryFiles(new URL('./testing/agent-page.ts', import.meta.url))
  const starting = startBrowser('chromium')
  const first = await startAgent([], { listen: '/ip4/127.0.0.1/tcp/0/ws' })
  const second = await startAgent(['--join', first.status.ticket as string])
  agents = [first, second]
  const files = await building
  browser = await starting
  // Each is an origin of its own: there is one peer in each.
  servers = await Promise.all(Array.from({ length: PAGES }, () => servePage(files)))
  pages = await Promise.all(servers.map(({ url }) => browser.open(url)))
  await Promise.all(pages.map(lend))
  mesh = await connect({ data: first.data })
  const lenders = async () => (await statusOf(first.data)).neighbours.filter(({ slots }) => slots > 0).length
  await until(async () => (await lenders()) === PAGES + 1)
})
afterAll(async () => {
  await mesh?.close()
  await browser?.close()
  for (const server of servers ?? []) server.close()
})

const tell = async (page: Page, method: string, parameters: object): Promise<void> => {
  const session = await page.createCDPSession()
  await session.send(method as never, parameters as never)
}
const freeze = (page: Page, state: 'frozen' | 'active') => tell(page, 'Page.setWebLifecycleState', { state })
const cutOff = (page: Page, offline: boolean) =>
  tell(page, 'Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
const crash = async (page: Page): Promise<void> => {
  const session = await page.createCDPSession()
  const crashed = new Promise((resolve) => session.once('Inspector.targetCrashed', resolve))
  await session.send('Inspector.enable')
  // Nobody is left to answer.
  session.send('Page.crash').catch(() => {})
  await crashed
}

test('all results are right, and none is lost', async () => {
  const [one, two, three, four, five, six, seven, eight] = pages as [Page, Page, Page, Page, Page, Page, Page, Page]
  const reload = async (page: Page) => {
    await page.reload()
    await lend(page)
  }
  const disturbances = [
    () => one.close(),
    () => freeze(two, 'frozen'),
    () => reload(three),
    () => cutOff(four, true),
    () => crash(five),
    () => freeze(two, 'active'),
    () => reload(six),
    () => freeze(seven, 'frozen'),
    () => cutOff(four, false),
    () => cutOff(eight, true),
  ]
  const path = join(freshDirectory(), 'sum.js')
  writeFileSync(path, SUM)
  const inputs = Array.from({ length: TASKS }, (_, n) => n)
  const results = new Map<number, unknown>()
  const options = { verify: 'none', unordered: true, remote: true }
  for await (const item of mesh.map(fn<(n: number) => number>(path), inputs, options)) {
    results.set(item.index, item.ok ? item.value : item.error)
    if (results.size % CALM === 0) await disturbances.shift()?.()
  }
  expect(disturbances).toEqual([])
  expect(results.size).toBe(TASKS)
  for (const n of inputs) expect(results.get(n)).toBe(sumOf(n))
  // Pages did a part of it.
  const views = await Promise.all([pages[8], pages[9]].map((page) => callIn<AgentView>(page as Page, 'lending.view')))
  for (const { today } of views) expect(today.tasks).toBeGreaterThan(0)
})
