/** How somebody looks at a page: Chromium alone can be told. */
import type { Page } from 'puppeteer-core'

export interface Look {
  /** CSS pixels. */
  width?: number
  height?: number
  /** A finger instead of a mouse. */
  touch?: boolean
  scheme?: 'light' | 'dark'
  /** The system's own few colours. */
  forcedColors?: boolean
  reducedMotion?: boolean
}

/** Holds for as long as the page is there, also when it goes elsewhere; frames of other sites do not see it. */
export const lookAs = async (page: Page, look: Look): Promise<void> => {
  const { width = 1280, height = 900, touch = false, scheme = 'light', forcedColors, reducedMotion } = look
  const session = await page.createCDPSession()
  await session.send('Emulation.setDeviceMetricsOverride', {
    ...{ width, height, mobile: touch },
    deviceScaleFactor: touch ? 2 : 1,
  })
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: touch })
  await session.send('Emulation.setEmulatedMedia', {
    features: [
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'forced-colors', value: forcedColors ? 'active' : 'none' },
      { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
    ],
  })
}

/** All that the page has in its window, as WebP: what is below that is not painted in frames. */
export const pictureOf = async (page: Page): Promise<Uint8Array> => {
  const session = await page.createCDPSession()
  const [width, height] = (await page.evaluate(
    '[innerWidth, Math.min(innerHeight, document.body.getBoundingClientRect().bottom + 16)]',
  )) as [number, number]
  const clip = { x: 0, y: 0, width, height, scale: 1 }
  const { data } = await session.send('Page.captureScreenshot', { clip, format: 'webp', quality: 85 })
  await session.detach()
  return Buffer.from(data, 'base64')
}
