/** All that is asked of the engine in a browser, and what it is asked by. The browser starts once. */
import { testWorkerPage } from '../../scripts/browser/conformance.ts'
import { browserForTests } from '../../scripts/browser/for-tests.ts'
import type { BrowserName } from '../../scripts/browser/profiles.ts'
import { testFrames } from '../../scripts/engine/testing/frames.ts'
import { testCarried } from '../program/testing/same.ts'
import { testMeteredIn } from '../wasm/testing/conformance.ts'
import { browserHost } from './hosts.ts'
import { halfOfPrograms, testSame } from './same.ts'

export const testEngineIn = (name: BrowserName): void => {
  const browser = browserForTests(name)
  const host = () => browserHost(browser())
  testWorkerPage(browser)
  testFrames(async () => browser())
  testMeteredIn(browser)
  testCarried('functions with WebAssembly come out the same in a worker of a page', [host])
  // On some machines Firefox takes twenty times as long as Chromium. All programs: npm run torture.
  const programs = name === 'firefox' ? halfOfPrograms() : undefined
  testSame('every program comes out the same in a worker of a page', [host], programs)
}
