/** `wayside ps`, `wait`, `result` and `cancel`: invocations that their home keeps. */
import { MeshError } from '../../protocol/errors.ts'
import { type Value, valueToJson } from '../../protocol/values.ts'
import { consoleOf, endedWith } from '../../sdk/answer.ts'
import type { BackendDurable, BackendEnd } from '../../sdk/backend.ts'
import { createControlBackend } from '../control/backend.ts'
import { invocationToWire } from '../control/invocations.ts'
import { shortId } from '../short-id.ts'
import { openKeeper } from './backends.ts'
import { showConsole } from './guest-words.ts'
import { invocationWords } from './invocation-words.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { onInterrupt, print, printJson, whileWaiting } from './terminal.ts'

/** Of what the agent of this machine keeps. Throws MeshError E_AGENT_NOT_RUNNING. */
export const withKept = <T>(flags: OwnerFlags, use: (durable: BackendDurable) => Promise<T>): Promise<T> =>
  withAgent(flags, (client) => use(createControlBackend(client).durable))

/** Of what its agent keeps, or homes in reach keep for it while that does not run. */
export const withDurable = async <T>(
  flags: OwnerFlags,
  use: (durable: BackendDurable) => Promise<T>,
  what = 'for the agent to answer',
): Promise<T> => {
  const keeper = await whileWaiting('for its home', openKeeper(flags))
  try {
    return await whileWaiting(what, use(keeper.durable))
  } finally {
    await keeper.close()
  }
}

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

/** Whoever interrupts this ends the waiting, and nothing else: it is said so, as MeshError E_CANCELLED. */
export const waitedFor = async (
  durable: BackendDurable,
  id: string,
  signal: AbortSignal,
  goesOn = `the invocation goes on; to end it: wayside cancel ${id}`,
): Promise<BackendEnd> => {
  try {
    return await durable.wait(id, signal)
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new MeshError('E_CANCELLED', { message: `you stopped waiting, and ${goesOn}` }, { cause })
  }
}

export const ps = async (flags: OwnerFlags & { all?: boolean }): Promise<undefined> => {
  const all = flags.all ?? false
  const found = await withKept(flags, (durable) => durable.list(all))
  if (flags.json) return printJson(found.map(invocationToWire)) as Promise<undefined>
  const nothing = all
    ? 'no invocations are kept here\n'
    : 'nothing durable runs; those that have ended: wayside ps --all\n'
  const { columns } = process.stdout
  await print(found.length === 0 ? nothing : found.map((one) => invocationWords(one, Date.now(), columns)).join(''))
}

export const wait = async (id: string, flags: OwnerFlags): Promise<undefined> => {
  const { signal, dispose } = onInterrupt()
  try {
    const what = `for invocation ${shortId(id)} to end`
    await withDurable(flags, async (durable) => showEnd(id, await waitedFor(durable, id, signal), flags), what)
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
    wasRunning ? 'cancelled: nothing of it is committed any more\n' : `it had ended before; see wayside result ${id}\n`,
  )
}
