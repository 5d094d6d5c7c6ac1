/** What a page does for others, and has done by them, in each browser: beside real agents. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startAgent as startHere } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'
import { connect, fn, type Mesh } from '../../node/sdk.ts'
import { freshDirectory, startAgent, statusOf, type TestAgent, until, wayside } from '../../node/testing/wayside.ts'
import { entryFiles } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import type { RunningBrowser } from '../../scripts/browser/launch.ts'
import { servePage } from '../../scripts/browser/page-server.ts'
import { bundle, functionFile } from '../../sdk/bundle/index.ts'
import { compileWasi } from '../../sdk/bundle/wasm/testing/compile.ts'
import { lyingHost } from '../../simulations/adversaries.ts'
import type { AgentView } from '../agent-view.ts'

const WEB_SOCKETS = '/ip4/127.0.0.1/tcp/0/ws'
const FAR_FUEL = 1_000_000_000_000

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(freshDirectory(), name)
  writeFileSync(path, content)
  return path
}

type Digits = (input: { n: number }) => { sum: number; text: string }
const DIGITS = `export default ({ n }: { n: number }) => {
  let sum = 0
  for (let i = 0; i < n; i++) sum = (sum * 31 + i) % 1000003
  return { sum, text: JSON.stringify([0.1 + 0.2, Math.sin(n)]) }
}`
const digitsOf = (n: number): ReturnType<Digits> => {
  let sum = 0
  for (let i = 0; i < n; i++) sum = (sum * 31 + i) % 1000003
  return { sum, text: JSON.stringify([0.1 + 0.2, Math.sin(n)]) }
}

const REVERSE = `
#include <stdio.h>
int main(void) { char text[256]; int n = fread(text, 1, 256, stdin); while (n--) putchar(text[n]); }
`

/** What `calling.receipt` gives. */
interface Called {
  value: ReturnType<Digits>
  executors: string[]
}

/** Lies in a row (peer/trust.ts). */
const EXPELLED_AFTER = 5

/** An agent on which all functions come out wrong, which ends with the test. */
const startLiar = async (ticket: string): Promise<string> => {
  const settings = { data: freshDirectory(), join: [ticket], listen: [WEB_SOCKETS], mdns: false, cpus: '1' }
  const config = readConfig({ ...settings, memory: '128MiB', log_level: 'error' }, {})
  const { peer, stop } = await startHere(config, {
    adapt: (ports) => ({ ...ports, sandboxHost: lyingHost(ports.sandboxHost) }),
  })
  onTestFinished(() => stop())
  return peer.peerId
}

export interface Scene {
  readonly node: TestAgent
  readonly mesh: Mesh
  readonly digits: ReturnType<typeof fn<Digits>>
  /** Resolves once the agent knows that `peer` has room. */
  reached(peer: string): Promise<void>
  /** A page that has done nothing yet. */
  open(): Promise<Page>
  /** One that lends, and its view by then. Ends with the test. */
  lend(accept?: readonly string[], origin?: number): Promise<{ page: Page; view: AgentView }>
}

export const viewUntil = async (page: Page, holds: (view: AgentView) => boolean): Promise<AgentView> => {
  let view = await callIn<AgentView>(page, 'lending.view')
  await until(async () => {
    view = await callIn<AgentView>(page, 'lending.view')
    return holds(view)
  })
  return view
}

/** A browser beside an agent that lends nothing: what is done for it, pages do. */
export const lendingScene = (browser: () => RunningBrowser): Scene => {
  const servers: { url: string; close(): void }[] = []
  let node: TestAgent
  let mesh: Mesh
  const source = write('digits.ts', DIGITS)

  beforeAll(async () => {
    const [started, built, entry] = await Promise.all([
      startAgent(['--cpus', '0', '--relay'], { listen: WEB_SOCKETS }),
      bundle(source),
      entryFiles(new URL('./agent-page.ts', import.meta.url)),
    ])
    node = started
    const files = { ...entry, '/digits.wayside': { type: 'application/octet-stream', body: functionFile(built) } }
    // Two origins: there is one peer in each.
    for (let i = 0; i < 2; i++) servers.push(await servePage(files))
    mesh = await connect({ data: node.data })
  })
  afterAll(async () => {
    await mesh?.close()
    for (const server of servers) server.close()
  })

  const reached = (lender: string) =>
    until(async () => (await statusOf(node.data)).neighbours.some(({ peer, free }) => peer === lender && free > 0))
  const open = async (origin = 0): Promise<Page> => {
    const page = await browser().open((servers[origin] as { url: string }).url)
    onTestFinished(() => page.close().catch(() => {}))
    return page
  }
  return {
    get node() {
      return node
    },
    get mesh() {
      return mesh
    },
    digits: fn<Digits>(source),
    reached,
    open,
    lend: async (accept = [node.status.peer], origin = 0) => {
      const page = await open(origin)
      await callIn(page, 'lending.start', node.status.ticket, accept)
      const view = await viewUntil(page, ({ state }) => state === 'lending')
      await reached(view.peer)
      return { page, view }
    },
  }
}

