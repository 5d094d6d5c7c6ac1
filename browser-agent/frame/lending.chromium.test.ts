/** A visitor lends through the frame that a real agent serves: agrees, sees, limits, is resumed, stops, and is forgotten. */
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, fn, type Mesh } from '../../node/sdk.ts'
import { startAgent, statusOf, until } from '../../node/testing/wayside.ts'
import { servePage } from '../../scripts/browser/page-server.ts'
import { rendererOf, threadsOf } from '../../scripts/browser/renderers.ts'
import { agree, badgeSays, eventually, MESH, press, stateOf, textOf } from './testing/hosts.ts'
import {
  controlOf,
  functionFile,
  lend,
  pressIn,
  seesLender,
  startVisited,
  type Visited,
  visit,
} from './testing/visitor.ts'

const OTHER_PEER = '12D3KooWEYbqBJmRcjtc6ucp9pQkAdgUzVxRTJfWfZDcHNG3LxHF'
const double = fn<(n: number) => number>(functionFile('double.js', 'export default (n) => n * 2'))
const spin = fn<(n: null) => null>(functionFile('spin.js', 'export default () => { for (;;); }'))
const FAR_FUEL = 1e12
/** A tenth of it is promised. */
const STOP_MS_MAX = 1000

let visited: Visited
let mesh: Mesh

beforeAll(async () => {
  visited = await startVisited()
  mesh = await connect({ data: visited.agent.data })
})
afterAll(async () => {
  await mesh?.close()
  await visited?.close()
})

const open = async (path?: string): Promise<{ page: Page; frame: Frame }> => {
  const opened = await visit(visited, path)
  onTestFinished(() => opened.page.close().catch(() => {}))
  return opened
}

const short = (peer: string) => peer.slice(-8)

const panelTells = (frame: Frame, ...told: (string | RegExp)[]) =>
  eventually(`the panel telling ${told}`, async () => {
    const panel = await textOf(frame, '#panel')
    return told.every((one) => panel.match(one)) || undefined
  })

const WHO = /You are \S+/
const whoIn = async (frame: Frame) => WHO.exec(await textOf(frame, '#panel'))?.[0]

const LIMITS = `[...document.querySelectorAll('fieldset :is(input, select)')].map(({ type, checked, value }) => type === 'checkbox' ? checked : value)`

/** The frame is in the window, above all else, and stays there when the page is scrolled. */
const IN_SIGHT = `(() => {
  const element = document.querySelector('wayside-agent')
  const frame = element.shadowRoot.querySelector('iframe')
  const { left, top, right, bottom } = frame.getBoundingClientRect()
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight &&
    document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === element &&
    getComputedStyle(frame).position === 'fixed'
})()`

/** In the frame: how long after the press the screen says that it is over, in ms. */
const WATCH_STOP = `globalThis.stopping = new Promise((resolve) => {
  document.querySelector('.stop').addEventListener('click', ({ timeStamp }) => {
    const look = () => document.querySelector('main').dataset.state === 'ended'
      ? resolve(performance.now() - timeStamp)
      : requestAnimationFrame(look)
    requestAnimationFrame(look)
  }, { capture: true })
}), 0`

const workersRanMs = (renderer: number): number =>
  threadsOf(renderer)
    .filter(({ name }) => name.startsWith('DedicatedWorker'))
    .reduce((sum, { ranMs }) => sum + ranMs, 0)

test('whoever agrees sees what runs, for whom and since when, and ends it with one press', async () => {
  const { page, frame } = await open()
  const { peer } = visited.agent.status
  await lend(page, frame)
  await badgeSays(frame, 'Lending', short(peer))
  expect(await frame.evaluate('document.querySelector(".badge small").title')).toBe(peer)
  expect(await page.evaluate(IN_SIGHT)).toBe(true)
  await until(() => seesLender(visited))
  const { value, receipt } = await mesh.call(double, 21, { verify: 'none', remote: true, receipt: true })
  expect(value).toBe(42)
  const own = receipt.executors[0] as string
  await panelTells(frame, `You are 12D3…\u2060${short(own)}`, 'Tasks done\n1')
  const renderer = await rendererOf(visited.browser, frame)
  const endless = mesh.call(spin, null, {
    ...{ verify: 'none', remote: true },
    ...{ limits: { fuel: FAR_FUEL }, timeoutMs: 60_000 },
  })
  endless.catch(() => {})
  const told = [
    /spin\s+\d+ s/,
    `for 12D3…\u2060${short(peer)}`,
    /Started at \d\d:\d\d/,
    /Computing\n[1-9]/,
    /Data\n[1-9]/,
  ]
  await panelTells(frame, ...told)
  await frame.evaluate(WATCH_STOP)
  await press(page, frame, '.stop')
  const shownMs = (await frame.evaluate('stopping')) as number
  const ranMs: number[] = []
  for (const ms of [0, 100, 300]) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    ranMs.push(workersRanMs(renderer))
  }
  const [atOnce = 0, soon = 0, later = 0] = ranMs
  const more = [soon - atOnce, later - soon].map((ms) => ms.toFixed(1))
  console.log(
    `said ${shownMs.toFixed(1)} ms after the press; computed ${more[0]} ms in the next 100 ms, ${more[1]} in 300`,
  )
  expect(shownMs).toBeLessThan(STOP_MS_MAX)
  // A half of a core, which is lent, would be 150.
  expect(later - soon).toBeLessThan(75)
  expect(await textOf(frame, 'main')).toContain('Stopped. Nothing runs.')
  await until(async () => (await statusOf(visited.agent.data)).neighbours.length === 0)
  // It was given back, and nobody else is there.
  await expect(endless).rejects.toMatchObject({ code: 'E_PAUSED' })
  await page.reload()
  expect(await stateOf(await controlOf(page))).toBe('asking')
})

