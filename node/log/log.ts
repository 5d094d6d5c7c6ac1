/** The log port of an agent: events above a level, at most some lines a second of each, to every sink. */
import type { Log, LogEventName, LogFields, LogLevel } from '../../protocol/log.ts'
import { LOG_EVENTS } from '../../protocol/log.ts'
import type { Clock } from '../../protocol/ports.ts'
import { LEVELS, type LogLine, lineOf } from './line.ts'

/** Of one event; a mesh that answers 10,000 tasks a second does not write 10,000 lines. */
const LINES_PER_SECOND_MAX = 20
/** Of one event that names one peer: the others' lines are not crowded out by it. */
const LINES_PER_PEER_PER_SECOND_MAX = 5
/** Of a line's text; a hostile peer chooses some of it. */
const REASON_CHARS_MAX = 4096
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
  /** By event: lines written and left out in the second under way, and those written by peer. */
  const counts = new Map<LogEventName, { written: number; leftOut: number; byPeer: Map<string, number> }>()
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
      const count = counts.get(name) ?? { written: 0, leftOut: 0, byPeer: new Map() }
      counts.set(name, count)
      const { peer = '', reason } = fields ?? {}
      const ofPeer = count.byPeer.get(peer) ?? 0
      const isOver = peer !== '' && ofPeer >= LINES_PER_PEER_PER_SECOND_MAX
      if (isOver || count.written >= LINES_PER_SECOND_MAX) {
        count.leftOut++
        return
      }
      count.written++
      count.byPeer.set(peer, ofPeer + 1)
      const isLong = reason !== undefined && reason.length > REASON_CHARS_MAX
      write(name, isLong ? { ...fields, reason: `${reason.slice(0, REASON_CHARS_MAX)}…` } : fields)
    },
    subscribe(sink) {
      sinks.add(sink)
      return () => sinks.delete(sink)
    },
    flush,
  }
}