/** Executing and agreeing. */
export const testLending = (scene: Scene): void => {
  test('a page executes for an agent, and Node comes to the same', async () => {
    const { page, view } = await scene.lend()
    const { name } = scene.node.status.mesh
    expect(view).toMatchObject({ meshName: name, accept: [scene.node.status.peer], neighbours: 1 })
    const remote = { remote: true, receipt: true } as const
    const { value, receipt } = await scene.mesh.call(scene.digits, { n: 100_000 }, { verify: 'none', ...remote })
    expect(value).toEqual(digitsOf(100_000))
    expect(receipt.executors).toEqual([view.peer])
    // Outcome, fuel, memory and engine: all of it is in what a second run is compared with.
    const checked = await wayside(['verify', write('receipt', receipt.file), '--json'])
    expect(checked).toMatchObject({ status: 0, stdout: expect.stringContaining('right') })
    const reversed = await scene.mesh.call(
      fn<(text: string) => Uint8Array>(write('reverse.wasm', compileWasi(REVERSE))),
      'abc',
      {
        verify: 'self',
        ...remote,
      },
    )
    expect(reversed.receipt.executors[0]).toBe(view.peer)
    expect(new TextDecoder().decode(reversed.value)).toBe('"cba"')
    const { today } = await viewUntil(page, (view) => view.today.tasks === 2)
    expect(today.cpuMs).toBeGreaterThanOrEqual(0)
  })

  test('a page and an agent make a quorum', async () => {
    const { view } = await scene.lend()
    const other = await startAgent(['--join', scene.node.status.ticket as string])
    onTestFinished(() => void other.stop())
    await scene.reached(other.status.peer)
    const options = { verify: 'quorum:2', remote: true, receipt: true } as const
    const { value, receipt } = await scene.mesh.call(scene.digits, { n: 50_000 }, options)
    expect(value).toEqual(digitsOf(50_000))
    expect(receipt.executors.toSorted()).toEqual([view.peer, other.status.peer].toSorted())
    expect(receipt.disputes).toEqual([])
    await other.stop('SIGKILL')
  })
}

/** Coming back and stopping. */
export const testComingAndGoing = (scene: Scene): void => {
  test('it is the same peer after a reload, and another one once it was forgotten', async () => {
    const { page, view } = await scene.lend()
    const auditedOf = async (lender: string) => {
      const { neighbours } = await statusOf(scene.node.data)
      return neighbours.find(({ peer }) => peer === lender)?.trust.audited ?? 0
    }
    const before = await auditedOf(view.peer)
    await scene.mesh.call(scene.digits, { n: 10 }, { verify: 'self', remote: true })
    await expect.poll(() => auditedOf(view.peer)).toBe(before + 1)
    await viewUntil(page, ({ today }) => today.tasks > view.today.tasks)
    const start = async () => {
      await page.reload()
      await callIn(page, 'lending.start', scene.node.status.ticket, [scene.node.status.peer])
      return viewUntil(page, ({ state }) => state === 'lending')
    }
    await callIn(page, 'lending.limit', { cpuShare: 0.7 })
    await callIn(page, 'lending.stop')
    const again = await start()
    expect(again).toMatchObject({ peer: view.peer, limits: { cpuShare: 0.7 } })
    expect(again.today.tasks).toBeGreaterThan(view.today.tasks)
    // What the agent has seen of it goes on, too.
    await scene.reached(view.peer)
    await scene.mesh.call(scene.digits, { n: 20 }, { verify: 'self', remote: true })
    await expect.poll(() => auditedOf(view.peer)).toBe(before + 2)
    await callIn(page, 'lending.forget')
    const fresh = await start()
    expect(fresh.peer).not.toBe(view.peer)
    expect(fresh).toMatchObject({ limits: { cpuShare: 1 }, today: { tasks: 0 } })
  })

  test('one that runs nothing more says so at once, and its work is done elsewhere', async () => {
    const pages = [await scene.lend(), await scene.lend(undefined, 1)]
    const long = scene.mesh.call(scene.digits, { n: 10_000_000 }, { verify: 'none', remote: true })
    const runningIn = async ({ page }: { page: Page }) => (await callIn<AgentView>(page, 'lending.view')).running
    let busy: Page | undefined
    await until(async () => {
      for (const one of pages) if ((await runningIn(one))[0]?.name) busy = one.page
      return busy !== undefined
    })
    expect((await callIn<AgentView>(busy as Page, 'lending.view')).running).toEqual([
      {
        ...{ name: 'digits', exportName: 'default', invoker: scene.node.status.peer },
        ...{ functionCid: expect.any(String), sinceMs: expect.any(Number) },
      },
    ])
    const stopped = await callIn<{ saidMs: number; tookMs: number }>(busy as Page, 'lending.stop')
    expect(stopped).toMatchObject({ state: 'stopped', running: 0 })
    expect(stopped.saidMs).toBeLessThan(100)
    expect(await long).toEqual(digitsOf(10_000_000))
  })
}

