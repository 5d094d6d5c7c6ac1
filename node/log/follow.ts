/** The log as its owner reads it: what is kept, and with `follow` what comes. */

import { readLogFile } from './file.ts'
import { type LogLine, lineOf, names } from './line.ts'
import type { AgentLog } from './log.ts'

/** Lines kept for a reader that is slower than the log: some 4 MiB of the longest. */
export const WAITING_LINES_MAX = 1000

export interface LogQuery {
  follow: boolean
  /** Only lines that name this task, invocation, function or peer. */
  about: string | undefined
  signal: AbortSignal
}

/**
 * Lines as JSON text, the newest last. Ends when all were read, or with `follow` when `signal` is aborted. A reader that
 * follows too slowly is told how many lines it missed; they are in the file.
 */
export async function* followLog(
  data: string,
  log: AgentLog,
  { follow, about, signal }: LogQuery,
): AsyncGenerator<string> {
  const waiting: LogLine[] = []
  let missed = 0
  let wake = () => {}
  const unsubscribe = log.subscribe((line) => {
    if (about !== undefined && !names(line, about)) return
    if (waiting.length < WAITING_LINES_MAX) waiting.push(line)
    else missed++
    wake()
  })
  try {
    // In the same turn as the subscription: each line is either in the file or still to come.
    for (const line of readLogFile(data)) if (about === undefined || names(line, about)) yield JSON.stringify(line)
    const aborted = () => wake()
    signal.addEventListener('abort', aborted)
    while (follow && !signal.aborted) {
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
        yield JSON.stringify(line)
        if (waiting.length > 0 || missed === 0) continue
        yield JSON.stringify(lineOf(Date.parse(line.time), 'log.missed', { count: missed }))
        missed = 0
      }
      await new Promise<void>((resolve) => {
        wake = resolve
        if (waiting.length > 0 || signal.aborted) resolve()
      })
    }
  } finally {
    unsubscribe()
  }
}
