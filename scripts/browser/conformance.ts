/** What a test may rely on in each browser. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { descendantsOf } from '../processes.ts'
import { isAlive } from '../test/is-alive.ts'
import type { RunningBrowser } from './launch.ts'
import type { BrowserName } from './profiles.ts'
import { openWorkerPage } from './worker-page.ts'

/** Starts a browser, says which process it is, and waits to be killed. */
const STARTER = (name: BrowserName) => `
  import { startBrowser } from ${JSON.stringify(new URL('./launch.ts', import.meta.url).href)}
  const { pid } = await startBrowser('${name}')
  console.log(pid)
  setInterval(() => {}, 1000)`

export const testWorkerPage = (browser: () => RunningBrowser): void => {
  test('a worker of a page answers, or says what went wrong in it', async () => {
    const page = await openWorkerPage(browser(), new URL('./echo-worker.ts', import.meta.url))
    onTestFinished(() => page.close())
    const [text, origin] = JSON.parse(await page.ask('a `quoted` question'))
    expect([text, origin]).toEqual(['a `quoted` question', expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)])
    await expect(page.ask('fail')).rejects.toThrow('asked to fail')
    expect(JSON.parse(await page.ask('again'))[0]).toBe('again')
  })
}

export const testBrowser = (name: BrowserName): void => {
  test('ends with the process that started it, also when that is killed', async () => {
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTER(name)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void starter.kill('SIGKILL'))
    const [line] = await once(createInterface(starter.stdout), 'line')
    const all = [Number(line), ...descendantsOf(Number(line))]
    expect(all.length).toBeGreaterThan(1)
    expect(isAlive(Number(line))).toBe(true)
    starter.kill('SIGKILL')
    await expect.poll(() => all.filter(isAlive)).toEqual([])
  })
}
