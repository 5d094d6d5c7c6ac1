/** The page of a report, opened as a file, draws each plot and the map, and keeps still for who wants that. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Pictures } from '../../../simulations/pictures/pictures.ts'
import { SCENARIOS, type Scenario } from '../../../simulations/scenarios.ts'
import { violationsIn } from '../../browser/axe.ts'
import { type RunningBrowser, startBrowser } from '../../browser/launch.ts'
import { lookAs } from '../../browser/look-as.ts'
import { seedFor } from '../../test/seed.ts'
import { machine } from '../machine.ts'
import { writeReport } from './report.ts'

/** Of each scenario, so that it takes no second. */
const PEERS: Readonly<Record<string, number>> = {
  ...{ routing: 6, audit: 4, loss: 5, short: 5, 're-entry': 10 },
  ...{ 'large-routing': 200, 'large-partition': 40, 'large-discovery': 200, 'large-day': 40 },
}

let browser: RunningBrowser

beforeAll(async () => {
  browser = await startBrowser('chromium')
})

afterAll(() => browser?.close())

/** Of a run of a scenario: its address, and what it has to draw. */
const reportOf = async (name: string): Promise<{ url: string; pictures: Pictures }> => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { scenario } = await (SCENARIOS[name] as () => Promise<{ scenario: Scenario }>)()
  const setting = { machine, seed: seedFor(name), peers: PEERS[name] ?? scenario.peers }
  const finding = await scenario.run(setting)
  const about = { name, about: scenario.about, commit: 'of a test', command: 'npm test' }
  const file = await writeReport(folder, { ...about, ...setting, ...finding })
  return { url: pathToFileURL(file).href, pictures: finding.pictures as Pictures }
}

/** Of each canvas, in its order, how many pixels have a colour that only what is plotted has. */
const plotted = async (page: Page): Promise<number[]> =>
  (await page.evaluate(`(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d')
    const colours = ['line-1', 'line-2', 'line-3', 'line-4', 'reference'].map((name) => {
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()
      context.fillRect(0, 0, 1, 1)
      return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)].join()
    })
    return Array.from(document.querySelectorAll('canvas'), (canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      let count = 0
      for (let i = 0; i < data.length; i += 4) if (colours.includes(data.slice(i, i + 3).join())) count++
      return count
    })
  })()`)) as number[]

/** Each plot of which there is something to draw, were it one point, and the map. */
const expectDrawn = async (page: Page, { plots, tables, map }: Pictures): Promise<void> => {
  const hasFigures = plots.map(({ table, lines }) =>
    lines.some(({ column }) => tables[table]?.[column]?.some((figure) => Number.isFinite(figure))),
  )
  expect(hasFigures).toContain(true)
  await expect
    .poll(async () => (await plotted(page)).map((pixels) => pixels > 30))
    .toEqual([...hasFigures, ...(map ? [true] : [])])
}

/** That one is looked at more closely. */
const CLOSELY = 'large-routing'
/** Of other worlds, the same pictures: of jobs (`simulations/scenarios/large-jobs.ts`), and of look-ups. */
const DRAWN_LIKE_OTHERS = ['large-inflators', 'large-bursts', 'large-heavy-tails', 'large-maps', 'large-loss']

const others = await Promise.all(
  Object.entries(SCENARIOS).map(async ([name, load]) => ({ name, takesLong: (await load()).scenario.takesLong })),
)
const drawn = others.filter(
  ({ name, takesLong }) => !takesLong && name !== CLOSELY && !DRAWN_LIKE_OTHERS.includes(name),
)

test.each(drawn)('of $name every plot is drawn, and the map if there is one', async ({ name }) => {
  const { url, pictures } = await reportOf(name)
  const page = await browser.open('about:blank')
  await page.goto(url)
  await expectDrawn(page, pictures)
  await page.close()
})

test('all is drawn in light and in dark, and nothing moves for who asked for that', async () => {
  const { url, pictures } = await reportOf(CLOSELY)
  const page = await browser.open('about:blank')
  const errors: unknown[] = []
  page.on('pageerror', (error) => errors.push(error))
  for (const scheme of ['light', 'dark'] as const) {
    await lookAs(page, { scheme, reducedMotion: true })
    await page.goto(url)
    await expectDrawn(page, pictures)
    expect(await violationsIn(page)).toEqual([])
  }
  const map = () => page.evaluate('document.querySelector(".map canvas").toDataURL()')
  const seen = await map()
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
  expect(await map()).toBe(seen)
  await page.evaluate('document.querySelector(".map button").click()')
  await expect.poll(map).not.toBe(seen)
  expect(errors).toEqual([])
  await page.close()
})