/** What it does not run, or not for long. */
export const testRefusing = (scene: Scene): void => {
  test('whom it does not accept, it refuses', async () => {
    const page = await scene.open()
    await callIn(page, 'lending.start', scene.node.status.ticket, [
      '12D3KooWGRUWb7HLBpPXSXQqz7sDqQGjDgHHyUMYUPZrXUQ8i7pY',
    ])
    const view = await viewUntil(page, ({ state }) => state === 'lending')
    await until(async () =>
      (await statusOf(scene.node.data)).neighbours.some(({ peer, slots }) => peer === view.peer && slots > 0),
    )
    const refused = scene.mesh.call(scene.digits, { n: 10 }, { verify: 'none', remote: true, timeoutMs: 10_000 })
    await expect(refused).rejects.toMatchObject({ code: 'E_NOT_ACCEPTED' })
    expect(await callIn(page, 'lending.view')).toMatchObject({ today: { tasks: view.today.tasks }, running: [] })
    await expect(callIn(page, 'lending.start', scene.node.status.ticket, [])).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('an endless loop ends by the clock, and the next call finds the page as before', async () => {
    const { view } = await scene.lend()
    const options = { verify: 'none', remote: true, timeoutMs: 1500, limits: { fuel: FAR_FUEL } }
    const loop = fn<(input: null) => null>(write('loop.js', 'export default () => { for (;;); }'))
    await expect(scene.mesh.call(loop, null, options)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    const { value, receipt } = await scene.mesh.call(
      scene.digits,
      { n: 10 },
      { verify: 'none', remote: true, receipt: true },
    )
    expect([value, receipt.executors]).toEqual([digitsOf(10), [view.peer]])
  })

  test('a paused one takes nothing, and goes on when it is resumed', async () => {
    const { page } = await scene.lend()
    await callIn(page, 'lending.pause')
    expect(await viewUntil(page, ({ state }) => state === 'paused')).toMatchObject({ reason: 'owner' })
    const refused = scene.mesh.call(scene.digits, { n: 11 }, { verify: 'none', remote: true, timeoutMs: 10_000 })
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/E_PAUSED|E_NO_PEER/) })
    await callIn(page, 'lending.resume')
    await viewUntil(page, ({ state }) => state === 'lending')
    expect(await scene.mesh.call(scene.digits, { n: 11 }, { verify: 'none', remote: true })).toEqual(digitsOf(11))
  })
}

const connectedIn = async (scene: Scene): Promise<Page> => {
  const page = await scene.open()
  await callIn(page, 'calling.connect', [scene.node.status.ticket])
  return page
}

const REMOTE = { verify: 'none', remote: true } as const

/** Resolves once the page that calls has a lender in reach: a call waits 2 s for one, and the road there may take longer. */
const reachedFrom = (caller: Page): Promise<void> =>
  until(() =>
    callIn(caller, 'calling.receipt', '/digits.wayside', { n: 1 }, REMOTE).then(
      () => true,
      (error) => {
        if (error.code === 'E_NO_PEER') return false
        throw error
      },
    ),
  )

