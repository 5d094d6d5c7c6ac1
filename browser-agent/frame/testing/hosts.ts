/** A site and the host of a mesh, two origins on this machine, and what tests do with the frame in between. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Frame, Page } from 'puppeteer-core'
import type { RunningBrowser } from '../../../scripts/browser/launch.ts'
import { HTML, type PageFile, type PageServer, servePage } from '../../../scripts/browser/page-server.ts'
import { ensureWeb, WEB_FOLDER, type WebManifest } from '../../../scripts/web/build.ts'
import { SETTLED_MS } from '../press.ts'

export const ACCEPT = '12D3KooWEYbqBJmRcjtc6ucp9pQkAdgUzVxRTJfWfZDcHNG3LxHF'
export const MESH = `wayside1${'abcdefgh'.repeat(20)}`
export const REASON = 'Helps render our open map'

export interface TwoHosts {
  site: PageServer
  /** Of the mesh host. */
  host: PageServer
  manifest: WebManifest
  /** By path, of each: tests change what is there. */
  siteFiles: Record<string, PageFile>
  hostFiles: Record<string, PageFile>
  /** The tag as a site's owner copies it, with other attributes if wanted. */
  tag(attributes?: Record<string, string>): string
  close(): void
}

const asPageFiles = ({ files }: WebManifest): Record<string, PageFile> =>
  Object.fromEntries(
    Object.entries(files).map(([name, { type, headers }]) => [
      `/${name}`,
      { type, body: readFileSync(join(WEB_FOLDER, name)), headers: { 'access-control-allow-origin': '*', ...headers } },
    ]),
  )

export const startTwoHosts = async (): Promise<TwoHosts> => {
  const manifest = await ensureWeb()
  const hostFiles = asPageFiles(manifest)
  const siteFiles: Record<string, PageFile> = {}
  const [site, host] = await Promise.all([servePage(siteFiles), servePage(hostFiles)])
  // Another name, and so another site: browsers keep the two in two processes.
  host.url = host.url.replace('127.0.0.1', 'localhost')
  const tag = (attributes = {}) => {
    const all = Object.entries({ mesh: MESH, accept: ACCEPT, reason: REASON, ...attributes })
    const script = `<script type="module" src="${host.url}/${manifest.loader}" integrity="${manifest.integrity}" crossorigin></script>`
    return `${script}<wayside-agent ${all.map(([name, value]) => `${name}="${value}"`).join(' ')}></wayside-agent>`
  }
  const close = () => {
    site.close()
    host.close()
  }
  return { site, host, manifest, siteFiles, hostFiles, tag, close }
}

/** What a page of the site looks like around the tag. */
export const sitePage = (body: string, headers: Record<string, string> = {}): PageFile => ({
  type: HTML,
  body: `<!doctype html><html lang="en"><title>A site</title><link rel="icon" href="data:,">${body}`,
  headers,
})

/** However busy the machine is. */
const GUARD_MS = 60_000

