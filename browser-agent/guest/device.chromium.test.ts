/** What real Chromium tells of the device, and what becomes of tabs that share an origin. */
import type { CDPSession, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { HTML } from '../../scripts/browser/page-server.ts'
import { rendererOf } from '../../scripts/browser/renderers.ts'
import type { DeviceState } from './condition.ts'

let served: Awaited<ReturnType<typeof serveEntry>>
let browser: RunningBrowser

beforeAll(async () => {
  served = await serveEntry(new URL('./testing/guest-page.ts', import.meta.url), {
    '/elsewhere': { type: HTML, body: '<!doctype html><title>Elsewhere</title>' },
  })
  browser = await startBrowser('chromium', { isPressed: true })
})
afterAll(async () => {
  await browser.close()
  served.close()
})

const open = async (): Promise<{ page: Page; cdp: CDPSession }> => {
  const page = await browser.open(`${served.url}/`)
  onTestFinished(() => page.close().catch(() => {}))
  return { page, cdp: await page.createCDPSession() }
}
const state = (page: Page) => callIn<DeviceState>(page, 'guest.state')
const toldOf = (page: Page) => expect.poll(() => state(page))

test('a desktop that is plugged in, its page looked at', async () => {
  const { page } = await open()
  await toldOf(page).toMatchObject({ battery: { charging: true, level: 1 } })
  const { idleMs, pressure, ...rest } = await state(page)
  const expected = { visible: true, frozen: false, online: true, handheld: false, saveData: false }
  expect(rest).toEqual({ ...expected, battery: { charging: true, level: 1 } })
})

test('is hidden behind another page, and seen again', async () => {
  const { page } = await open()
  const other = await open()
  await toldOf(page).toMatchObject({ visible: false })
  await other.page.close()
  await page.bringToFront()
  await toldOf(page).toMatchObject({ visible: true })
})

test('is frozen and resumed, where nobody can ask it meanwhile', async () => {
  const { page, cdp } = await open()
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  await cdp.send('Page.setWebLifecycleState', { state: 'active' })
  await expect
    .poll(async () => (await callIn<{ frozen: boolean }[]>(page, 'guest.seen')).map(({ frozen }) => frozen))
    .toEqual(expect.arrayContaining([true, false]))
  await toldOf(page).toMatchObject({ frozen: false })
})

test('is left and come back to', async () => {
  const { page } = await open()
  await callIn(page, 'guest.state')
  await page.goto(`${served.url}/elsewhere`)
  await page.evaluate('history.back()')
  await expect
    .poll(() => callIn<{ frozen: boolean }[]>(page, 'guest.seen').catch(() => []))
    .toEqual(
      expect.arrayContaining([expect.objectContaining({ frozen: true }), expect.objectContaining({ frozen: false })]),
    )
})

test('loses the network and has it again', async () => {
  const { page, cdp } = await open()
  const emulate = (offline: boolean) =>
    cdp.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await emulate(true)
  await toldOf(page).toMatchObject({ online: false })
  await emulate(false)
  await toldOf(page).toMatchObject({ online: true })
})

test('saves data', async () => {
  const { page, cdp } = await open()
  await cdp.send('Emulation.setDataSaverOverride' as never, { dataSaverEnabled: true } as never)
  await toldOf(page).toMatchObject({ saveData: true })
})

test('is touched by a hand', async () => {
  const { page } = await open()
  const idleMs = async () => (await state(page)).idleMs
  await expect.poll(idleMs).toBeGreaterThan(300)
  const movedMs = performance.now()
  await page.mouse.move(50, 50)
  // If it had not been told of the hand, it would be idle for 300 ms more than that.
  await expect.poll(async () => (await idleMs()) - (performance.now() - movedMs)).toBeLessThan(0)
})

test.each<[string, (cdp: CDPSession) => Promise<unknown>]>([
  [
    'a phone that says so',
    (cdp) =>
      cdp.send('Emulation.setUserAgentOverride', {
        userAgent: 'phone',
        userAgentMetadata: {
          ...{ platform: 'Android', platformVersion: '1', architecture: '', model: '', mobile: true },
        },
      }),
  ],
  ['a tablet with nothing but its screen', (cdp) => cdp.send('Emulation.setTouchEmulationEnabled', { enabled: true })],
])('is %s', async (_, emulate) => {
  const { page, cdp } = await open()
  await emulate(cdp)
  await toldOf(page).toMatchObject({ handheld: true })
})

test('is under pressure', async () => {
  const { page, cdp } = await open()
  const send = (method: string, params: object) => cdp.send(method as never, params as never)
  await send('Emulation.setPressureSourceOverrideEnabled', {
    enabled: true,
    source: 'cpu',
    metadata: { available: true },
  })
  await page.reload()
  await send('Emulation.setPressureStateOverride', { source: 'cpu', state: 'critical' })
  await toldOf(page).toMatchObject({ pressure: 'critical' })
  await send('Emulation.setPressureStateOverride', { source: 'cpu', state: 'nominal' })
  await toldOf(page).toMatchObject({ pressure: 'nominal' })
})

test('of three tabs one leads; the next when it is frozen, the next when that is killed, the first again when that closes', async () => {
  const tabs = [await open(), await open(), await open()] as const
  const [first, second, third] = tabs
  const reasons = () => Promise.all([first, third].map(({ page }) => callIn<string | null>(page, 'guest.reason')))
  for (const { page } of tabs) {
    await callIn(page, 'guest.lend')
    await expect.poll(() => callIn(page, 'guest.reason')).not.toBe('frozen')
  }
  const leads = (page: Page) => expect.poll(async () => (await callIn<string[]>(page, 'guest.told')).at(-1))
  await leads(first.page).toBe('lend')
  await expect.poll(() => callIn(second.page, 'guest.reason')).toBe('another-tab')
  await first.cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  await leads(second.page).toBe('lend')
  await first.cdp.send('Page.setWebLifecycleState', { state: 'active' })
  await expect.poll(() => callIn(first.page, 'guest.told')).toEqual(['begin', 'lend', 'withhold', 'end'])
  process.kill(await rendererOf(browser, second.page), 'SIGKILL')
  await leads(third.page).toBe('lend')
  await expect.poll(reasons).toEqual(['another-tab', null])
  await third.page.close()
  await leads(first.page).toBe('lend')
})