/** What it has seen of others outlives the page. */
export const testRemembering = (scene: Scene): void => {
  test('a page that calls is the same peer after a reload, and asks a liar that it expelled for nothing', async () => {
    const liar = await startLiar(scene.node.status.ticket as string)
    await scene.reached(liar)
    const caller = await connectedIn(scene)
    await reachedFrom(caller)
    const called = (n: number, options: object) =>
      callIn<Called>(caller, 'calling.receipt', '/digits.wayside', { n }, options)
    const caught: Called[] = []
    for (let n = 1; n <= EXPELLED_AFTER; n++) caught.push(await called(n, { verify: 'self', remote: true }))
    const own = caught[0]?.executors[0]
    for (const [i, one] of caught.entries())
      expect(one).toMatchObject({ value: digitsOf(i + 1), executors: [own, liar], disputes: [{ liar }] })
    await caller.reload()
    await callIn(caller, 'calling.connect', [scene.node.status.ticket])
    await expect(called(0, { verify: 'none', remote: true })).rejects.toMatchObject({
      code: 'E_NO_PEER',
    })
    expect(await called(0, { verify: 'self' })).toMatchObject({ value: digitsOf(0), executors: [own] })
    await callIn(caller, 'calling.close')
  })
}

export const testCalling = (scene: Scene): void => {
  describe('a page calls', () => {
    const connected = () => connectedIn(scene)

    test('an agent, by a file of the site, in a map, and checks it itself where the level says so', async () => {
      const lender = await startAgent(['--join', scene.node.status.ticket as string], { listen: WEB_SOCKETS })
      onTestFinished(() => void lender.stop())
      await scene.reached(lender.status.peer)
      const caller = await connected()
      await reachedFrom(caller)
      const called = await callIn(caller, 'calling.receipt', '/digits.wayside', { n: 1000 }, REMOTE)
      expect(called).toMatchObject({ value: digitsOf(1000), executors: [lender.status.peer] })
      const inputs = [{ n: 1 }, { n: 2 }, { n: 3 }]
      expect(await callIn(caller, 'calling.map', '/digits.wayside', inputs, REMOTE)).toEqual([1, 2, 3].map(digitsOf))
      const checked = await callIn(caller, 'calling.receipt', '/digits.wayside', { n: 500 }, { verify: 'self' })
      expect(checked).toMatchObject({
        value: digitsOf(500),
        executors: [lender.status.peer, expect.any(String)],
        verification: { by: 'self' },
      })
      // Who only calls lends nothing.
      const { neighbours } = await statusOf(scene.node.data)
      expect(neighbours.filter(({ slots }) => slots > 0).map(({ peer }) => peer)).toEqual([lender.status.peer])
      await callIn(caller, 'calling.close')
      await lender.stop('SIGKILL')
    })

    test('another page, which runs it', async () => {
      const lender = await scene.lend(['mesh'])
      const caller = await connected()
      await reachedFrom(caller)
      const called = await callIn(caller, 'calling.receipt', '/digits.wayside', { n: 1000 }, REMOTE)
      expect(called).toMatchObject({ value: digitsOf(1000), executors: [lender.view.peer] })
      await callIn(caller, 'calling.close')
    })

    test('what it cannot do, it says', async () => {
      const caller = await connected()
      await expect(callIn(caller, 'calling.call', '/page.js', null)).rejects.toMatchObject({
        code: 'E_BUNDLE',
        message: expect.stringMatching(/is no function file, and a page cannot bundle a source.*functionFile/),
      })
      await expect(callIn(caller, 'calling.call', '/nothing.wayside', null)).rejects.toMatchObject({ code: 'E_BUNDLE' })
      await expect(callIn(caller, 'calling.connect', [])).rejects.toMatchObject({ code: 'E_USAGE' })
      await expect(callIn(caller, 'calling.connect', ['wayside1nonsense'])).rejects.toMatchObject({ code: 'E_TICKET' })
    })
  })
}

/** Bytes a second, and ms. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 90_000 }

/** Chromium only: the others cannot be slowed down. */
export const testSlow = (scene: Scene): void => {
  test('a page with a slow network and a quarter of a processor joins, and executes', async () => {
    const page = await scene.open()
    const session = await page.createCDPSession()
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 })
    await session.send('Network.emulateNetworkConditions', SLOW)
    await callIn(page, 'lending.start', scene.node.status.ticket, [scene.node.status.peer])
    const { peer } = await viewUntil(page, ({ state }) => state === 'lending')
    await scene.reached(peer)
    const options = { verify: 'none', remote: true, receipt: true } as const
    const { value, receipt } = await scene.mesh.call(scene.digits, { n: 1000 }, options)
    expect([value, receipt.executors]).toEqual([digitsOf(1000), [peer]])
  })
}
