/** `wayside state`: what functions keep at this home, read and changed by its owner. */
import { MeshError } from '../../protocol/errors.ts'
import { LIST_ENTRIES_MAX, STATE_VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { ensureStateKey, ensureStateNamespace, ensureStatePrefix } from '../../protocol/state-names.ts'
import { decodeValue, encodeValue, valueToJson } from '../../protocol/values.ts'
import { dataDirOf } from '../config.ts'
import { type AgentClient, connectAgent, errorOf } from '../control/client.ts'
import { changeBytes, type WireChange } from '../control/owner-state.ts'
import { readInput } from './input.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { note, onInterrupt, print } from './terminal.ts'

interface ListFlags extends OwnerFlags {
  after?: string
}

/** Before the agent is asked, which takes no frame that is none. Throws MeshError E_USAGE. */
const ensureNames = (namespace: string, { key, prefix }: { key?: string; prefix?: string | undefined } = {}): void => {
  ensureStateNamespace(namespace)
  if (key !== undefined) ensureStateKey(key)
  if (prefix !== undefined) ensureStatePrefix(prefix)
}

const encodedOf = async (text: string): Promise<Uint8Array> => {
  const value = encodeValue(await readInput(text))
  if (value.length <= STATE_VALUE_BYTES_MAX) return value
  const message = `the value has ${value.length} bytes, values have up to ${STATE_VALUE_BYTES_MAX}: keep parts of it under several keys`
  throw new MeshError('E_USAGE', { message, bytes: value.length })
}

const jsonOf = (value: Uint8Array, indent?: number): string => valueToJson(decodeValue(value), indent)
const isShown = (flags: OwnerFlags): boolean => process.stdout.isTTY === true && !flags.json

/** Exit status 1: there is nothing. */
export const get = async (namespace: string, key: string, flags: OwnerFlags): Promise<number> => {
  ensureNames(namespace, { key })
  const { version, value } = await withAgent(flags, (client) =>
    client.ask({ t: 'state_get', namespace, key }, 'state_entry'),
  )
  if (flags.json) await print(`{"version":${version},"value":${value ? jsonOf(value) : null}}\n`)
  else if (value) await print(`${jsonOf(value, isShown(flags) ? 2 : undefined)}\n`)
  else note(`${namespace} keeps nothing under ${JSON.stringify(key)}`)
  return value ? 0 : 1
}

/** Without a value there is to be none. */
export const put = async (
  namespace: string,
  key: string,
  text: string | undefined,
  flags: OwnerFlags & { delete?: boolean },
): Promise<undefined> => {
  if ((text === undefined) !== (flags.delete ?? false))
    throw new MeshError('E_USAGE', 'give a value, or --delete and none')
  ensureNames(namespace, { key })
  const value = text === undefined ? null : await encodedOf(text)
  const { revision } = await withAgent(flags, (client) =>
    client.ask({ t: 'state_put', namespace, key, value }, 'state_written'),
  )
  await print(flags.json ? `{"revision":${revision}}\n` : `${value ? 'kept' : 'deleted'}, as revision ${revision}\n`)
}

type Page = Extract<Awaited<ReturnType<AgentClient['ask']>>, { t: 'state_page' }>

/** Pages of one list, all as of one revision; of a namespace where nothing changes each as of now. */
export async function* pages(
  client: AgentClient,
  namespace: string,
  prefix: string,
  { from, isStill = false, arriving }: { from?: string | undefined; isStill?: boolean; arriving?: string } = {},
): AsyncGenerator<Page> {
  let after = from ?? null
  let revision: number | null = null
  for (;;) {
    const range = { namespace, prefix, after, limit: LIST_ENTRIES_MAX }
    const request = { t: 'state_list' as const, ...range, revision, arriving: arriving ?? null }
    const page: Page = await client.ask(request, 'state_page')
    yield page
    if (!page.more) return
    after = page.entries.at(-1)?.key ?? null
    if (!isStill) revision = page.revision
  }
}

const entryLine = ({ key, version, value }: Page['entries'][number]): string =>
  `{"key":${JSON.stringify(key)},"version":${version},"value":${jsonOf(value)}}\n`

export const list = async (namespace: string, prefix: string | undefined, flags: ListFlags): Promise<undefined> => {
  ensureNames(namespace, { prefix, ...(flags.after !== undefined && { key: flags.after }) })
  const shown = isShown(flags)
  let count = 0
  await withAgent(flags, async (client) => {
    for await (const { entries } of pages(client, namespace, prefix ?? '', { from: flags.after })) {
      const lines = entries.map((one) => (shown ? `${one.key}  ${jsonOf(one.value)}\n` : entryLine(one)))
      await print(lines.join(''))
      count += entries.length
    }
  })
  if (count === 0) note(`${namespace} keeps nothing${prefix ? ` under ${JSON.stringify(prefix)}…` : ''}`)
}

const changeLine = ({ revision, key, value }: WireChange): string =>
  `{"revision":${revision},"key":${JSON.stringify(key)},"value":${value ? jsonOf(value) : null},"deleted":${value === null}}\n`

const follow = (client: AgentClient, namespace: string, prefix: string, after: number | null, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const id = client.open(
      { t: 'state_watch', namespace, prefix, after },
      {
        answer: async (frame) => {
          if (frame.t !== 'state_changes') return frame.t === 'done' ? resolve() : reject(errorOf(frame))
          await print(frame.changes.map(changeLine).join(''))
          client.follow(id, { t: 'more', bytes: frame.changes.reduce((sum, one) => sum + changeBytes(one), 0) })
        },
        lost: reject,
      },
    )
    signal.addEventListener('abort', () => resolve())
  })

const revisionOf = (text: string | undefined): number | null => {
  if (text === undefined) return null
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new MeshError('E_USAGE', `--after ${text}: expected a revision, a whole number`)
}

export const watch = async (namespace: string, prefix: string | undefined, flags: ListFlags): Promise<number> => {
  ensureNames(namespace, { prefix })
  const after = revisionOf(flags.after)
  const { signal, dispose } = onInterrupt()
  const client = await connectAgent(dataDirOf(flags.data))
  try {
    await follow(client, namespace, prefix ?? '', after, signal)
  } finally {
    client.close()
    dispose()
  }
  return signal.aborted ? 130 : 0
}
