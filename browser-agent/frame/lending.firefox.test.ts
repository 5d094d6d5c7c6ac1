/** Lending through the frame in Firefox: a site, an agent that serves the control, and a visitor who presses. */
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, fn } from '../../node/sdk.ts'
import { startAgent, statusOf, type TestAgent, until } from '../../node/testing/wayside.ts'
import { embedTag } from '../../node/web/tag.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { type PageServer, servePage } from '../../scripts/browser/page-server.ts'
import { ensureWeb } from '../../scripts/web/build.ts'
import { eventually, frameOf, lendInUse, press, REASON, settle, sitePage, windowsOf } from './testing/hosts.ts'

const HELLO = new URL('../../examples/hello/hello.ts', import.meta.url)

let browser: RunningBrowser
let agent: TestAgent
let site: PageServer

beforeAll(async () => {
  await ensureWeb()
  ;[browser, agent] = await Promise.all([
    startBrowser('firefox'),
    startAgent(['--cpus', '0'], { listen: '/ip4/127.0.0.1/tcp/0/ws' }),
  ])
  const { web, ticket, peer } = agent.status
  const tag = web && embedTag(web, { origin: web.origins[0] ?? '', ticket: ticket ?? '', accept: peer, reason: REASON })
  // Another port: an origin of its own, but of the same site, since Firefox hands a driver's presses to no frame of others.
  site = await servePage({ '/': sitePage(`<body style="margin:20px">${tag}`) })
})

afterAll(async () => {
  await browser?.close()
  site?.close()
})

const openSite = async (): Promise<[Page, Frame]> => {
  const page = await browser.open(site.url)
  onTestFinished(() => page.close())
  const frame = await frameOf(page)
  await eventually('the question, in the room that it needs', async () =>
    frame.evaluate('innerHeight > document.querySelector("main").clientHeight'),
  )
  return [page, frame]
}

test('two presses lend, one ends it', async () => {
  const [page, frame] = await openSite()
  await press(page, frame)
  await eventually('the end of the window that asks, which counts no press before a second has passed', async () => {
    await settle()
    const [asking] = await windowsOf(page)
    await asking?.click('#lend').catch(() => {})
    return asking === undefined || undefined
  })
  await lendInUse(page, frame)
  await until(async () => (await statusOf(agent.data)).neighbours.some(({ free }) => free > 0))
  const mesh = await connect({ data: agent.data })
  onTestFinished(() => mesh.close())
  const options = { verify: 'none', remote: true } as const
  const greeting = await mesh.call(fn<(input: object) => object>(HELLO), { name: 'Firefox' }, options)
  expect(greeting).toEqual({ text: 'Hello, Firefox' })
  await press(page, frame, '.stop')
  expect(await frame.evaluate('document.querySelector("main").innerText')).toContain('Stopped. Nothing runs.')
  await until(async () => (await statusOf(agent.data)).neighbours.length === 0)
})
