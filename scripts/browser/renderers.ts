/** The processes in which a browser's pages run, on Linux. */
import type { Page } from 'puppeteer-core'
import { descendantsOf, textOf, threadIdsOf } from '../processes.ts'
import type { RunningBrowser } from './launch.ts'

/** Some 100 ms, which is much beside what other pages of a test mostly do meanwhile. */
const SPINS = 1e8

export interface ThreadTimes {
  id: number
  name: string
  /** What it has computed. */
  ranMs: number
  /** What it has waited for a processor while it wanted to compute. */
  waitedMs: number
}

/** As the scheduler of Linux tells (Documentation/scheduler/sched-stats.rst). One that ends meanwhile is left out. */
export const threadsOf = (pid: number): ThreadTimes[] =>
  threadIdsOf(pid).flatMap((id) => {
    const [name, times] = ['comm', 'schedstat'].map((file) => textOf(`/proc/${pid}/task/${id}/${file}`)?.trim())
    if (name === undefined || times === undefined) return []
    const [ranMs, waitedMs] = times.split(' ').map((ns) => Number(ns) / 1e6) as [number, number]
    return [{ id, name, ranMs, waitedMs }]
  })

/** The process of a page, known by what it computes when it is told to: by far more than any other meanwhile. */
export const rendererOf = async (browser: RunningBrowser, page: Pick<Page, 'evaluate'>): Promise<number> => {
  const isRenderer = (pid: number) => textOf(`/proc/${pid}/cmdline`)?.includes('--type=renderer')
  // The first thread is the page's own; its workers may compute what they like.
  const ranMs = (pid: number) => threadsOf(pid).find(({ id }) => id === pid)?.ranMs ?? 0
  for (;;) {
    const before = descendantsOf(browser.pid)
      .filter(isRenderer)
      .map((pid) => ({ pid, ranMs: ranMs(pid) }))
    await page.evaluate(`{ let x = 0; for (let i = 0; i < ${SPINS}; i++) x = (x * 31 + i) | 0; x }`)
    const spun = before.map((one) => ({ pid: one.pid, ms: ranMs(one.pid) - one.ranMs })).sort((a, b) => b.ms - a.ms)
    const [most, second] = spun
    if (most && most.ms > 2 * (second?.ms ?? 0)) return most.pid
  }
}
