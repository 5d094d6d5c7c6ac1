/** A site that does all it can to start the frame without the visitor: nothing is loaded, and nothing runs. */
import type { Frame, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import {
  agree,
  evaluateIn,
  eventually,
  frameOf,
  HAS_ROOM,
  noteOf,
  openSite,
  placeOf,
  press,
  settle,
  sitePage,
  standStill,
  startTwoHosts,
  stateOf,
  type TwoHosts,
  windowOf,
  windowsOf,
} from './testing/hosts.ts'

let browser: RunningBrowser
let hosts: TwoHosts

beforeAll(async () => {
  ;[browser, hosts] = await Promise.all([startBrowser('chromium'), startTwoHosts()])
})

afterAll(async () => {
  await browser?.close()
  hosts?.close()
})

let count = 0
/** Serves `body` around the tag under a path of its own. */
const publish = (body: string, tag = hosts.tag()): string => {
  const path = `/${++count}`
  hosts.siteFiles[path] = sitePage(`<body style="margin:20px">${tag}${body}`)
  return path
}

/** What is loaded only after a person has agreed. */
const loadedEarly = () => {
  const { loader, frame, files } = hosts.manifest
  const late = Object.keys(files).filter((name) => name !== loader && name !== frame)
  return hosts.host.asked.filter((path) => late.includes(path.slice(1)))
}

const PATCHES = `<script>
  const yes = { isActive: true, hasBeenActive: true }
  Object.defineProperty(navigator, 'userActivation', { get: () => yes })
  Object.defineProperty(Navigator.prototype, 'userActivation', { get: () => yes })
  try { Object.defineProperty(Event.prototype, 'isTrusted', { get: () => true }) } catch {}
  const { addEventListener } = EventTarget.prototype
  EventTarget.prototype.addEventListener = function (name, listener, options) {
    return addEventListener.call(this, name, typeof listener === 'function'
      ? (event) => listener.call(this, new Proxy(event, { get: (on, key) => key === 'isTrusted' ? true : on[key] }))
      : listener, options)
  }
  const { attachShadow } = Element.prototype
  Element.prototype.attachShadow = function () { return attachShadow.call(this, { mode: 'open' }) }
  HTMLElement.prototype.click = function () { for (let i = 0; i < 9; i++) this.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true })) }
  window.IntersectionObserver = class { constructor(f) { this.f = f } observe(target) { this.f([{ target, isVisible: true, isIntersecting: true, intersectionRatio: 1 }]) } unobserve() {} disconnect() {} }
  const { then } = Promise.prototype
  Promise.prototype.then = function (f, g) { return then.call(this, f, f ?? g) }
  const post = window.postMessage
  window.postMessage = function (data) { return post.call(this, data, '*') }
</script>`

/** Everything that a page can say to a frame. */
const SAY_IT_ALL = `(() => {
  const frame = document.querySelector('wayside-agent').shadowRoot.querySelector('iframe')
  const inside = frame.contentWindow
  const names = ['click', 'pointerdown', 'pointerup', 'mousedown', 'mouseup', 'touchend', 'keydown', 'submit']
  for (const target of [frame, document.querySelector('wayside-agent'), document, window])
    for (const name of names) target.dispatchEvent(new MouseEvent(name, { bubbles: true, composed: true, clientX: 390, clientY: 180 }))
  frame.click()
  for (const data of ['agreed', true, { wayside: [1, 1, true] }, { consent: true }, 'start', { type: 'lend' }]) inside.postMessage(data, '*')
  const tried = []
  for (const reach of [() => inside.document, () => inside.navigator, () => inside.eval('1'), () => inside.lend, () => inside.localStorage])
    try { reach(); tried.push(String(reach)) } catch {}
  inside.focus()
  return tried
})()`

const lay = (css: string) =>
  `document.body.insertAdjacentHTML('beforeend', '<div style="background:#fff;pointer-events:none;${css}">Press here</div>')`
const around = (css: string) => `document.querySelector('wayside-agent').style.cssText += ';${css}'`

/** What a site may do to the frame, by a script in it: the visitor presses, and sees nothing or something else there. */
const LOOKS: Record<string, string> = {
  'something opaque lies over it, and lets presses through': lay('position:fixed;inset:0'),
  'something lies over its text alone': lay('position:absolute;left:20px;top:20px;width:420px;height:140px'),
  'something half transparent lies over it': lay('position:fixed;inset:0;background:#fffc'),
  'it is transparent': around('opacity:0'),
  'it is almost transparent': around('opacity:.02'),
  'it is faded': around('filter:opacity(5%)'),
  'it is blended away': around('mix-blend-mode:lighten'),
  'it is scaled down': around('transform:scale(.2)'),
  'it is turned': around('transform:rotate(180deg)'),
  'it is masked': around('mask-image:linear-gradient(#0000,#0001)'),
  'it is zoomed out': around('zoom:.3'),
  'it is clipped to its button': around('clip-path:inset(130px 0 0 320px)'),
  // The element undoes what is set on the frame itself, as the frame then tells another room.
  'it is shrunk to its button': `{
    const style = document.createElement('style')
    style.textContent = 'iframe { width: 90px !important; height: 40px !important }'
    document.querySelector('wayside-agent').shadowRoot.append(style)
  }`,
  'it is cut off by what is around it': `${around('height:60px;overflow:hidden')}
    document.querySelector('wayside-agent').scrollTop = 900`,
}

/** Where the middle of the button is seen, however the site has turned, scaled and moved the frame. */
const seenPlaceOf = async (page: Page, frame: Frame): Promise<{ x: number; y: number }> => {
  const [across, down] = (await frame.evaluate(`(() => {
    const { x, y, width, height } = document.getElementById('lend').getBoundingClientRect()
    return [(x + width / 2) / innerWidth, (y + height / 2) / innerHeight]
  })()`)) as [number, number]
  const session = await page.createCDPSession()
  const expression = 'document.querySelector("wayside-agent").shadowRoot.querySelector("iframe")'
  const { result } = await session.send('Runtime.evaluate', { expression })
  const { quads } = await session.send('DOM.getContentQuads', { objectId: result.objectId as string })
  await session.detach()
  const [x = 0, y = 0, rightX = 0, rightY = 0, , , downX = 0, downY = 0] = quads[0] ?? []
  return { x: x + (rightX - x) * across + (downX - x) * down, y: y + (rightY - y) * across + (downY - y) * down }
}

describe('a visitor presses where the button is, and', () => {
  test.each(Object.entries(LOOKS))('%s', async (_, look) => {
    const [page, frame] = await openSite(browser, hosts, publish(''))
    await page.evaluate(look)
    // Without the wait the browser alone would keep the press from the frame.
    await standStill()
    // As far as the visitor can scroll it.
    await frame.evaluate('document.getElementById("lend").scrollIntoView()')
    await press(page, frame, '#lend', seenPlaceOf)
    // All that such a press does.
    await windowOf(page)
    await expectNothing(page, frame)
  })
})

/** Nothing was loaded, nothing is kept, and the frame still asks or refuses. Windows that it opened ask as well, in plain sight. */
const expectNothing = async (page: Page, frame: Frame): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (const asking of await windowsOf(page)) {
    expect(await evaluateIn(asking, 'document.querySelector("main")?.dataset.state ?? "asking"')).toMatch(
      /^(asking|refused)$/,
    )
    await asking.close()
  }
  expect(['asking', 'later', 'refused']).toContain(await stateOf(frame))
  expect(await frame.evaluate('localStorage.length')).toBe(0)
  expect(loadedEarly()).toEqual([])
  await page.close()
}

