/** Pages and agents in Firefox: by WebSocket, by WebRTC, and over a relay. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Host, Switch } from '../node/testing/netns.ts'
import { begin, startAgent, statusOf, until, wayside } from '../node/testing/wayside.ts'
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

/** From the addresses of loopback Firefox gathers no candidate (decision 83): this is a machine on a network that leads nowhere. */
test('a page joins by webrtc-direct an agent of its own machine, at an address of a network', async () => {
  const machine = new Host()
  new Switch().plug(machine, '10.77.0.1/24')
  machine.routeBy('10.77.0.254')
  const { netns } = machine
  const agent = await startAgent(['--cpus', '0'], { netns, listen: '/ip4/10.77.0.1/udp/0/webrtc-direct' })
  const { status, data } = agent
  const program = fileURLToPath(new URL('./testing/page-in-firefox.ts', import.meta.url))
  const page = begin([status.ticket as string, '/webrtc-direct/'], { netns, program })
  const lends = until(async () => (await statusOf(data)).neighbours.some(({ slots }) => slots > 0))
  await Promise.race([lends, page.ended.then(({ stderr }) => Promise.reject(new Error(stderr)))])
  const call = ['run', 'examples/hello/hello.ts', '{"name":"Ada"}', '--remote', '--verify', 'none', '--data', data]
  expect((await wayside(call)).stdout).toBe('{"text":"Hello, Ada"}\n')
  page.child.kill()
  await agent.stop()
})
