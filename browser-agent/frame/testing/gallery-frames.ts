/** The frames of a gallery that is open in a browser. */
import type { Frame, Page } from 'puppeteer-core'
import type { Gallery } from './gallery.ts'
import { eventually } from './hosts.ts'

/** A window has its own size, and scrolls. */
const HAS_ROOM = `(() => {
  const main = document.querySelector('main')
  return document.readyState === 'complete' && ('alone' in main.dataset || innerHeight > main.clientHeight)
})()`

const nameOf = async (frame: Frame): Promise<string> => {
  const element = await frame.frameElement()
  return String(await element?.evaluate(({ title }) => title))
}

/** Opens the states of `path` in `page`; resolves to each by its name, once it has the room that it asked for. */
export const openStates = async (page: Page, gallery: Gallery, path = ''): Promise<[string, Frame][]> => {
  await page.goto(gallery.url + path)
  const frames = await eventually('the states, in the room that they asked for', async () => {
    const [, ...inner] = page.frames()
    const roomy = await Promise.all(inner.map((frame) => frame.evaluate(HAS_ROOM)))
    const isThere = inner.length === (await page.evaluate('document.querySelectorAll("iframe").length'))
    return isThere && roomy.every(Boolean) ? inner : undefined
  })
  return Promise.all(frames.map(async (frame): Promise<[string, Frame]> => [await nameOf(frame), frame]))
}
