/** A site whose visitors lend, the real agent that it got its tag from, and what a visitor does in the control. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Frame, Page } from 'puppeteer-core'
import { freshDirectory, startAgent, statusOf, type TestAgent } from '../../../node/testing/wayside.ts'
import { embedTag } from '../../../node/web/tag.ts'
import { type RunningBrowser, startBrowser } from '../../../scripts/browser/launch.ts'
import { type PageFile, type PageServer, servePage } from '../../../scripts/browser/page-server.ts'
import { ensureWeb } from '../../../scripts/web/build.ts'
import { agree, badgeSays, eventually, frameOf, HAS_ROOM, REASON, sitePage, stateOf } from './hosts.ts'

export interface Visited {
  browser: RunningBrowser
  /** It lends nothing itself. */
  agent: TestAgent
  site: PageServer
  /** Of the site, by path: `/` has the tag. */
  files: Record<string, PageFile>
  /** A page of the site with the tag, of other attributes if wanted. */
  pageFor(attributes?: { ticket?: string; accept?: string }): PageFile
  close(): Promise<void>
}

export const startVisited = async (): Promise<Visited> => {
  await ensureWeb()
  const files: Record<string, PageFile> = {}
  const [browser, agent, site] = await Promise.all([
    startBrowser('chromium'),
    startAgent(['--cpus', '0'], { listen: '/ip4/127.0.0.1/tcp/0/ws' }),
    servePage(files),
  ])
  // Another site than the agent's, to browsers too.
  site.url = site.url.replace('127.0.0.1', 'localhost')
  const { web, ticket, peer } = agent.status
  if (!web || !ticket) throw new Error('the agent serves no pages')
  const [origin = ''] = web.origins
  const pageFor = (attributes = {}) => {
    const tag = embedTag(web, { origin, ticket, accept: peer, reason: REASON, ...attributes })
    return sitePage(`<body style="margin:20px">${tag}<p>Text of the site</p>`)
  }
  files['/'] = pageFor()
  const close = async () => {
    await browser.close()
    site.close()
  }
  return { browser, agent, site, files, pageFor, close }
}

export const functionFile = (name: string, code: string): string => {
  const path = join(freshDirectory(), name)
  writeFileSync(path, code)
  return path
}

/** By the keyboard: Chromium hands no press of the mouse to a frame that has moved or grown within half a second. */
export const pressIn = async (page: Page, frame: Frame, selector: string): Promise<void> => {
  await frame.focus(selector)
  await page.keyboard.press(' ')
}

/** Opens the site's page `path`; resolves once its control asks, or lends as before. */
export const visit = async ({ browser, site }: Visited, path = '/'): Promise<{ page: Page; frame: Frame }> => {
  const page = await browser.open(site.url + path)
  return { page, frame: await controlOf(page) }
}

/** Of a page that was opened, or loaded again. */
export const controlOf = async (page: Page): Promise<Frame> => {
  return eventually('the control', async () => {
    const frame = await frameOf(page)
    return (await frame.evaluate(HAS_ROOM)) && (await stateOf(frame)) !== 'starting' ? frame : undefined
  })
}

/** Agrees, if asked, and lends also while the page is used. The panel is open then. */
export const lend = async (page: Page, frame: Frame): Promise<void> => {
  if ((await stateOf(frame)) === 'asking') {
    await agree(page, frame)
    await eventually('the badge', async () => (await stateOf(frame)) === 'lending' || undefined)
  }
  await pressIn(page, frame, '.more')
  if (await frame.evaluate(`document.querySelector('fieldset [type=checkbox]').checked`))
    await pressIn(page, frame, 'fieldset [type=checkbox]')
  await badgeSays(frame, 'Lending')
}

/** The agent of the mesh sees a lender with room, or does not. */
export const seesLender = async ({ agent }: Visited): Promise<boolean> =>
  (await statusOf(agent.data)).neighbours.some(({ free }) => free > 0)
