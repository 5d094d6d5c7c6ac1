/** In a browser's worker the same checker takes the same modules, and each call gives the same, for the same gas and stack. */
import { expect, onTestFinished, test } from 'vitest'
import type { RunningBrowser } from '../../../scripts/browser/launch.ts'
import { openWorkerPage } from '../../../scripts/browser/worker-page.ts'
import { deepQuestions, kernelQuestions } from './hosts.ts'
import { answer } from './probe.ts'

export const testMeteredIn = (browser: () => RunningBrowser): void => {
  test('answers as Node does, about kernels, starved ones, and endless recursion', async () => {
    const page = await openWorkerPage(browser(), new URL('./probe-worker.ts', import.meta.url))
    onTestFinished(() => page.close())
    for (const [name, question] of [...(await kernelQuestions()), ...(await deepQuestions())]) {
      expect([name, JSON.parse(await page.ask(JSON.stringify(question)))]).toEqual([name, answer(question)])
    }
  })
}
