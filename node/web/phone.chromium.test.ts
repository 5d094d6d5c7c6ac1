import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { eventually, settle } from '../../browser-agent/frame/testing/hosts.ts'
import { violationsIn } from '../../scripts/browser/axe.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { lookAs } from '../../scripts/browser/look-as.ts'
import { ensureWeb } from '../../scripts/web/build.ts'
import { connect, fn } from '../sdk.ts'
import { startAgent, statusOf, type TestAgent, until } from '../testing/wayside.ts'

const PHONE = { width: 390, height: 844, touch: true }
const HELLO = new URL('../../examples/hello/hello.ts', import.meta.url)

let browser: RunningBrowser
let agent: TestAgent

beforeAll(async () => {
  await ensureWeb()
  ;[browser, agent] = await Promise.all([
    startBrowser('chromium', { acceptInsecureCerts: true }),
    startAgent(['--phone', '--cpus', '0', '--listen', '/ip4/127.0.0.1/tcp/0/ws'], {
      listen: '/ip4/127.0.0.1/tcp/0/tls/ws',
    }),
  ])
})

afterAll(async () => {
  await browser?.close()
  await agent?.stop()
})

/** Notes what the page is given to keep the screen on. A browser that saves power refuses: this one does while told to. */
const WATCH_LOCKS = `globalThis.locks = []
const request = navigator.wakeLock.request.bind(navigator.wakeLock)
navigator.wakeLock.request = async (kind) => {
  if (globalThis.savesPower) throw new DOMException('no', 'NotAllowedError')
  locks.push(await request(kind))
  return locks.at(-1)
}`

/** In the page: how far the icon for iOS is from the other, as the browser draws that; of 255, for the worst of all pixels. */
const ICONS_DIFFER = `(async () => {
  const draw = async (selector) => {
    const image = new Image()
    image.src = document.querySelector(selector).href
    await image.decode()
    const canvas = new OffscreenCanvas(180, 180).getContext('2d')
    canvas.drawImage(image, 0, 0, 180, 180)
    return [image.width, canvas.getImageData(0, 0, 180, 180).data]
  }
  const [[width, png], [, svg]] = await Promise.all(['[rel=apple-touch-icon]', '[rel=icon]'].map(draw))
  return [width, png.reduce((most, byte, i) => Math.max(most, Math.abs(byte - svg[i])), 0)]
})()`

/** What the QR code leads to, as a phone shows it. */
const openPhone = async (): Promise<Page> => {
  const page = await browser.open('about:blank')
  onTestFinished(() => page.close())
  await page.evaluateOnNewDocument(WATCH_LOCKS)
  await lookAs(page, PHONE)
  await page.goto(agent.status.phone ?? '')
  return page
}

test('a phone is asked in a secure context, on a page of its own that fits it', async () => {
  const page = await openPhone()
  const url = new URL(page.url())
  expect(url.pathname).toBe(new URL(agent.status.phone ?? '').pathname.replace('/phone-', '/lend-'))
  expect(new URLSearchParams(url.hash.slice(1)).get('accept')).toBe(agent.status.peer)
  expect(await page.evaluate('isSecureContext && window === top && typeof crypto.subtle.digest')).toBe('function')
  expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
  expect(await violationsIn(page)).toEqual([])
  const devtools = await page.createCDPSession()
  const { errors, data } = await devtools.send('Page.getAppManifest')
  expect([errors, JSON.parse(data as string).start_url]).toEqual([[], '/lend'])
  expect(await devtools.send('Page.getInstallabilityErrors')).toEqual({ installabilityErrors: [] })
  const [width, most] = (await page.evaluate(ICONS_DIFFER)) as [number, number]
  expect(width).toBe(180)
  // Edges are softened in other ways.
  expect(most).toBeLessThan(80)
  const framed = await browser.open(`${url.origin}/`)
  onTestFinished(() => framed.close())
  expect(await violationsIn(framed)).toEqual([])
  // Without the code an address asks for nothing, whatever it says.
  await framed.goto(`${url.origin}/lend${url.hash}`)
  expect(await framed.evaluate('document.querySelector("main").dataset.state')).toBe('refused')
  await framed.goto(`${url.origin}/`)
  const other = await framed.createCDPSession()
  expect((await other.send('Page.getInstallabilityErrors')).installabilityErrors).not.toEqual([])
  await framed.setContent(`<iframe src="${url.href}"></iframe>`)
  await expect(framed.waitForFrame((frame) => frame.url().includes('/lend-'), { timeout: 500 })).rejects.toThrow()
})

const tap = async (page: Page, selector: string): Promise<void> => {
  const [x, y] = (await page.evaluate(`(() => {
    const { x, y, width, height } = document.querySelector('${selector}').getBoundingClientRect()
    return [x + width / 2, y + height / 2]
  })()`)) as [number, number]
  await page.touchscreen.tap(x, y)
}

test('a tap lends what the phone has, another one ends it', async () => {
  const page = await openPhone()
  // It counts no press before its page has been in front for a second, and says so.
  await eventually('that it begins', async () => {
    await settle()
    await tap(page, '#lend')
    return page.evaluate('document.querySelector("main").dataset.state !== "asking"')
  })
  const badge = (text: string) =>
    page.waitForFunction(`document.querySelector('.badge')?.innerText.startsWith('${text}')`)
  // What a browser does not tell of a phone counts against lending, until its owner says otherwise.
  await badge('Paused\\nthis network may cost money')
  await tap(page, 'label:nth-of-type(4) input')
  await badge('Lending')
  await until(async () => (await statusOf(agent.data)).neighbours.some(({ free }) => free > 0))
  const mesh = await connect({ data: agent.data })
  onTestFinished(() => mesh.close())
  const options = { verify: 'none', remote: true } as const
  expect(await mesh.call(fn<(input: object) => object>(HELLO), { name: 'phone' }, options)).toEqual({
    text: 'Hello, phone',
  })
  await page.waitForFunction('document.querySelector("#panel").innerText.includes("Tasks done\\n1")')
  expect(await violationsIn(page)).toEqual([])
  await page.evaluate('globalThis.savesPower = true')
  await tap(page, '.screen')
  await page.waitForFunction(
    'document.querySelector(".screen ~ span").innerText.includes("does not keep the screen on")',
  )
  await page.evaluate('globalThis.savesPower = false')
  for (let press = 0; press < 2; press++) await tap(page, '.screen')
  await page.waitForFunction('locks.length === 1 && !locks[0].released')
  expect(await violationsIn(page)).toEqual([])
  // Installed, it begins without being asked, and without the code.
  const installed = await browser.open(`${new URL(page.url()).origin}/lend`)
  onTestFinished(() => installed.close())
  await installed.waitForSelector('.badge')
  await installed.close()
  await page.bringToFront()
  await tap(page, '.stop')
  await page.waitForFunction('locks[0].released')
  expect(await page.evaluate('document.querySelector("main").innerText')).toContain('Stopped. Nothing runs.')
  await until(async () => (await statusOf(agent.data)).neighbours.length === 0)
})

test('over plain http it says why it cannot lend', async () => {
  const { origins = [] } = agent.status.web ?? {}
  const plain = origins.find((origin) => origin.startsWith('http:')) ?? ''
  const page = await browser.open(plain + new URL(agent.status.phone ?? '').pathname)
  onTestFinished(() => page.close())
  expect(await page.evaluate('document.body.innerText')).toContain('over https only')
  expect(new URL(page.url()).hash).toBe('')
  expect(await violationsIn(page)).toEqual([])
})
