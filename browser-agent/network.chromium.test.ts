/** Pages and agents, in a real browser: every way that leads from one to the other. */
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createSigner, generatePrivateKey } from '../node/crypto.ts'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'
import { publish, requestOf, returned } from '../scripts/test/world.ts'
import { type Agent, agentOn, eventually } from './testing/page-agents.ts'

let server: { url: string; close(): void }
let browser: RunningBrowser

beforeAll(async () => {
  server = await serveEntry(new URL('./testing/peer-page.ts', import.meta.url))
  browser = await startBrowser('chromium')
})
afterAll(async () => {
  await browser.close()
  server.close()
})

const LISTEN = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']
/** Where no WebRTC listener is wanted: a test has one at most, since a process has. */
const CARRYING = LISTEN.slice(0, 2)

interface Tab {
  page: Page
  peerId: string
}

const joined = async (agent: Agent, kinds: string, setUp?: string): Promise<Tab> => {
  const page = await browser.open('about:blank')
  onTestFinished(() => page.close())
  if (setUp) await page.evaluateOnNewDocument(setUp)
  await page.goto(server.url)
  const peerId = await callIn<string>(page, 'lending.start', await agent.ticket(), kinds)
  return { page, peerId }
}

const WITHOUT_WEBRTC = 'delete globalThis.RTCPeerConnection'

/** A page that an agent carries for, and where it is reached. */
const carried = async (relay: Agent, setUp?: string): Promise<Tab & { address: string }> => {
  const tab = await joined(relay, '/ws/', setUp)
  await eventually(async () => expect(await callIn<string[]>(tab.page, 'lending.addresses')).not.toEqual([]))
  const [address = ''] = await callIn<string[]>(tab.page, 'lending.addresses')
  return { ...tab, address }
}

const isDirect = (agent: Agent) => !agent.events.some((event) => event.startsWith('peer.relayed'))

test('a browser that was not allowed to reach the local network: the page says so', async () => {
  const page = await browser.open('about:blank')
  onTestFinished(() => page.close())
  // As when the visitor has refused: what the browser then answers a page that asks.
  await page.evaluateOnNewDocument(`const query = navigator.permissions.query.bind(navigator.permissions)
    navigator.permissions.query = (asked) =>
      asked.name.endsWith('-network') || asked.name.startsWith('local-') ? Promise.resolve({ state: 'denied' }) : query(asked)`)
  await page.goto(server.url)
  const agent = await agentOn(CARRYING)
  const ticket = await agent.ticket()
  await agent.stop()
  await expect(callIn(page, 'lending.start', ticket, '/ws/')).rejects.toThrow(
    /^this browser was not allowed to reach the local network, where .*; allow this page to/,
  )
})

test.each(['/ws/', '/webrtc-direct/'])('a page joins an agent by %s and works for it', async (kind) => {
  const agent = await agentOn(LISTEN)
  const tab = await joined(agent, kind)
  await eventually(() => expect(agent.neighbours()).toContain(tab.peerId))
  expect(await agent.doubled(21)).toBe(42)
})

