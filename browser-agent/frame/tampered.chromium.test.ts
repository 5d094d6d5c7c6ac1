/** One byte of what a page loads is another: it is not run, the visitor reads why, and nothing is kept. */
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import {
  ACCEPT,
  agree,
  eventually,
  frameOf,
  MESH,
  noteOf,
  openSite,
  sitePage,
  startTwoHosts,
  stateOf,
  type TwoHosts,
} from './testing/hosts.ts'
import { appendSpace, flipByte, type Passing, startTamperingHost, type TamperingHost } from './testing/tampering.ts'

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
