/** Browsers for tests: headless, driven over WebDriver BiDi, each with a fresh profile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import puppeteer, { type Page } from 'puppeteer-core'
import type { KeeperLine } from './keeper.ts'
import type { BrowserName, ProfileOptions } from './profiles.ts'

export interface RunningBrowser {
  readonly name: BrowserName
  readonly version: string
  /** Of its first process. */
  readonly pid: number
  /** A new page at `url`. */
  open(url: string): Promise<Page>
  /** Ends it and removes its profile. */
  close(): Promise<void>
}

const KEEPER = fileURLToPath(new URL('./keeper.ts', import.meta.url))
/** Of one order, which may be to compute for long: whoever gives it has a guard of its own, which is shorter. */
const ORDER_MS_MAX = 600_000

export interface BrowserOptions extends ProfileOptions {
  /** As if a person had agreed to each certificate that nobody vouches for. */
  acceptInsecureCerts?: boolean
  /**
   * Chromium alone, for measuring: driven by its own protocol, since over BiDi it tells the driver of each request and each
   * frame of a WebSocket, which costs browser and driver milliseconds for each task of a mesh.
   */
  isUnwatched?: boolean
}

/** Starts a browser that ends with this process. Throws what it printed if it does not start. */
export const startBrowser = async (name: BrowserName, options: BrowserOptions = {}): Promise<RunningBrowser> => {
  const { isPressed = false, isThrottled = false, isUnwatched = false, ...driving } = options
  const keeper = spawn(process.execPath, [KEEPER, name, JSON.stringify({ isPressed, isThrottled })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(keeper, 'exit')
  const close = async () => {
    keeper.stdin.end()
    await exited
  }
  try {
    const [text] = await once(createInterface(keeper.stdout), 'line')
    const line = JSON.parse(text) as KeeperLine
    if ('failed' in line) throw new Error(line.failed)
    const driven = await puppeteer.connect({
      browserWSEndpoint: line.endpoint,
      protocol: isUnwatched ? 'cdp' : 'webDriverBiDi',
      networkEnabled: !isUnwatched,
      protocolTimeout: ORDER_MS_MAX,
      ...driving,
    })
    const open = async (url: string) => {
      const page = await driven.newPage()
      await page.goto(url, { timeout: ORDER_MS_MAX })
      return page
    }
    const disconnectAndClose = async () => {
      await driven.disconnect()
      await close()
    }
    return { name, version: await driven.version(), pid: line.pid, open, close: disconnectAndClose }
  } catch (error) {
    await close()
    throw error
  }
}
