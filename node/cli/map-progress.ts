/** How far a map is: a bar on a terminal, a line now and then elsewhere, and a summary at the end. */
import type { BackendResult } from '../../sdk/backend.ts'
import { shortId } from '../short-id.ts'
import { note, paint, say } from './terminal.ts'
import { countOf, countWords, durationWords } from './words.ts'

const DRAW_EVERY_MS = 100
/** Where no bar can be drawn. */
const SAY_EVERY_MS = 10_000
/** The rate is that of the last seconds, so that the time left follows what happens. */
const RATE_MS = 5000
const BAR_COLUMNS = 24
/** Nothing came for so long: what is waited for is worth saying. */
const QUIET_MS = 2000

export interface MapSummary {
  items: number
  failed: number
  duration_ms: number
  executors: string[]
  executions: number
  recovered: number
  local: number
  /** Answered from the memo, without an execution. */
  memo: number
  /** How many answers were checked, and by whom: `none`, `own`, `audit`, `quorum`, `self`, `memo`. */
  verification: Record<string, number>
  /** Signed answers that differ from those used, by who gave them. */
  liars: Record<string, number>
}

const barOf = (share: number): string => {
  const full = Math.round(share * BAR_COLUMNS)
  return paint('green', '━'.repeat(full)) + paint('dim', '━'.repeat(BAR_COLUMNS - full))
}

export class MapProgress {
  readonly #total: number | undefined
  readonly #startedMs = performance.now()
  readonly #summary: MapSummary
  readonly #executors = new Set<string>()
  /** Items done at instants of the last seconds, the oldest first. */
  #samples: { atMs: number; done: number }[]
  #done: number
  #resultMs = performance.now()
  #drawn = false
  readonly #timer: NodeJS.Timeout

  /** `before`: items that an earlier run finished. */
  constructor(total: number | undefined, before: number) {
    this.#total = total
    this.#done = before
    this.#samples = [{ atMs: this.#startedMs, done: before }]
    this.#summary = {
      items: 0,
      failed: 0,
      duration_ms: 0,
      executors: [],
      executions: 0,
      recovered: 0,
      local: 0,
      memo: 0,
      verification: {},
      liars: {},
    }
    const everyMs = process.stderr.isTTY ? DRAW_EVERY_MS : SAY_EVERY_MS
    this.#timer = setInterval(() => (process.stderr.isTTY ? this.#draw() : say(this.#words())), everyMs)
  }

  result(result: BackendResult): void {
    const summary = this.#summary
    const [executor] = result.executors
    if (executor !== undefined && !result.local) this.#executors.add(executor)
    summary.executions += result.executions
    summary.recovered += result.recovered
    if (result.memo) summary.memo++
    const { by } = result.verification
    summary.verification[by] = (summary.verification[by] ?? 0) + 1
    if (result.local && summary.local++ === 0) this.#aside('no peer in reach: running in the sandbox of this machine')
    for (const { liar } of result.disputes) {
      summary.liars[liar] = (summary.liars[liar] ?? 0) + 1
      if (summary.liars[liar] === 1) this.#aside(`${shortId(liar)} signed another answer than the one used`)
    }
  }

  item(ok: boolean): void {
    this.#done++
    this.#summary.items++
    if (!ok) this.#summary.failed++
    this.#resultMs = performance.now()
  }

  waits(reason: string): void {
    if (performance.now() - this.#resultMs < QUIET_MS) return
    this.#resultMs = performance.now()
    this.#aside(reason)
  }

  /** Makes room for lines that go to the same terminal. */
  clear(): void {
    if (this.#drawn) process.stderr.write('\r\u001b[K')
    this.#drawn = false
  }

  end(): MapSummary {
    clearInterval(this.#timer)
    this.clear()
    const duration_ms = Math.round(performance.now() - this.#startedMs)
    return { ...this.#summary, duration_ms, executors: [...this.#executors] }
  }

  #aside(text: string): void {
    this.clear()
    note(text)
  }

  #rate(): number {
    const atMs = performance.now()
    this.#samples.push({ atMs, done: this.#done })
    while (this.#samples.length > 2 && atMs - this.#samples[0]!.atMs > RATE_MS) this.#samples.shift()
    const [first] = this.#samples
    const elapsedMs = atMs - first!.atMs
    return elapsedMs > 0 ? ((this.#done - first!.done) * 1000) / elapsedMs : 0
  }

  #words(): string {
    const rate = this.#rate()
    const { recovered, failed } = this.#summary
    const of = this.#total === undefined ? '' : `/${countWords(this.#total)}`
    const left =
      this.#total === undefined || rate === 0 ? '' : `${durationWords(((this.#total - this.#done) / rate) * 1000)} left`
    return [
      `${countWords(this.#done)}${of}`,
      `${countWords(Math.round(rate))}/s`,
      countOf(this.#executors.size, 'executor'),
      recovered > 0 ? `${countWords(recovered)} re-executed` : '',
      failed > 0 ? paint('red', `${countWords(failed)} failed`) : '',
      left,
    ]
      .filter((word) => word !== '')
      .join(' · ')
  }

  #draw(): void {
    const share = this.#total === undefined ? 0 : this.#done / Math.max(1, this.#total)
    const bar = this.#total === undefined ? '' : `${barOf(share)} `
    process.stderr.write(`\r\u001b[K${bar}${this.#words()}`)
    this.#drawn = true
  }
}

/** One line at the end. */
export const summaryWords = (summary: MapSummary): string => {
  const { items, failed, duration_ms, executors, recovered, local, memo, liars } = summary
  const rate = Math.round((items * 1000) / Math.max(1, duration_ms))
  const differing = Object.entries(liars).map(
    ([peer, count]) => `${shortId(peer)} signed ${countOf(count, 'differing answer')}`,
  )
  const ran = local + memo === items ? 'in the sandbox of this machine' : `on ${countOf(executors.length, 'executor')}`
  const where = memo > 0 && memo === items ? 'from memo' : ran
  return [
    `${countOf(items, 'item')} in ${durationWords(duration_ms)} (${countWords(rate)}/s) ${where}`,
    memo > 0 && memo < items ? `${countWords(memo)} from memo` : '',
    recovered > 0 ? `${countWords(recovered)} re-executed` : '',
    ...differing,
    failed > 0 ? paint('red', `${countWords(failed)} failed`) : 'none failed',
  ]
    .filter((word) => word !== '')
    .join(' · ')
}
