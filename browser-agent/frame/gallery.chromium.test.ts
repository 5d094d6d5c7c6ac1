/** The control in each of its states: it keeps nobody out, and it fits. */
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violationsIn } from '../../scripts/browser/axe.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import { type Look, lookAs } from '../../scripts/browser/look-as.ts'
import { type Gallery, serveGallery } from './testing/gallery.ts'
import { openStates } from './testing/gallery-frames.ts'

let browser: RunningBrowser
let gallery: Gallery

beforeAll(async () => {
  ;[browser, gallery] = await Promise.all([startBrowser('chromium'), serveGallery()])
})

afterAll(async () => {
  await browser?.close()
  gallery?.close()
})

const openGallery = async (look: Look): Promise<[Page, [string, Frame][]]> => {
  const page = await browser.open('about:blank')
  await lookAs(page, look)
  return [page, await openStates(page, gallery)]
}

/** That `check` finds nothing in any state. */
const expectNothingIn = async (
  frames: readonly [string, Frame][],
  check: (frame: Frame) => Promise<unknown>,
): Promise<void> => {
  const found: unknown[] = []
  for (const [name, frame] of frames) found.push([name, await check(frame)])
  expect(found).toEqual(frames.map(([name]) => [name, []]))
}

/** Others differ in their words alone. */
const UNALIKE = [
  ...['refused', 'window', 'asked', 'not now', 'starting', 'lending', 'paused: in-use', 'failed'],
  ...['panel', 'panel: forget?', 'stopped'],
]

test('axe finds nothing in any state, and no contrast too low in the dark', async () => {
  const [page, all] = await openGallery({ scheme: 'light' })
  const frames = all.filter(([name]) => UNALIKE.includes(name))
  expect(frames).toHaveLength(UNALIKE.length)
  await expectNothingIn(frames, (frame) => violationsIn(frame))
  await lookAs(page, { scheme: 'dark' })
  expect(await page.evaluate('matchMedia("(prefers-color-scheme: dark)").matches')).toBe(true)
  await expectNothingIn(frames, (frame) => violationsIn(frame, ['color-contrast']))
  await page.close()
})

/** What is cut off at a side, and what is too small for a finger. */
const MISFITS = `(() => {
  const { scrollWidth } = document.documentElement
  const small = [...document.querySelectorAll('a, button, select, label')].filter((element) => {
    const { height, width } = element.getBoundingClientRect()
    return height > 0 && (height < 44 || width < 44)
  })
  const wide = [...document.querySelectorAll('main *')].filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow === 'visible' && getComputedStyle(element).display !== 'inline')
  return [...(scrollWidth > innerWidth ? [scrollWidth] : []), ...[...small, ...wide].map(({ outerHTML }) => outerHTML)]
})()`

test('on a phone of 320 pixels nothing is cut off, and a finger finds everything', async () => {
  const [page, frames] = await openGallery({ width: 320, height: 640, touch: true })
  await expectNothingIn(frames, (frame) => frame.evaluate(MISFITS))
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
  await page.close()
})

const FOCUSED = `(() => {
  const at = document.activeElement
  return at.getAttribute('aria-label') || (at.labels?.[0] ?? at).textContent
})()`

test('the keyboard reaches all of it in the order of what is seen, and Escape closes the panel', async () => {
  const page = await browser.open(gallery.alone('lending'))
  await page.evaluate('document.querySelector(".more").click()')
  const order: unknown[] = []
  const tab = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await page.keyboard.press('Tab')
      order.push(await page.evaluate(FOCUSED))
    }
  }
  await tab(2)
  expect(order.splice(0)).toEqual(['Details', 'Stop'])
  await page.evaluate('document.querySelector(".more").focus()')
  await page.keyboard.press('Enter')
  await tab(8)
  expect(order).toEqual([
    'Stop',
    expect.stringContaining('Share of CPU'),
    expect.stringContaining('Only while this page is hidden'),
    'Only on power',
    'Only on unmetered networks',
    expect.stringContaining('Computing a day'),
    expect.stringContaining('Data a day'),
    'Forget everything…',
  ])
  await page.keyboard.press('Enter')
  expect(await page.evaluate(FOCUSED)).toBe('Keep')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(FOCUSED)).toBe('Forget everything…')
  await page.keyboard.press('Escape')
  expect(await page.evaluate(FOCUSED)).toBe('Details')
  expect(await page.evaluate('document.getElementById("panel").hidden')).toBe(true)
  await page.close()
})

test('what is read out by itself: that it lends, once, and no pause', async () => {
  const page = await browser.open(gallery.alone('joining'))
  const spoken = async (state: string) => {
    await page.evaluate(`gallery.show(${JSON.stringify(state)})`)
    return page.evaluate('[...document.querySelectorAll("[role=status], [aria-live]")].map((one) => one.textContent)')
  }
  expect(await spoken('lending')).toEqual(['Wayside: Lending'])
  // It would be read out again if its text were set anew.
  await page.evaluate(`new MutationObserver(() => { globalThis.again = true })
    .observe(document.querySelector('[role=status]'), { childList: true, characterData: true, subtree: true })`)
  await spoken('paused: in-use')
  await spoken('lending')
  expect(await page.evaluate('globalThis.again')).toBeUndefined()
  expect(await spoken('failed')).toEqual([expect.stringContaining('Not lending (the ticket')])
  await page.close()
})
