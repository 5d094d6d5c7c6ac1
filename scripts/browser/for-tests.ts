/** One browser for the tests of a file: to start one takes seconds. */
import { afterAll, beforeAll } from 'vitest'
import { type RunningBrowser, startBrowser } from './launch.ts'
import type { BrowserName } from './profiles.ts'

/** To be called at the top of the file, or of a `describe`. What it returns gives the browser once tests run. */
export const browserForTests = (name: BrowserName): (() => RunningBrowser) => {
  let browser: RunningBrowser | undefined
  beforeAll(async () => {
    browser = await startBrowser(name)
  })
  afterAll(() => browser?.close())
  return () => browser as RunningBrowser
}
