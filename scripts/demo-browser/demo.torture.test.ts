import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agree, eventually, frameOf, lendInUse } from '../../browser-agent/frame/testing/hosts.ts'
import { encodeValue } from '../../protocol/values.ts'
import { outcomeOf, runOf, valueIn, wasm } from '../../sandbox/fixture.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { violationsIn } from '../browser/axe.ts'
import { type RunningBrowser, startBrowser } from '../browser/launch.ts'
import { lookAs } from '../browser/look-as.ts'
import { type RunningDemo, startDemo } from './demo.ts'
import { HEIGHT, placeTile, TILES, tileInput, WIDTH } from './picture.ts'

const RAYS = 1

let browser: RunningBrowser
let demo: RunningDemo

beforeAll(async () => {
  // With one agent alone nothing is verified: the picture begins with the first tab.
  ;[browser, demo] = await Promise.all([
    startBrowser('chromium'),
    startDemo({ agents: 1, port: 0, phone: false, rays: RAYS, restMs: 600_000 }),
  ])
})

afterAll(async () => {
  await Promise.all([browser?.close(), demo?.stop()])
})

/** The same picture, by the sandbox in this process alone. */
const renderHere = async (): Promise<Uint8Array> => {
  const { code, tier } = await bundle(new URL('../../examples/raytracer/part.as.ts', import.meta.url))
  const sandbox = createSandbox({ wasm })
  const limits = { fuel: 1e10, memory_bytes: 64 * 1024 * 1024, output_bytes: 4 * 1024 * 1024 }
  sandbox.load('part', code, limits.memory_bytes, { tier, modules: [] })
  const rgb = new Uint8Array(3 * WIDTH * HEIGHT)
  for (let index = 0; index < TILES; index++) {
    const run = { ...runOf(), exportName: 'part', input: encodeValue(tileInput(0, index, RAYS)), limits }
    placeTile(rgb, index, valueIn(outcomeOf(sandbox.run('part', run).result)) as Uint8Array)
  }
  return rgb
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** What is on the canvas, without its opacity. */
const SHOWN = `(async () => {
  const { data } = document.getElementById('picture').getContext('2d').getImageData(0, 0, ${WIDTH}, ${HEIGHT})
  const rgb = data.filter((_, i) => i % 4 !== 3)
  const digest = await crypto.subtle.digest('SHA-256', rgb)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
})()`

/** How much of the page is cut off at the side. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

/** A visitor who agrees, and does not wait to be away. */
const visit = async (url: string): Promise<Page> => {
  const page = await browser.open('about:blank')
  await lookAs(page, {})
  await page.goto(url)
  const frame = await frameOf(page)
  await eventually('the question, in the room that it needs', () =>
    frame.evaluate('innerHeight > document.querySelector("main").clientHeight'),
  )
  await agree(page, frame)
  await lendInUse(page, frame)
  return page
}

test('two tabs and an agent paint the picture, and the page says whose each tile is', async () => {
  const page = await visit(demo.url)
  // Tabs of one site are one peer.
  await visit(demo.url.replace('127.0.0.1', 'localhost'))
  await page.bringToFront()
  const done = `document.getElementById('state').textContent.includes('is done in')`
  await page.waitForFunction(done, { timeout: 60_000, polling: 100 })
  const here = await renderHere()
  expect(hashOf(demo.show.rgb)).toBe(hashOf(here))
  expect(await page.evaluate(SHOWN)).toBe(hashOf(here))
  const labels = (await page.evaluate(
    `[...document.querySelectorAll('[role=gridcell]')].map((cell) => cell.getAttribute('aria-label'))`,
  )) as string[]
  expect(labels).toHaveLength(TILES)
  const whose = /^Row \d+, column \d+: computed by (tab|agent) \d, checked by (tab|agent) \d$/
  expect(labels.filter((label) => !whose.test(label))).toEqual([])
  for (const name of ['tab 1', 'tab 2', 'agent 1']) expect(labels.join()).toContain(`by ${name}`)
  const nodes = demo.mesh.nodes()
  expect(nodes.map(({ name }) => name)).toEqual(['this demo', 'agent 1', 'tab 1', 'tab 2'])
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)
  expect(sum(nodes.map(({ computed }) => computed))).toBe(TILES)
  expect(sum(nodes.map(({ verified }) => verified))).toBe(TILES)

  await page.focus('[role=gridcell]')
  await page.keyboard.press('ArrowDown')
  const card = (await page.evaluate(`document.getElementById('card').innerText`)) as string
  expect(card).toMatch(/^computed by (tab|agent) \d\s+checked by (tab|agent) \d$/)
  expect(await violationsIn(page)).toEqual([])
  await lookAs(page, { width: 360, height: 740, touch: true, scheme: 'dark' })
  expect(await page.evaluate(OVERFLOW)).toBe(0)
  expect(await violationsIn(page)).toEqual([])
})