test('an agent reaches a page over a relay, by WebRTC; the page works for it', async () => {
  const relay = await agentOn(CARRYING, { relay: true })
  const tab = await carried(relay)
  expect(tab.address).toMatch(/\/p2p-circuit\/webrtc\/p2p\//)
  const agent = await agentOn([], { of: relay })
  await eventually(() => expect(agent.neighbours()).toContain(tab.peerId))
  expect(await agent.doubled(21)).toBe(42)
  expect(isDirect(agent)).toBe(true)
  await eventually(() => expect(relay.relay()).toMatchObject({ reservations: 1, circuits: 0 }))
})

test('a page without WebRTC is reached through the relay all the same, and works', async () => {
  const relay = await agentOn(CARRYING, { relay: true })
  const tab = await carried(relay, WITHOUT_WEBRTC)
  expect(tab.address).toMatch(/\/p2p-circuit\/p2p\//)
  const agent = await agentOn([], { of: relay })
  await eventually(() => expect(agent.neighbours()).toContain(tab.peerId))
  expect(await agent.doubled(21)).toBe(42)
  expect(relay.relay()).toMatchObject({ reservations: 1, circuits: 1 })
})

/** It says that it can agree on a way, and none leads anywhere until it hears. */
const DEAF = `for (const name of ['addIceCandidate', 'setRemoteDescription']) {
  const real = RTCPeerConnection.prototype[name]
  RTCPeerConnection.prototype[name] = function (...given) {
    return globalThis.hears ? real.apply(this, given) : new Promise(() => {})
  }
}`

/** Some seconds in a page. */
const SLOW = 'export default (n) => { let x = 0; for (let i = 0; i < n; i++) x = (x * 31 + i) % 1000003; return x }'
const SLOW_ROUNDS = 1e7
const slowly = (n: number) => {
  let x = 0
  for (let i = 0; i < n; i++) x = (x * 31 + i) % 1000003
  return x
}

test('where the two cannot agree on a way, the relayed connection is kept; a call survives that they do later', async () => {
  const relay = await agentOn(CARRYING, { relay: true })
  const tab = await carried(relay, DEAF)
  const agent = await agentOn([], { of: relay })
  await eventually(() => expect(agent.neighbours()).toContain(tab.peerId))
  expect(await agent.doubled(21)).toBe(42)
  expect(isDirect(agent)).toBe(false)
  expect(relay.relay().circuits).toBe(1)
  // One call after another is under way, whenever it is that the direct way comes up.
  const published = await publish({ peer: agent.peer } as never, SLOW)
  const answers = new Set<unknown>()
  let isOver = false
  const calling = (async () => {
    while (!isOver) answers.add(returned(await agent.peer.call(requestOf(published, SLOW_ROUNDS))))
  })()
  await eventually(async () => expect(await callIn<number>(tab.page, 'lending.running')).toBe(1))
  await tab.page.evaluate('globalThis.hears = true')
  await eventually(async () => {
    await agent.ports.network.connect(tab.address)
    expect(relay.relay().circuits).toBe(0)
  })
  isOver = true
  await calling
  expect([...answers]).toEqual([slowly(SLOW_ROUNDS)])
  expect(agent.neighbours()).toContain(tab.peerId)
})

test('the relay goes away: pages come back to it by themselves, and are reached again', async () => {
  const signer = createSigner(generatePrivateKey())
  const relay = await agentOn(CARRYING, { relay: true, signer })
  const tab = await carried(relay)
  const listen = relay.peer.addresses().map((address) => address.replace(/\/p2p\/.*/, ''))
  const mesh = relay.mesh
  await relay.stop()
  await eventually(async () => expect(await callIn<string[]>(tab.page, 'lending.addresses')).toEqual([]))
  const again = await agentOn(listen, { relay: true, signer, mesh })
  await eventually(() => expect(again.relay().reservations).toBe(1))
  await eventually(async () => expect(await callIn<string[]>(tab.page, 'lending.addresses')).not.toEqual([]))
  expect(await again.doubled(4)).toBe(8)
})

test('a page reaches another page over a relay, directly where this host allows it', async () => {
  const relay = await agentOn(CARRYING, { relay: true })
  const [one, other] = [await carried(relay), await carried(relay)]
  const know = async (tab: Tab, peerId: string) =>
    expect(await callIn<string[]>(tab.page, 'lending.neighbours')).toContain(peerId)
  await eventually(() => know(one, other.peerId))
  await eventually(() => know(other, one.peerId))
  // Chromium hides local addresses behind names of multicast DNS; pages of one browser resolve them all the same.
  const events = await Promise.all([one, other].map(({ page }) => callIn<string[]>(page, 'lending.events')))
  const relayed = events.flat().filter((event) => event.startsWith('peer.relayed'))
  console.log(relayed.length === 0 ? 'page to page: WebRTC, without a flag' : `page to page: relayed, ${relayed[0]}`)
  await eventually(() => expect(relay.relay().circuits).toBe(relayed.length))
})
