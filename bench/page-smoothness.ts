/**
 * Does a page that lends half of a core stay smooth? A page animates; a real agent has it run a map without a pause. The
 * control is the same page that lends nothing, on the same machine, in turn.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'puppeteer-core'
import { connect, fn } from '../node/sdk.ts'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { startBrowser } from '../scripts/browser/launch.ts'
import { rendererOf } from '../scripts/browser/renderers.ts'
import { type BenchAgent, startAgent } from './agents.ts'
import { interleave, median, percentile, rounded, row, type Subject } from './measure.ts'
import { tasksOf } from './page-tasks.ts'

const ROUNDS = 3
const WINDOW_MS = 10_000
const LONG_TASK_MS = 50
/** Some 20 ms in a page, with an input and a result of 10 kB: what crosses is hashed, signed and encrypted there. */
const WORK = `export default (text) => {
  let sum = 0
  for (let i = 0; i < 100_000; i++) sum = (sum * 31 + i) % 1000003
  return text + sum
}`

interface Round {
  /** Of tasks, from beginning to end. */
  p99: number
  longPerMinute: number
  /** The same of what they computed. */
  ranP99: number
  longRunsPerMinute: number
  framesPerSecond: number
}

/** Runs items until `over`, two under way. */
const keepBusy = async (data: string, over: AbortSignal): Promise<void> => {
  const path = join(data, 'work.ts')
  writeFileSync(path, WORK)
  const work = fn<(text: string) => string>(path)
  const inputs = async function* () {
    for (let i = 0; !over.aborted; i++) yield String(i).padEnd(10_000, 'x')
  }
  const mesh = await connect({ data })
  try {
    for await (const item of mesh.map(work, inputs(), { verify: 'none', remote: true })) if (!item.ok) throw item.error
  } finally {
    await mesh.close()
  }
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(50)
}

const longPerMinute = (tasks: readonly number[]): number =>
  (tasks.filter((ms) => ms >= LONG_TASK_MS).length * 60_000) / WINDOW_MS

/** `pid`: the process of the page. */
const watch = async (page: Page, pid: number): Promise<Round> => {
  const cdp = await page.createCDPSession()
  const before = await callIn<number>(page, 'smooth.frames')
  const tasks = await tasksOf(cdp, pid, WINDOW_MS)
  const frames = (await callIn<number>(page, 'smooth.frames')) - before
  const [took, ran] = [tasks.map(({ tookMs }) => tookMs), tasks.map(({ ranMs }) => ranMs)]
  return {
    p99: percentile(took, 99),
    longPerMinute: longPerMinute(took),
    ranP99: percentile(ran, 99),
    longRunsPerMinute: longPerMinute(ran),
    framesPerSecond: (frames * 1000) / WINDOW_MS,
  }
}

/** Of a page that lends to `agent` all the time. */
const watchLending = async (page: Page, pid: number, agent: BenchAgent): Promise<Round> => {
  const over = new AbortController()
  const tasks = async () => (await callIn<{ tasks: number }>(page, 'smooth.today')).tasks
  await callIn(page, 'smooth.lend', agent.ticket, ['mesh'])
  await until(async () => (await callIn(page, 'smooth.state')) === 'lending')
  const busy = keepBusy(agent.data, over.signal)
  const failed = busy.then(() => Promise.reject(new Error('the map ended too soon')))
  failed.catch(() => {})
  try {
    await Promise.race([failed, until(async () => (await tasks()) > 10)])
    const before = await tasks()
    const round = await Promise.race([failed, watch(page, pid)])
    if ((await tasks()) - before < WINDOW_MS / 200) throw new Error('the page had next to nothing to do')
    return round
  } finally {
    over.abort()
    await busy.catch(() => {})
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const agent = await startAgent({ cpus: 0, listen: '/ip4/127.0.0.1/tcp/0/ws' })
  const served = await serveEntry(new URL('./smooth-page.ts', import.meta.url))
  const browser = await startBrowser('chromium')
  const inPage = async (round: (page: Page, pid: number) => Promise<Round>): Promise<Round> => {
    const page = await browser.open(served.url)
    try {
      return await round(page, await rendererOf(browser, page))
    } finally {
      await page.close()
    }
  }
  const subjects: Subject<Round>[] = [
    { name: 'lends half of a core', run: () => inPage((page, pid) => watchLending(page, pid, agent)) },
    { name: 'control: lends nothing', run: () => inPage(watch) },
  ]
  const results = await interleave(subjects, ROUNDS, 0)
  await browser.close()
  served.close()
  await agent.stop()
  const figures: [name: string, unit: string, pick: (round: Round) => number][] = [
    ['p99 of tasks', 'ms', ({ p99 }) => p99],
    ['p99 of what tasks computed', 'ms', ({ ranP99 }) => ranP99],
    ['long tasks', '/min', ({ longPerMinute: long }) => long],
    ['tasks that computed for long', '/min', ({ longRunsPerMinute: long }) => long],
    ['frames', '/s', ({ framesPerSecond }) => framesPerSecond],
  ]
  for (const [name, rounds] of results)
    for (const [figure, unit, pick] of figures) print(row(`${name}, ${figure}`, unit, rounds.map(pick)))
  const of = (name: string, pick: (round: Round) => number) => median((results.get(name) ?? []).map(pick))
  return {
    p99_task_ms: rounded(of('lends half of a core', ({ p99 }) => p99)),
    control_p99_task_ms: rounded(of('control: lends nothing', ({ p99 }) => p99)),
    long_tasks_per_min: rounded(of('lends half of a core', ({ longPerMinute: long }) => long)),
    cpu_p99_task_ms: rounded(of('lends half of a core', ({ ranP99 }) => ranP99)),
    control_cpu_p99_task_ms: rounded(of('control: lends nothing', ({ ranP99 }) => ranP99)),
    long_cpu_tasks_per_min: rounded(of('lends half of a core', ({ longRunsPerMinute: long }) => long)),
    frames_per_s: rounded(of('lends half of a core', ({ framesPerSecond }) => framesPerSecond)),
    control_frames_per_s: rounded(of('control: lends nothing', ({ framesPerSecond }) => framesPerSecond)),
  }
}
