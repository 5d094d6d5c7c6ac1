/** What a page does for others, and has done by them, in each browser: beside a real agent. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, fn, type Mesh } from '../../node/sdk.ts'
import { freshDirectory, startAgent, type TestAgent, until } from '../../node/testing/wayside.ts'
import { type RunningBrowser, startBrowser } from '../../scripts/browser/launch.ts'
import type { BrowserName } from '../../scripts/browser/profiles.ts'
import type { AgentView } from '../agent-view.ts'
import { callIn } from './in-page.ts'
import { serveEntry } from './serve.ts'

const WEB_SOCKETS = '/ip4/127.0.0.1/tcp/0/ws'

const writeFunction = (name: string, text: string): string => {
  const path = join(freshDirectory(), name)
  writeFileSync(path, text)
  return path
}

const DIGITS = `export default ({ n }: { n: number }) => {
  let sum = 0
  for (let i = 0; i < n; i++) sum = (sum * 31 + i) % 1000003
  return { sum, text: JSON.stringify([0.1 + 0.2, Math.sin(n)]) }
}`

export const testLending = (name: BrowserName): void => {
  let server: { url: string; close(): void }
  let browser: RunningBrowser
  let node: TestAgent
  let mesh: Mesh
  const ticket = () => node.status.ticket as string
  const digits = fn<(input: { n: number }) => { sum: number; text: string }>(writeFunction('digits.ts', DIGITS))

  const open = async (): Promise<Page> => {
    const page = await browser.open(server.url)
    onTestFinished(() => page.close().catch(() => {}))
    return page
  }

  const viewUntil = async (page: Page, holds: (view: AgentView) => boolean): Promise<AgentView> => {
    let view = await callIn<AgentView>(page, 'lending.view')
    await until(async () => {
      view = await callIn<AgentView>(page, 'lending.view')
      return holds(view)
    })
    return view
  }

  /** A page that lends, once its agent has joined. */
  const lend = async (accept: string[] = [node.status.peer]): Promise<{ page: Page; view: AgentView }> => {
    const page = await open()
    await callIn(page, 'lending.start', ticket(), accept)
    return { page, view: await viewUntil(page, ({ state }) => state === 'lending') }
  }

  beforeAll(async () => {
    // It lends nothing: what is done, pages do.
    node = await startAgent(['--cpus', '0'], { listen: WEB_SOCKETS })
    server = await serveEntry(new URL('./agent-page.ts', import.meta.url))
    browser = await startBrowser(name)
    mesh = await connect({ data: node.data })
  })
  afterAll(async () => {
    await mesh?.close()
    await browser?.close()
    server?.close()
  })

  test('a page executes for an agent', async () => {
    const { view } = await lend()
    expect(view).toMatchObject({
      meshName: node.status.mesh.name,
      accept: [node.status.peer],
      running: [],
      neighbours: 1,
    })
    const { receipt } = await mesh.call(digits, { n: 100_000 }, { verify: 'none', remote: true, receipt: true })
    expect(receipt.executors).toEqual([view.peer])
    expect(await mesh.call(digits, { n: 1000 }, { verify: 'self' })).toEqual({
      sum: expect.any(Number),
      text: expect.any(String),
    })
  })
}