test('on the next visit it lends at once, within the limits that were chosen: on this site, for these peers of this mesh', async () => {
  const { page, frame } = await open()
  await lend(page, frame)
  await frame.focus('[type=range]')
  await page.keyboard.press('Home')
  await pressIn(page, frame, 'fieldset label:nth-of-type(4) input')
  const chosen = (await frame.evaluate(LIMITS)) as unknown[]
  expect(chosen.slice(0, 4)).toEqual(['5', false, true, false])
  const peer = await whoIn(frame)
  await page.reload()
  const again = await controlOf(page)
  await badgeSays(again, 'Lending')
  await pressIn(page, again, '.more')
  expect(await again.evaluate(LIMITS)).toEqual(chosen)
  expect(await whoIn(again)).toBe(peer)
  visited.files['/others'] = visited.pageFor({ accept: OTHER_PEER })
  visited.files['/mesh'] = visited.pageFor({ ticket: MESH })
  for (const path of ['/others', '/mesh']) expect(await stateOf((await open(path)).frame)).toBe('asking')
  const other = await servePage(visited.files)
  onTestFinished(() => other.close())
  const site = { ...visited.site, url: other.url.replace('127.0.0.1', 'localhost') }
  const elsewhere = await visit({ ...visited, site })
  expect(await stateOf(elsewhere.frame)).toBe('asking')
  await elsewhere.page.close()
})

test('a badge that the site covers or shrinks pauses it until it is seen again', async () => {
  const { page, frame } = await open()
  await lend(page, frame)
  await until(() => seesLender(visited))
  await page.evaluate(`globalThis.cover = document.createElement('div')
    cover.style.cssText = 'position:fixed;inset:50% 0 0 0;background:#fff;z-index:2147483647;pointer-events:none'
    document.body.append(cover)`)
  await badgeSays(frame, 'Paused', 'hides')
  await until(async () => !(await seesLender(visited)))
  await page.evaluate('cover.remove()')
  await badgeSays(frame, 'Lending')
  await until(() => seesLender(visited))
  const shrink = (to: string) =>
    page.evaluate(`document.querySelector('wayside-agent').style.cssText = 'display:block;${to}'`)
  await shrink('zoom:.2')
  await badgeSays(frame, 'Paused', 'hides')
  await shrink('')
  await badgeSays(frame, 'Lending')
})

test('of two tabs one lends, and the other goes on when the first is closed; stopped in one is stopped in all', async () => {
  const first = await open()
  await lend(first.page, first.frame)
  const second = await open()
  await badgeSays(second.frame, 'Paused', 'another tab')
  await first.page.close()
  await badgeSays(second.frame, 'Lending')
  const third = await open()
  await badgeSays(third.frame, 'Paused', 'another tab')
  await pressIn(third.page, third.frame, '.stop')
  await eventually('its end', async () => (await stateOf(second.frame)) === 'ended' || undefined)
  await until(async () => (await statusOf(visited.agent.data)).neighbours.length === 0)
})

