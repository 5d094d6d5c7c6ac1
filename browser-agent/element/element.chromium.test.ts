/**
 * The tag in pages of many kinds: under a strict policy, put there by a script, twice, moved. And when one byte of what it
 * loads is another: that is not run, the visitor reads why, and nothing is kept.
 */
import { readFileSync } from 'node:fs'
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import {
  ACCEPT,
  agree,
  agreeIn,
  evaluateIn,
  eventually,
  frameOf,
  MESH,
  noteOf,
  openSite,
  press,
  sitePage,
  startTwoHosts,
  stateOf,
  type TwoHosts,
  windowOf,
  windowsOf,
} from '../frame/testing/hosts.ts'
import {
  appendSpace,
  flipByte,
  type Passing,
  startTamperingHost,
  type TamperingHost,
} from '../frame/testing/tampering.ts'

let browser: RunningBrowser
let hosts: TwoHosts
let host: TamperingHost

beforeAll(async () => {
  ;[browser, hosts, host] = await Promise.all([startBrowser('chromium'), startTwoHosts(), startTamperingHost()])
  hosts.host.url = host.url
})

afterAll(async () => {
  await browser?.close()
  hosts?.close()
  host?.close()
})

let count = 0
const publish = (body = hosts.tag()): string => {
  const path = `/${++count}`
  hosts.siteFiles[path] = sitePage(`<body style="margin:20px">${body}`)
  return path
}

beforeEach(() => {
  host.tampering = undefined
  host.asked.length = 0
})

/** As docs/EMBED.md has it. */
const documentedPolicy = (): string => {
  const [, policy = ''] =
    /^(script-src .*)$/m.exec(readFileSync(new URL('../../docs/EMBED.md', import.meta.url), 'utf8')) ?? []
  return policy.replaceAll('https://AGENT', hosts.host.url)
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
  expect(await noteOf(frame)).toContain('If it opened, it says why.')
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
  expect(host.asked.filter((path) => ![`/${loader}`, `/${document}`].includes(path))).toEqual([])
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
  await expect.poll(placed).toEqual([...ways, 'in a shadow'])
  expect(
    await page.evaluate(`{
    const [first] = document.querySelectorAll('wayside-agent')
    first.remove()
    globalThis.first = first
    first.shadowRoot.childNodes.length
  }`),
  ).toBe(0)
  await page.evaluate('document.body.append(first)')
  await expect.poll(placed).toEqual([...ways.slice(1), 'first', 'in a shadow'])
  await page.close()
})

const named = (start: string): string => {
  const found = Object.keys(hosts.manifest.files).find((name) => name.startsWith(start))
  if (!found) throw new Error(`no file ${start}`)
  return found
}

/** What the element itself says, in the page. */
const saidBy = (page: Page): Promise<string> =>
  eventually('words of the element', async () => {
    const text = await page.evaluate('document.querySelector("wayside-agent").shadowRoot?.textContent')
    return (text as string) || undefined
  })

const refusedNote = async (frame: Frame): Promise<string> => {
  await eventually('a refusal', async () => (await stateOf(frame)) === 'refused' || undefined)
  return noteOf(frame)
}

test('the loader: the browser refuses it, and what stands in the tag is shown', async () => {
  host.tampering = { name: hosts.manifest.loader, change: appendSpace }
  const tag = hosts.tag().replace('></wayside-agent>', '>Lending is not to be had now.</wayside-agent>')
  const page = await browser.open(hosts.site.url + publish(tag))
  expect(host.asked).toEqual([`/${hosts.manifest.loader}`])
  expect(await page.evaluate('customElements.get("wayside-agent") === undefined')).toBe(true)
  expect(await page.evaluate('document.body.innerText')).toContain('Lending is not to be had now.')
  await page.close()
})

const EVIL = '<script>parent.postMessage({ wayside: [1, 1, true] }, "*")</script>'

const CHANGES_OF_FRAME: Record<string, (passing: Passing) => void> = {
  'one byte of its script': (passing) => {
    passing.body = Buffer.from(passing.body.toString().replace('</script>', ' </script>'))
  },
  'another script, without a policy': (passing) => {
    delete passing.headers['content-security-policy']
    passing.body = Buffer.from(EVIL)
  },
  'another script, with a policy by which it might run': (passing) => {
    passing.headers['content-security-policy'] = "script-src 'unsafe-inline'"
    passing.headers['allow-csp-from'] = '*'
    passing.body = Buffer.from(EVIL)
  },
}

test('the frame: no script of it runs but the one that the loader names, and the page says so', async () => {
  const pages: Page[] = []
  for (const change of Object.values(CHANGES_OF_FRAME)) {
    host.tampering = { name: hosts.manifest.frame, change }
    pages.push(await browser.open(hosts.site.url + publish()))
  }
  expect(await Promise.all(pages.map(saidBy))).toEqual(
    pages.map(() => `Wayside is not started: ${host.url} does not answer, or not with what this page was promised.`),
  )
  const { loader, frame } = hosts.manifest
  expect(host.asked).toEqual(pages.flatMap(() => [`/${loader}`, `/${frame}`]))
  for (const page of pages) await page.close()
})

const wrong = (name: string) => `Wayside is not started: ${name} is not what this page was promised, and was not run.`

test('the agent, after a visitor agreed: the frame says why, and keeps no choice', async () => {
  const name = named('wayside-agent')
  host.tampering = { name, change: appendSpace }
  const [page, frame] = await openSite(browser, hosts, publish())
  await agree(page, frame)
  expect(await refusedNote(frame)).toBe(wrong(name))
  expect(await frame.evaluate('localStorage.length')).toBe(0)
  expect(await frame.evaluate('indexedDB.databases().then((all) => all.length)')).toBe(0)
  await page.close()
})

describe('whoever agreed before, and now', () => {
  /** As the frame keeps it. */
  const choice = () => JSON.stringify([hosts.site.url, MESH, [ACCEPT]])
  beforeAll(async () => {
    const [page, frame] = await openSite(browser, hosts, publish())
    await frame.evaluate(`localStorage.setItem(${JSON.stringify(choice())}, 'agreed')`)
    await page.close()
  })

  const refusedAgain = async (): Promise<string> => {
    const page = await browser.open(hosts.site.url + publish())
    const said = await refusedNote(await frameOf(page))
    await page.close()
    return said
  }

  test.each([
    ['wayside-worker', appendSpace],
    ['wayside-engine', flipByte],
  ])('%s is tampered with: it is not run', async (kind, change) => {
    host.tampering = { name: named(kind), change }
    expect(await refusedAgain()).toBe(wrong(named(kind)))
  })

  test('a file was damaged on its way once: it is fetched again, whatever the browser keeps', async () => {
    const name = named('wayside-agent')
    host.caching = {}
    const change = (passing: Passing) => {
      appendSpace(passing)
      host.tampering = undefined
    }
    host.tampering = { name, change }
    // The agent was started, and looked at the ticket, which is none.
    expect(await refusedAgain()).toContain('this ticket cannot be read')
    expect(host.asked.filter((path) => path === `/${name}`)).toHaveLength(2)
  })
})
