/** `wayside ps`, `wait`, `result` and `cancel`: invocations that their home keeps. */
import { MeshError } from '../../protocol/errors.ts'
import { type Value, valueToJson } from '../../protocol/values.ts'
import { consoleOf, endedWith } from '../../sdk/answer.ts'
import type { BackendDurable, BackendEnd, BackendInvocation } from '../../sdk/backend.ts'
import { createControlBackend } from '../control/backend.ts'
import { shortId } from '../short-id.ts'
import { showConsole } from './guest-words.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { onInterrupt, paint, print, printJson, whileWaiting } from './terminal.ts'
import { durationWords } from './words.ts'

export const withDurable = <T>(flags: OwnerFlags, use: (durable: BackendDurable) => Promise<T>): Promise<T> =>
  withAgent(flags, (client) => use(createControlBackend(client).durable))

const asIs = (text: string): string => text

interface Shown {
  json?: boolean | undefined
  /** The file of the function, in what it printed. */
  source?: string
  /** Leads stacks back to the sources, where they are known. */
  readStack?: (text: string) => string
}

/** Prints how it ended. Throws what it ended with, if that is no value. */
export const showEnd = async (id: string, end: BackendEnd, shown: Shown): Promise<void> => {
  const { json, source = shortId(id), readStack = asIs } = shown
  const lines = end.outcome ? consoleOf(end.outcome, readStack) : []
  if (!json) showConsole(lines, source)
  const value: Value = endedWith(end, readStack)
  if (!json) return print(`${valueToJson(value, process.stdout.isTTY ? 2 : undefined)}\n`)
  const about = { id, fuel: end.outcome?.fuel, memory_bytes: end.outcome?.memory_bytes, console: lines }
  return print(`{"value":${valueToJson(value)},${JSON.stringify(about).slice(1)}\n`)
}

const sinceWords = ({ state, createdMs, endedMs }: BackendInvocation, nowMs: number): string =>
  state === 'running'
    ? `for ${durationWords(nowMs - createdMs)}`
    : `${durationWords(nowMs - (endedMs ?? nowMs))} ago, after ${durationWords((endedMs ?? createdMs) - createdMs)}`

const lineOf = (one: BackendInvocation, nowMs: number): string => {
  const colour = one.state === 'running' ? 'green' : one.state === 'failed' ? 'red' : 'dim'
  const called = `${shortId(one.function)}${one.export === 'default' ? '' : `#${one.export}`}`
  return `${one.id}  ${paint(colour, one.state.padEnd(9))}  ${called}  ${sinceWords(one, nowMs)}\n`
}

export const ps = async (flags: OwnerFlags & { all?: boolean }): Promise<undefined> => {
  const all = flags.all ?? false
  const found = await withDurable(flags, (durable) => durable.list(all))
  if (flags.json) {
    const rows = found.map(({ createdMs, endedMs, ...rest }) => ({
      ...rest,
      created_ms: createdMs,
      ended_ms: endedMs ?? null,
    }))
    return printJson(rows) as Promise<undefined>
  }
  const nothing = all
    ? 'no invocations are kept here\n'
    : 'nothing durable runs; those that have ended: wayside ps --all\n'
  await print(found.length === 0 ? nothing : found.map((one) => lineOf(one, Date.now())).join(''))
}

export const wait = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  const { signal, dispose } = onInterrupt()
  try {
    await withDurable(flags, async (durable) =>
      showEnd(id, await whileWaiting(`for invocation ${shortId(id)} to end`, durable.wait(id, signal)), flags),
    )
  } finally {
    dispose()
  }
}

export const result = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  await withDurable(flags, async (durable) => {
    const end = await durable.end(id)
    if (!end) throw new MeshError('E_USAGE', `invocation ${shortId(id)} still runs; to wait for it: wayside wait ${id}`)
    await showEnd(id, end, flags)
  })
}

export const cancel = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  const wasRunning = await withDurable(flags, (durable) => durable.cancel(id))
  if (flags.json) return printJson({ id, cancelled: wasRunning }) as Promise<undefined>
  await print(
    wasRunning ? 'cancelled: nothing of it is committed any more\n' : 'it had ended before; see wayside result\n',
  )
}