test('two badges of one page stand one above the other, and neither hides the other', async () => {
  const { page, frame } = await open()
  await lend(page, frame)
  const tag = /<wayside-agent.*<\/wayside-agent>/s.exec(String(visited.files['/']?.body))?.[0]
  await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(tag)})`)
  const places = () =>
    page.evaluate(`[...document.querySelectorAll('wayside-agent')].map((element) => {
      const { top, bottom } = element.shadowRoot.querySelector('iframe').getBoundingClientRect()
      const { position } = getComputedStyle(element.shadowRoot.querySelector('iframe'))
      return { top, bottom, position }
    })`) as Promise<{ top: number; bottom: number; position: string }[]>
  await eventually(
    'the second badge',
    async () => (await places()).every(({ position }) => position === 'fixed') || undefined,
  )
  const [first, second] = await places()
  expect(first?.top).toBeGreaterThanOrEqual(second?.bottom ?? 0)
  await pressIn(page, frame, '.more')
  await eventually('room for the panel that was closed', async () => {
    const [first, second] = await places()
    return (first && second && first.bottom - first.top < 100 && first.top - second.bottom === 8) || undefined
  })
  await badgeSays(frame, 'Lending')
  await page.evaluate(`document.querySelector('wayside-agent').remove()`)
  await eventually('the other in its place', async () => {
    const [only] = await places()
    return (only && only.bottom === first?.bottom) || undefined
  })
})

test('whoever is forgotten leaves nothing behind, in any tab, and is asked on the next visit', async () => {
  const first = await open()
  await lend(first.page, first.frame)
  const { page, frame } = await open()
  await badgeSays(frame, 'Paused', 'another tab')
  expect(await frame.evaluate('indexedDB.databases().then((all) => all.length)')).toBe(1)
  await pressIn(page, frame, '.more')
  await pressIn(page, frame, '.forget')
  await pressIn(page, frame, '.erase')
  for (const one of [frame, first.frame])
    await eventually('the end', async () => (await textOf(one, 'main')).includes('All is erased') || undefined)
  expect(await frame.evaluate('indexedDB.databases()')).toEqual([])
  expect(await frame.evaluate('localStorage.length')).toBe(0)
  await page.reload()
  expect(await stateOf(await controlOf(page))).toBe('asking')
})

test('a choice that the browser does not keep counts, and that it is not kept is said', async () => {
  const { page, frame } = await open()
  await lend(page, frame)
  // As the browser's own settings do it.
  await frame.evaluate(`indexedDB.databases().then((all) => Promise.all(all.map(({ name }) =>
    new Promise((resolve) => { indexedDB.deleteDatabase(name).onsuccess = resolve })))).then(() => 0)`)
  await pressIn(page, frame, 'fieldset label:nth-of-type(4) input')
  await panelTells(frame, 'Your choice counts until this page is closed: the storage is closed.')
  expect(((await frame.evaluate(LIMITS)) as unknown[])[3]).toBe(false)
  await badgeSays(frame, 'Lending')
  expect(await textOf(frame, '[role=status]')).toContain('Your choice counts until')
})

test('what another page still has, or the browser does not give away, is not said to be erased before it is', async () => {
  visited.files['/others'] = visited.pageFor({ accept: OTHER_PEER })
  const { page, frame } = await open()
  await lend(page, frame)
  const { frame: other } = await open('/others')
  await other.evaluate(`indexedDB.databases().then(([{ name }]) => new Promise((resolve) => {
    indexedDB.open(name).onsuccess = ({ target }) => { globalThis.held = target.result; resolve(0) }
  }))`)
  const forget = async (of: Page, control: Frame) => {
    for (const one of ['.forget', '.erase']) await pressIn(of, control, one)
  }
  await forget(page, frame)
  const says = (words: string) =>
    eventually(words, async () => (await textOf(frame, 'main')).includes(words) || undefined)
  await says('Another tab still has it')
  await other.evaluate('held.close()')
  await says('All is erased')
  await page.bringToFront()
  await page.reload()
  const again = await controlOf(page)
  await lend(page, again)
  await again.evaluate(`IDBFactory.prototype.deleteDatabase = () => { throw new Error('the disk is not there') }, 0`)
  await forget(page, again)
  await eventually(
    'that it failed',
    async () =>
      (await textOf(again, 'main')).includes('Not all could be put away: the disk is not there.') || undefined,
  )
})

test('a visitor whose agreement led nowhere is asked on the next visit', async () => {
  const lost = await startAgent([], { listen: '/ip4/127.0.0.1/tcp/0/ws' })
  await lost.stop()
  visited.files['/lost'] = visited.pageFor({ ticket: lost.status.ticket ?? '' })
  const { page, frame } = await open('/lost')
  await agree(page, frame)
  await badgeSays(frame, 'Joining', 'nothing answers at /ip4/127.0.0.1/tcp/')
  await page.reload()
  expect(await stateOf(await controlOf(page))).toBe('asking')
})

test('an agent that is gone is said to be, and lent to again when it is back', async () => {
  const { page, frame } = await open()
  await lend(page, frame)
  const { agent } = visited
  await agent.stop()
  await badgeSays(frame, 'Joining', 'nobody of the mesh can be reached; it is tried again')
  const port = new URL(agent.status.web?.origins[0] ?? '').port
  await startAgent(['--cpus', '0'], { data: agent.data, listen: `/ip4/127.0.0.1/tcp/${port}/ws` })
  await badgeSays(frame, 'Lending')
  await until(() => seesLender(visited))
})
