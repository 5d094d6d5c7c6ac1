/** The tag in pages of many kinds: under a strict policy, put there by a script, twice, moved. */
import { readFileSync } from 'node:fs'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import {
  agreeIn,
  evaluateIn,
  eventually,
  noteOf,
  openSite,
  press,
  sitePage,
  startTwoHosts,
  stateOf,
  type TwoHosts,
  windowsOf,
} from '../frame/testing/hosts.ts'

let browser: RunningBrowser
let hosts: TwoHosts

beforeAll(async () => {
  ;[browser, hosts] = await Promise.all([startBrowser('chromium'), startTwoHosts()])
})

afterAll(async () => {
  await browser?.close()
  hosts?.close()
})

/** As docs/EMBED.md has it. */
const documentedPolicy = (): string => {
  const [, policy = ''] =
    /^(script-src .*)$/m.exec(readFileSync(new URL('../../docs/EMBED.md', import.meta.url), 'utf8')) ?? []
  return policy.replaceAll('https://AGENT', hosts.host.url)
}

const windowOf = async (page: Page): Promise<Page> => {
  const asking = await eventually('the window that asks', async () => (await windowsOf(page))[0])
  await eventually('its document', () => evaluateIn(asking, 'document.readyState === "complete" || undefined'))
  return asking
}

test('the policy of docs/EMBED.md is all that it needs, up to the window; there is one window at a time', async () => {
  hosts.siteFiles['/strict'] = sitePage(hosts.tag(), {
    'content-security-policy': `default-src 'none'; style-src 'none'; ${documentedPolicy()}; require-trusted-types-for 'script'; trusted-types 'none'`,
    'cross-origin-opener-policy': 'same-origin-allow-popups',
  })
  const [page, frame] = await openSite(browser, hosts, '/strict')
  await press(page, frame)
  const asking = await windowOf(page)
  expect(await evaluateIn(asking, 'document.querySelector("main").dataset.state')).toBe('asking')
  expect(await evaluateIn(asking, 'document.getElementById("site").textContent')).toBe(new URL(hosts.site.url).host)
  await press(page, frame)
  await press(page, frame)
  expect(await noteOf(frame)).toBe('Please confirm in the window.')
  expect(await windowsOf(page)).toHaveLength(1)
  await asking.close()
  await page.close()
})

test('a page whose policy cuts off the window: both say so, and nothing starts', async () => {
  hosts.siteFiles['/cut-off'] = sitePage(hosts.tag(), { 'cross-origin-opener-policy': 'same-origin' })
  const [page, frame] = await openSite(browser, hosts, '/cut-off')
  await press(page, frame)
  const asking = await windowOf(page)
  expect(await evaluateIn(asking, 'document.body.innerText')).toContain('by Cross-Origin-Opener-Policy')
  expect(await noteOf(frame)).toContain('If it opened, it says what is wrong.')
  expect(await stateOf(frame)).toBe('asking')
  await asking.close()
  await page.close()
})

test('a site that opens the window itself is told nothing when the visitor agrees there, nor is its frame', async () => {
  const lure = `<button>Play</button><script>
    globalThis.heard = []
    addEventListener('message', ({ data }) => data.wayside || heard.push(data))
    document.querySelector('button').onclick = () => {
      const { src } = document.querySelector('wayside-agent').shadowRoot.querySelector('iframe')
      globalThis.opened = open(src + '&' + new URLSearchParams({ step: 'mine', site: location.origin }), '', 'popup,width=440,height=320')
    }
  </script>`
  hosts.siteFiles['/opener'] = sitePage(hosts.tag() + lure)
  const [page, frame] = await openSite(browser, hosts, '/opener')
  await page.click('button')
  await agreeIn(await windowOf(page))
  await eventually('the end of the window', async () => (await page.evaluate('opened.closed')) || undefined)
  expect(await page.evaluate('heard')).toEqual([])
  expect([await stateOf(frame), await frame.evaluate('localStorage.length')]).toEqual(['asking', 0])
  const { loader, frame: document } = hosts.manifest
  expect(hosts.host.asked.filter((path) => ![`/${loader}`, `/${document}`].includes(path))).toEqual([])
  await page.close()
})

/** Tags in all ways in which pages put them there, each with its way as its reason. */
const manyTags = (): string => {
  const [, script = '', tag = ''] = /^(.*<\/script>)(.*)$/.exec(hosts.tag({ reason: 'REASON' })) ?? []
  const named = (reason: string) => tag.replace('REASON', reason)
  const make = (reason: string) => `make(${JSON.stringify(named(reason))})`
  return `${named('first')}${named('second')}<div id="rest"></div><script>
    const rest = document.getElementById('rest')
    const make = (tag) => {
      const { content } = Object.assign(document.createElement('template'), { innerHTML: tag })
      const element = document.createElement('wayside-agent')
      return { element, set: () => [...content.firstChild.attributes].map(({ name, value }) => element.setAttribute(name, value)) }
    }
    const before = ${make('made before the loader ran')}
    before.set()
    rest.append(before.element)
    addEventListener('load', () => {
      const after = ${make('made after it')}
      after.set()
      rest.append(after.element)
      rest.insertAdjacentHTML('beforeend', ${JSON.stringify(named('by innerHTML'))})
      rest.appendChild(document.createElement('div')).attachShadow({ mode: 'open' }).innerHTML = ${JSON.stringify(named('in a shadow'))}
      const late = ${make('attributes later')}
      rest.append(late.element)
      setTimeout(late.set, 50)
    })
  </script>${script}`
}

/** The reasons of the frames that have asked for room, and what elements say themselves. */
const PLACED = `[document, ...[...document.querySelectorAll('#rest div')].map((one) => one.shadowRoot)]
  .flatMap((root) => [...root.querySelectorAll('wayside-agent')])
  .map(({ shadowRoot }) => {
    const frame = shadowRoot.querySelector('iframe')
    if (!frame) return shadowRoot.textContent
    return frame.clientHeight > 100 && new URLSearchParams(new URL(frame.src).hash.slice(1)).get('reason')
  })`

test('tags that are two in a page, made by scripts, in a shadow, given their attributes later, removed and put elsewhere', async () => {
  hosts.siteFiles['/many'] = sitePage(`<body>${manyTags()}`)
  const page = await browser.open(`${hosts.site.url}/many`)
  const ways = ['first', 'second', 'made before the loader ran', 'made after it', 'by innerHTML', 'attributes later']
  const placed = async () => (await page.evaluate(PLACED)) as unknown[]
  await expect.poll(placed, { timeout: 15_000 }).toEqual([...ways, 'in a shadow'])
  expect(
    await page.evaluate(`{
    const [first] = document.querySelectorAll('wayside-agent')
    first.remove()
    globalThis.first = first
    first.shadowRoot.childNodes.length
  }`),
  ).toBe(0)
  await page.evaluate('document.body.append(first)')
  await expect.poll(placed, { timeout: 15_000 }).toEqual([...ways.slice(1), 'first', 'in a shadow'])
  await page.close()
})