test('two presses in plain sight start it', async () => {
  const [page, frame] = await openSite(browser, hosts, publish('<p>Text</p>'))
  await agree(page, frame)
  // The agent was started, and looked at the ticket, which is none.
  await eventually('the agent', async () => (await noteOf(frame)).includes('ticket') || undefined)
  expect(loadedEarly().length).toBeGreaterThan(0)
  await frame.evaluate('localStorage.clear()')
  await page.close()
  hosts.host.asked.length = 0
})

test('a site that has changed every built-in, and says everything there is to say', async () => {
  const path = publish('')
  hosts.siteFiles[path] = sitePage(`${PATCHES}<body style="margin:20px">${hosts.tag()}`)
  const [page, frame] = await openSite(browser, hosts, path)
  await settle()
  expect(await page.evaluate(SAY_IT_ALL)).toEqual([])
  await page.keyboard.press('Enter')
  await page.keyboard.press(' ')
  await expectNothing(page, frame)
})

test('a press elsewhere, which gives the page its activation and the frame its focus', async () => {
  const lure = '<button id="lure" style="display:block;margin-top:60px">Play</button>'
  const script = `<script>document.getElementById('lure').onclick = () => { ${SAY_IT_ALL} }</script>`
  const [page, frame] = await openSite(browser, hosts, publish(lure + script))
  await settle()
  await page.click('#lure')
  expect(await page.evaluate('navigator.userActivation.isActive')).toBe(true)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expectNothing(page, frame)
})

