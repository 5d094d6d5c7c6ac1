/** The log port of an agent: events above a level, at most some lines a second of each, to every sink. */
import type { Log, LogEventName, LogFields, LogLevel } from '../../protocol/log.ts'
import { LOG_EVENTS } from '../../protocol/log.ts'
import type { Clock } from '../../protocol/ports.ts'
import { LEVELS, type LogLine, lineOf } from './line.ts'

/** Of one event; a mesh that answers 10,000 tasks a second does not write 10,000 lines. */
const LINES_PER_SECOND_MAX = 20
const SECOND_MS = 1000

export type LogSink = (line: LogLine) => void

export interface AgentLog extends Log {
  /** Every line from now on; the returned function ends it. */
  subscribe(sink: LogSink): () => void
  /** Says how many lines were left out, if any were. */
  flush(): void
}

export const createAgentLog = (clock: Clock, level: LogLevel): AgentLog => {
  const sinks = new Set<LogSink>()
  /** By event: lines written and left out in the second under way. */
  const counts = new Map<LogEventName, { written: number; leftOut: number }>()
  let endSecond: (() => void) | undefined

  const write = (name: LogEventName, fields?: LogFields) => {
    const line = lineOf(clock.now(), name, fields)
    for (const sink of sinks) sink(line)
  }

  const flush = () => {
    endSecond?.()
    endSecond = undefined
    for (const [name, { leftOut }] of counts) {
      if (leftOut > 0) write(name, { count: leftOut, reason: 'more of these within a second' })
    }
    counts.clear()
  }

  return {
    event(name, fields) {
      if (LEVELS.indexOf(LOG_EVENTS[name]) < LEVELS.indexOf(level)) return
      endSecond ??= clock.after(SECOND_MS, flush)
      const count = counts.get(name) ?? { written: 0, leftOut: 0 }
      counts.set(name, count)
      if (count.written >= LINES_PER_SECOND_MAX) {
        count.leftOut++
        return
      }
      count.written++
      write(name, fields)
    },
    subscribe(sink) {
      sinks.add(sink)
      return () => sinks.delete(sink)
    },
    flush,
  }
}
