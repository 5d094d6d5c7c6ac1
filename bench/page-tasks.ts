/** What a page's own thread does, task by task, by the trace of the browser. */
import type { CDPSession } from 'puppeteer-core'

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** Microseconds. */
  ts?: number
  dur?: number
  /** Of `dur`, what the thread had a processor for. */
  tdur?: number
  args?: { name?: string }
}

const MAIN_THREAD = 'CrRendererMain'

export interface PageTask {
  /** From its beginning to its end. */
  tookMs: number
  /** What it computed: where others use the processors as well, the rest it waited for one. */
  ranMs: number
}

/** Each task of the page's main thread within `durationMs`. `pid`: the process of the page. */
export const tasksOf = async (cdp: CDPSession, pid: number, durationMs: number): Promise<PageTask[]> => {
  const events: TraceEvent[] = []
  cdp.on('Tracing.dataCollected' as never, (({ value }: { value: TraceEvent[] }) => events.push(...value)) as never)
  const complete = new Promise<void>((resolve) =>
    cdp.on('Tracing.tracingComplete' as never, (() => resolve()) as never),
  )
  await cdp.send('Tracing.start', {
    traceConfig: { includedCategories: ['toplevel', '__metadata'] },
    transferMode: 'ReportEvents',
  } as never)
  await new Promise((resolve) => setTimeout(resolve, durationMs))
  await cdp.send('Tracing.end')
  await complete
  const main = events.find(
    (one) => one.pid === pid && one.ph === 'M' && one.name === 'thread_name' && one.args?.name === MAIN_THREAD,
  )
  const tasks = events.filter(
    ({ name, ph, pid: p, tid }) => p === pid && tid === main?.tid && ph === 'X' && name.endsWith('RunTask'),
  )
  if (tasks.length === 0) throw new Error('the trace has no task of the page: is this Chromium?')
  return tasks.map(({ dur = 0, tdur = dur }) => ({ tookMs: dur / 1000, ranMs: tdur / 1000 }))
}
