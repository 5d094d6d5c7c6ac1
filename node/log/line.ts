/** One line of the log: an event with its instant. As JSON it is what the file keeps; as text it is what people read. */
import { styleText } from 'node:util'
import { LOG_EVENTS, type LogEventName, type LogFields, type LogLevel } from '../../protocol/log.ts'
import { plainText } from '../plain-text.ts'
import { shortId } from '../short-id.ts'

type Texts<T> = { [K in keyof T]: T[K] extends number | undefined ? T[K] : string }

export interface LogLine extends Texts<LogFields> {
  /** ISO 8601, UTC. */
  time: string
  level: LogLevel
  event: LogEventName
}

export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export const lineOf = (nowMs: number, event: LogEventName, fields: LogFields = {}): LogLine => ({
  time: new Date(nowMs).toISOString(),
  level: LOG_EVENTS[event],
  event,
  ...textsOf(fields),
})

const textsOf = (fields: LogFields): Texts<LogFields> =>
  Object.fromEntries(Object.entries(fields).map(([name, x]) => [name, typeof x === 'object' ? x.toString() : x]))

const STYLES = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const
const IDS: ReadonlySet<string> = new Set(['peer', 'task', 'invocation', 'function', 'block'])

const fieldText = (name: string, value: unknown): string => {
  const text = IDS.has(name) ? shortId(String(value)) : plainText(String(value))
  return `${name}=${/[\s"]/.test(text) ? JSON.stringify(text) : text}`
}

/** `14:03:59 info  peer.joined  peer=12D3…x7Qp2a`, in local time; `colour` for a terminal. */
export const lineToText = ({ time, level, event, ...fields }: LogLine, colour: boolean): string => {
  const style = (name: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(name, text, { validateStream: false }) : text
  const clock = new Date(time).toTimeString().slice(0, 8)
  const rest = Object.entries(fields).map(([name, value]) => fieldText(name, value))
  return [style('dim', clock), style(STYLES[level], level.padEnd(5)), event.padEnd(16), ...rest].join(' ').trimEnd()
}

/** Does the line name `id`: a whole ID, or a shortened one as it is shown? */
export const names = (line: LogLine, id: string): boolean => {
  const [head = '', tail = ''] = id.split('…')
  return [...IDS].some((name) => {
    const value = line[name as keyof LogLine]
    return typeof value === 'string' && value.startsWith(head) && value.endsWith(tail)
  })
}
