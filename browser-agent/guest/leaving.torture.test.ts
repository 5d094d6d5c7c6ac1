/** Tabs that lend are frozen, killed and cut off in the middle of the work of a real agent: nothing of it is lost. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CDPSession, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, fn, type Mesh } from '../../node/sdk.ts'
import { freshDirectory, startAgent, statusOf, type TestAgent } from '../../node/testing/wayside.ts'
import { entryFiles } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { type PageServer, servePage } from '../../scripts/browser/page-server.ts'
import { rendererOf } from '../../scripts/browser/renderers.ts'
import type { AgentView } from '../agent-view.ts'

const PAGE = new URL('../testing/agent-page.ts', import.meta.url)
const ITEMS = 60
/** Some 150 ms in a page. */
const COUNT = `export default (n: number) => {
  let sum = 0
  for (let i = 0; i < 700_000; i++) sum = (sum * 31 + n) % 1000003
  return sum
}`
const counted = (n: number): number => {
  let sum = 0
  for (let i = 0; i < 700_000; i++) sum = (sum * 31 + n) % 1000003
  return sum
}

interface Tab {
  page: Page
  cdp: CDPSession
  url: string
  peer: string
}

let servers: PageServer[]
let browser: RunningBrowser
let node: TestAgent
let mesh: Mesh

beforeAll(async () => {
  // It lends nothing: what is done, pages do.
  const starting = startAgent(['--cpus', '0'], { listen: '/ip4/127.0.0.1/tcp/0/ws' })
  const [files, started] = await Promise.all([entryFiles(PAGE), startBrowser('chromium')])
  browser = started
  servers = await Promise.all([servePage(files), servePage(files)])
  node = await starting
  mesh = await connect({ data: node.data })
})
afterAll(async () => {
  await mesh?.close()
  await browser?.close()
  for (const server of servers ?? []) server.close()
})

const view = (page: Page) => callIn<AgentView>(page, 'lending.view')
const lends = (page: Page) => expect.poll(() => view(page), { timeout: 20_000 }).toMatchObject({ state: 'lending' })

/** One origin is one peer. */
const lend = async (url: string): Promise<Tab> => {
  const page = await browser.open(url)
  onTestFinished(() => page.close().catch(() => {}))
  await callIn(page, 'lending.start', node.status.ticket, [node.status.peer])
  await lends(page)
  return { page, url, cdp: await page.createCDPSession(), peer: (await view(page)).peer }
}

/** As the agent saw it. */
const hasLeft = (peer: string): boolean =>
  readFileSync(join(node.data, 'log', 'agent.jsonl'), 'utf8')
    .split('\n')
    .some((line) => line.includes('"peer.left"') && line.includes(peer))

test('a map goes on while one tab is frozen and comes back, one is killed, and one is offline for a while', async () => {
  const [one, other] = [await lend(servers[0]?.url as string), await lend(servers[1]?.url as string)]
  expect(one.peer).not.toBe(other.peer)
  const path = join(freshDirectory(), 'count.ts')
  writeFileSync(path, COUNT)
  const offline = (is: boolean) =>
    one.cdp.send('Network.emulateNetworkConditions', {
      offline: is,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
  /** What the agent knows of the tab that is frozen. */
  let frozen: { slots: number } | undefined
  const steps: Record<number, () => Promise<void>> = {
    5: () => one.cdp.send('Page.setWebLifecycleState', { state: 'frozen' }),
    15: async () => {
      frozen = (await statusOf(node.data)).neighbours.find(({ peer }) => peer === one.peer)
      await one.cdp.send('Page.setWebLifecycleState', { state: 'active' })
      await lends(one.page)
    },
    25: async () => void process.kill(await rendererOf(browser, other.page), 'SIGKILL'),
    35: async () => void (await lend(other.url)),
    40: () => offline(true),
    50: async () => {
      expect(await view(one.page)).toMatchObject({ state: 'paused', reason: 'offline' })
      await offline(false)
      await lends(one.page)
    },
  }
  const inputs = Array.from({ length: ITEMS }, (_, i) => i)
  const results: unknown[] = []
  const count = fn<(n: number) => number>(path)
  for await (const item of mesh.map(count, inputs, { verify: 'none', unordered: true })) {
    results[item.index] = item.ok ? item.value : item.error
    await steps[results.filter((one) => one !== undefined).length]?.()
  }
  expect(results).toEqual(inputs.map(counted))
  // It said goodbye, and the one that was killed could not.
  expect(frozen?.slots ?? 0).toBe(0)
  expect(hasLeft(other.peer)).toBe(true)
  // Of one day, over both lives of its peer.
  const { today } = await view(one.page)
  expect(today.tasks).toBeGreaterThan(5)
  expect(today.cpuMs).toBeGreaterThan(10 * today.tasks)
  expect(today.bytes).toBeGreaterThan(500 * today.tasks)
})

test('a second tab of an origin waits, and is the same peer when the first is closed', async () => {
  const first = await lend(servers[0]?.url as string)
  const second = await browser.open(first.url)
  await callIn(second, 'lending.start', node.status.ticket, [node.status.peer])
  await expect.poll(() => view(second), { timeout: 20_000 }).toMatchObject({ reason: 'another-tab' })
  await first.page.close()
  await lends(second)
  expect((await view(second)).peer).toBe(first.peer)
})