/** Waits until `probe` gives something, and gives that. */
export const eventually = async <T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  const endAt = performance.now() + GUARD_MS
  for (;;) {
    const found = await Promise.resolve()
      .then(probe)
      .catch(() => undefined)
    if (found !== undefined && found !== false) return found
    if (performance.now() > endAt) throw new Error(`never seen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const frameOf = (page: Page, index = 0): Promise<Frame> =>
  eventually('the frame', () => page.frames().filter((frame) => /wayside-frame-\w+\.html/.test(frame.url()))[index])

export const stateOf = async (frame: Frame): Promise<string> =>
  (await frame.evaluate('document.querySelector("main").dataset.state')) as string

export const noteOf = async (frame: Frame): Promise<string> =>
  (await frame.evaluate('document.getElementById("note")?.textContent')) as string

/** Where the middle of `selector` in the frame is in the page. The element's root is open. */
export const placeOf = async (page: Page, frame: Frame, selector: string): Promise<{ x: number; y: number }> => {
  const inner = `(() => {
    const { x, y, width, height } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect()
    return [x + width / 2, y + height / 2]
  })()`
  const [x, y] = (await frame.evaluate(inner)) as [number, number]
  const outer = (await page.evaluate(`(() => {
    const frame = document.querySelector('wayside-agent')?.shadowRoot.querySelector('iframe') ?? document.querySelector('iframe')
    const { x, y } = frame.getBoundingClientRect()
    return [x, y]
  })()`)) as [number, number]
  return { x: outer[0] + x, y: outer[1] + y }
}

export const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLED_MS + 150))

/**
 * Presses `selector` in the frame, where `find` sees it, until the frame has heard a press: those to a frame that has
 * moved or grown just now browsers keep from it, or send to the page around it.
 */
export const press = async (page: Page, frame: Frame, selector = '#lend', find = placeOf): Promise<void> => {
  const target = `document.querySelector(${JSON.stringify(selector)})`
  await frame.evaluate(
    `${target}.addEventListener('click', () => { globalThis.heard = true }, { capture: true, once: true }), globalThis.heard = false`,
  )
  await eventually(`a press of ${selector}`, async () => {
    const { x, y } = await find(page, frame, selector)
    await page.mouse.move(x - 1, y)
    await page.mouse.move(x, y)
    if (!(await frame.evaluate(`${target}.matches(':hover')`))) return undefined
    await page.mouse.click(x, y)
    // A frame that is gone has heard it.
    return frame.evaluate('heard').catch(() => true)
  })
}

/** By CDP: over BiDi an evaluation in a window that a frame opened never answers. */
export const evaluateIn = async <T>(opened: Page, expression: string): Promise<T> => {
  const session = await opened.createCDPSession()
  const { result } = await session.send('Runtime.evaluate', { expression, returnByValue: true })
  await session.detach()
  return result.value as T
}

const hashOf = (opened: Page): Promise<string> =>
  evaluateIn<string>(opened, 'location.hash').catch(() => new URL(opened.url()).hash)

/** The windows that ask. In Chromium they are asked themselves where they are: over BiDi the news of it can be missed. */
export const windowsOf = async (page: Page): Promise<Page[]> => {
  const others = (await page.browser().pages()).filter((one) => one !== page)
  const hashes = await Promise.all(others.map((one) => hashOf(one)))
  return others.filter((_, i) => hashes[i]?.includes('step='))
}

/** The window that the frame has opened, once its script has run. */
export const windowOf = async (page: Page): Promise<Page> => {
  const asking = await eventually('the window that asks', async () => (await windowsOf(page))[0])
  await eventually('its document', () => evaluateIn(asking, 'document.readyState === "complete" || undefined'))
  return asking
}

const CENTRE_OF_LEND = `(() => {
  const { x, y, width, height } = document.getElementById('lend').getBoundingClientRect()
  return [x + width / 2, y + height / 2]
})()`

/** Agrees as a person does: a press in the frame, and one in the window that it opens. */
export const agree = async (page: Page, frame: Frame): Promise<void> => {
  await press(page, frame)
  await agreeIn(await windowOf(page))
}

/** Presses in the window, after a look at it, until it has closed: it counts no press while it has just come to the front. */
export const agreeIn = async (asking: Page): Promise<void> => {
  const session = await asking.createCDPSession()
  const ask = async <T>(expression: string) =>
    (await session.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })).result.value as T
  const stays = async () => {
    await settle()
    const [x, y] = await ask<[number, number]>(CENTRE_OF_LEND)
    const at = { x, y, button: 'left', clickCount: 1 } as const
    await session.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...at })
    await session.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...at })
    return ask<boolean>('new Promise((resolve) => setTimeout(resolve, 100, true))')
  }
  while (await stays().catch(() => false));
}

/** It has read what is asked, and has the room that it needs. */
export const HAS_ROOM = `(document.getElementById('site')?.textContent !== '' &&
  innerHeight > document.querySelector('main').getBoundingClientRect().height - 1) || undefined`

/** Chromium hands no press to a frame that has moved or grown in the last half of a second. */
export const standStill = () => new Promise((resolve) => setTimeout(resolve, 600))

/** Opens the site's page `path` and waits for the control's question, and until it hears presses. */
export const openSite = async (browser: RunningBrowser, hosts: TwoHosts, path: string): Promise<[Page, Frame]> => {
  const page = await browser.open(hosts.site.url + path)
  const frame = await frameOf(page)
  // A press would miss a button that is still moving, and a script that has not run hears none.
  await eventually(
    'the question, in the room that it needs',
    () => frame.evaluate(HAS_ROOM) as Promise<boolean | undefined>,
  )
  await standStill()
  return [page, frame]
}

export const textOf = async (frame: Frame, selector: string): Promise<string> =>
  (await frame.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)) as string

/** Waits until the badge says all of `words`. */
export const badgeSays = async (frame: Frame, ...words: string[]): Promise<void> => {
  let text = ''
  const says = async () => {
    text = await textOf(frame, '.badge > div')
    return words.every((word) => text.includes(word)) || undefined
  }
  await eventually('', says).catch(() => {
    throw new Error(`the badge says “${text}”, not “${words.join(' ')}”`)
  })
}

/** In the panel of a badge that is in place: lends while the page is in use as well. */
export const lendInUse = async (page: Page, frame: Frame): Promise<void> => {
  await badgeSays(frame, 'Paused', 'while you use the page')
  await standStill()
  await press(page, frame, '.more')
  await eventually('the panel, in the room that it needs', () =>
    frame.evaluate('innerHeight > document.getElementById("panel").clientHeight'),
  )
  await standStill()
  await press(page, frame, '#panel input[type=checkbox]')
  await badgeSays(frame, 'Lending')
}
