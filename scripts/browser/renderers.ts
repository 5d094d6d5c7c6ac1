/** The processes in which a browser's pages run, on Linux. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Page } from 'puppeteer-core'
import type { RunningBrowser } from './launch.ts'

/** Long beside what other pages of a test do in the same time. */
const SPIN_MS = 200

/** The processes below `pid`, each thread of which may have started some. */
export const descendantsOf = (pid: number): number[] => {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const children = tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
  return children.filter(Boolean).flatMap((child) => [Number(child), ...descendantsOf(Number(child))])
}

/** What each thread has computed, and has waited for a processor while it wanted to, ms: proc(5), schedstat. */
export const threadsOf = (pid: number): { name: string; ranMs: number; waitedMs: number }[] =>
  readdirSync(`/proc/${pid}/task`).map((task) => {
    const read = (file: string) => readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8').trim()
    const [ran, waited] = read('schedstat').split(' ')
    return { name: read('comm'), ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 }
  })

/** The process of a page, known by what it computes when it is told to. */
export const rendererOf = async (browser: RunningBrowser, page: Page): Promise<number> => {
  const isRenderer = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')
  const renderers = descendantsOf(browser.pid).filter(isRenderer)
  const ranMs = (pid: number) => threadsOf(pid).reduce((sum, thread) => sum + thread.ranMs, 0)
  const before = renderers.map(ranMs)
  await page.evaluate(`{ const end = performance.now() + ${SPIN_MS}; while (performance.now() < end); }`)
  const spun = renderers.map((pid, i) => ranMs(pid) - (before[i] as number))
  return renderers[spun.indexOf(Math.max(...spun))] as number
}
