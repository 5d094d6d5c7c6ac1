/** The log as its owner reads it: what is kept, and with `follow` what comes. */

import { readLogFile } from './file.ts'
import { names } from './line.ts'
import type { AgentLog } from './log.ts'

export interface LogQuery {
  follow: boolean
  /** Only lines that name this task, invocation, function or peer. */
  about: string | undefined
  signal: AbortSignal
}

/** Lines as JSON text, the newest last. Ends when all were read, or with `follow` when `signal` is aborted. */
export async function* followLog(
  data: string,
  log: AgentLog,
  { follow, about, signal }: LogQuery,
): AsyncGenerator<string> {
  const waiting: string[] = []
  let wake = () => {}
  const unsubscribe = log.subscribe((line) => {
    if (about !== undefined && !names(line, about)) return
    waiting.push(JSON.stringify(line))
    wake()
  })
  try {
    // In the same turn as the subscription: each line is either in the file or still to come.
    for (const line of readLogFile(data)) if (about === undefined || names(line, about)) yield JSON.stringify(line)
    const aborted = () => wake()
    signal.addEventListener('abort', aborted)
    while (follow && !signal.aborted) {
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) yield line
      await new Promise<void>((resolve) => {
        wake = resolve
        if (waiting.length > 0 || signal.aborted) resolve()
      })
    }
  } finally {
    unsubscribe()
  }
}
