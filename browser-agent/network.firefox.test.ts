/** Pages and agents in Firefox: by WebSocket, by WebRTC, and over a relay. */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { type RunningBrowser, startBrowser } from '../scripts/browser/launch.ts'
import { agentOn, eventually } from './testing/page-agents.ts'

let server: { url: string; close(): void }
let browser: RunningBrowser

beforeAll(async () => {
  server = await serveEntry(new URL('./testing/peer-page.ts', import.meta.url))
  browser = await startBrowser('firefox')
})
afterAll(async () => {
  await browser.close()
  server.close()
})

test('a page joins by WebSocket, is reached over a relay, and works', async () => {
  const relay = await agentOn(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'], { relay: true })
  const page = await browser.open(server.url)
  onTestFinished(() => page.close())
  const peerId = await callIn<string>(page, 'lending.start', await relay.ticket(), '/ws/')
  await eventually(async () => expect(await callIn<string[]>(page, 'lending.addresses')).not.toEqual([]))
  const agent = await agentOn([], { of: relay })
  await eventually(() => expect(agent.neighbours()).toContain(peerId))
  expect(await agent.doubled(21)).toBe(42)
  const relayed = agent.events.filter((event) => event.startsWith('peer.relayed'))
  console.log(`Firefox, reached over a relay: ${relayed[0] ?? 'directly, by WebRTC'}`)
})

/** Of an interface that is not loopback, from whose addresses Firefox gathers no candidate (decision 83). */
const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === 'IPv4')?.address

test.skipIf(address === undefined)(
  'a page joins by webrtc-direct an agent of its own machine, at an address of a network',
  async () => {
    const agent = await agentOn([`/ip4/${address}/udp/0/webrtc-direct`])
    const page = await browser.open(server.url)
    onTestFinished(() => page.close())
    const peerId = await callIn<string>(page, 'lending.start', await agent.ticket(), '/webrtc-direct/')
    await eventually(() => expect(agent.neighbours()).toContain(peerId))
    expect(await agent.doubled(21)).toBe(42)
  },
)