/** As somebody does who plays a game. The first presses of a frame that has just moved the browser keeps from it. */
const clickFast = async (page: Page, x: number, y: number): Promise<void> => {
  await eventually('the window that asks', async () => {
    await page.mouse.click(x, y)
    return (await windowsOf(page))[0]
  })
  await windowOf(page)
}

test('it is moved under the pointer right before the press', async () => {
  const [page, frame] = await openSite(browser, hosts, publish('<p style="height:300px">Press here, quickly</p>'))
  await settle()
  const { x, y } = await placeOf(page, frame, '#lend')
  await page.mouse.move(600, 400)
  await settle()
  const [byX, byY] = [600 - x, 400 - y]
  await page.evaluate(
    `document.querySelector('wayside-agent').style.cssText = 'position:relative;left:${byX}px;top:${byY}px'`,
  )
  await clickFast(page, 600, 400)
  await expectNothing(page, frame)
})

test('it appears under the pointer right before the press', async () => {
  const path = publish('', '')
  const tag = hosts.tag()
  hosts.siteFiles[path] = sitePage(`<body style="margin:20px"><div hidden>${tag}</div>`)
  const [page, frame] = await openSite(browser, hosts, path)
  await settle()
  await page.evaluate('document.querySelector("div").hidden = false')
  await eventually('its room', () => frame.evaluate(`${HAS_ROOM} && innerHeight > 0`) as Promise<boolean>)
  await standStill()
  const { x, y } = await placeOf(page, frame, '#lend')
  await page.evaluate('document.querySelector("div").hidden = true')
  await page.mouse.move(x, y)
  await settle()
  await page.evaluate('document.querySelector("div").hidden = false')
  await clickFast(page, x, y)
  await expectNothing(page, frame)
})

test('the page is in a page that is in nobody’s sight', async () => {
  const inner = publish('')
  const path = publish(`<iframe src="${inner}" width="600" height="400"></iframe>`, '')
  const page = await browser.open(hosts.site.url + path)
  const frame = await frameOf(page)
  await eventually('a refusal', async () => (await stateOf(frame)) === 'refused' || undefined)
  expect(await noteOf(frame)).toContain('inside of another page')
  await expectNothing(page, frame)
})

test('the page and the mesh host have one origin', async () => {
  hosts.hostFiles['/own'] = sitePage(hosts.tag())
  const page = await browser.open(`${hosts.host.url}/own`)
  const frame = await frameOf(page)
  await eventually('a refusal', async () => (await stateOf(frame)) === 'refused' || undefined)
  expect(await noteOf(frame)).toContain('one address')
  await expectNothing(page, frame)
})

test.each([
  ['as a page of its own', ''],
  ['as the second step of nobody', '&step=1&site=https://bank.example'],
])('the frame is opened %s', async (_, more) => {
  const [page, frame] = await openSite(browser, hosts, publish(''))
  const url = frame.url() + more
  const opened = await browser.open(url)
  await settle()
  const main = opened.mainFrame()
  await opened.keyboard.press('Enter')
  await settle()
  expect(await stateOf(main)).toBe('refused')
  await opened.close()
  await expectNothing(page, frame)
})

test.each([
  ['without anybody to work for', { accept: ' ' }, 'accept='],
  ['for somebody who is no peer', { accept: '<img src=x>' }, 'must name'],
  [
    'for too many',
    { accept: Array.from({ length: 9 }, (_, i) => `12D3KooW${String(i + 1).repeat(44)}`).join() },
    'must name',
  ],
  ['without a mesh', { mesh: 'https://evil.example' }, 'ticket'],
])('a tag %s', async (_, attributes, why) => {
  const page = await browser.open(hosts.site.url + publish('', hosts.tag(attributes)))
  const said = await eventually('why it does not start', async () => {
    const [inside] = page.frames().filter((frame) => frame.url().includes('wayside-frame'))
    const text = inside
      ? ((await inside.evaluate('document.body.innerText')) as string)
      : ((await page.evaluate('document.querySelector("wayside-agent").shadowRoot.textContent')) as string)
    return text.includes(why) ? text : undefined
  })
  expect(said).toContain(why)
  expect(loadedEarly()).toEqual([])
  await page.close()
})
