/** A durable invocation, as `wayside ps` lists it. */
import type { BackendInvocation } from '../../sdk/backend.ts'
import { shortId } from '../short-id.ts'
import { paintOut } from './terminal.ts'
import { durationWords } from './words.ts'

const sinceWords = ({ state, endedMs }: BackendInvocation, createdMs: number, nowMs: number): string =>
  state === 'running'
    ? `for ${durationWords(nowMs - createdMs)}`
    : `${durationWords(nowMs - (endedMs ?? nowMs))} ago, after ${durationWords((endedMs ?? createdMs) - createdMs)}`

const aboutWords = (one: BackendInvocation, nowMs: number): string => {
  if (one.function === undefined || one.createdMs === undefined) return 'its record is damaged'
  const called = `${shortId(one.function)}${one.export === 'default' ? '' : `#${one.export}`}`
  return `${called}  ${sinceWords(one, one.createdMs, nowMs)}`
}

/** One line; two where it has no room in so many columns. The id is whole: other commands take it. */
export const invocationWords = (one: BackendInvocation, nowMs: number, columns = Number.POSITIVE_INFINITY): string => {
  const colour = one.state === 'running' ? 'green' : one.state === 'failed' ? 'red' : 'dim'
  const state = one.state.padEnd('cancelled'.length)
  const rest = `  ${aboutWords(one, nowMs)}`
  const between = one.id.length + 2 + state.length + rest.length > columns ? '\n    ' : '  '
  return `${one.id}${between}${paintOut(colour, state)}${rest}\n`
}
