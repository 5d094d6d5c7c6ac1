/** `wayside state export | import | delete`: a namespace as a file, how it moves from one home's state to another's, and its end. */
import { MeshError } from '../../protocol/errors.ts'
import { isPeerId } from '../../protocol/identity.ts'
import { ensureStateNamespace } from '../../protocol/state-names.ts'
import type { AgentClient } from '../control/client.ts'
import type { CommandFrameOf } from '../control/frames.ts'
import { plainText } from '../plain-text.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { pages } from './state.ts'
import {
  endLine,
  type FileEntry,
  headerLine,
  readStateFile,
  type StateFileHeader,
  type Sum,
  Tally,
} from './state-file.ts'
import { note, print, whileWaiting } from './terminal.ts'
import { countWords } from './words.ts'

/** Of one commit: etcd takes 1.5 MiB at once, which one entry may nearly fill. */
const LOAD_BYTES_MAX = 512 * 1024
const LOAD_ENTRIES_MAX = 500

const entriesWords = (count: number): string => (count === 1 ? '1 entry' : `${countWords(count)} entries`)

type Step = CommandFrameOf<'state_move'>['step']

const take = (client: AgentClient, namespace: string, step: Step, given: { move?: string; where?: string } = {}) =>
  client.ask(
    { t: 'state_move', namespace, step, move: given.move ?? null, where: given.where ?? null },
    'state_move_noted',
  )

/** What a namespace comes to now, or what has arrived of it. */
const sumOf = async (client: AgentClient, namespace: string, arriving?: string): Promise<Sum> => {
  const tally = new Tally()
  for await (const { entries } of pages(client, namespace, '', { ...(arriving && { arriving }) }))
    for (const entry of entries) tally.add(entry)
  return tally.sum
}

const write = async (
  client: AgentClient,
  namespace: string,
  move?: Required<Pick<StateFileHeader, 'move' | 'to'>>,
): Promise<Sum> => {
  const tally = new Tally()
  let isFirst = true
  // Nothing changes in one that is leaving: its pages need not be as of one moment, which would have to be kept.
  for await (const { revision, entries } of pages(client, namespace, '', { isStill: move !== undefined })) {
    if (isFirst) await print(headerLine({ wayside: 'state', v: 1, namespace, revision, ...move }))
    isFirst = false
    await print(entries.map((entry) => tally.add(entry)).join(''))
  }
  await print(endLine(tally.sum))
  return tally.sum
}

export interface ExportFlags extends OwnerFlags {
  /** It moves to that home. */
  to?: string
  /** It has arrived there, with that hash. */
  moved?: string
  /** It stays after all. */
  undo?: boolean
}

/** Deletes it here once what was imported has the hash that it has here. */
const leave = async (client: AgentClient, namespace: string, sha256: string): Promise<void> => {
  const kept = await sumOf(client, namespace).catch((cause: MeshError) => {
    // It was left before, and the deletion goes on.
    if (cause.code === 'E_NAMESPACE_TAKEN') return undefined
    throw cause
  })
  if (kept && kept.sha256 !== sha256) {
    const message = `what is kept here has hash ${kept.sha256}, not ${sha256}: nothing was deleted; import it again`
    throw new MeshError('E_USAGE', { message, sha256: kept.sha256 })
  }
  await take(client, namespace, 'left')
}

export const exportState = async (namespace: string, flags: ExportFlags): Promise<undefined> => {
  ensureStateNamespace(namespace)
  const { to, moved, undo } = flags
  if ([to, moved, undo].filter((flag) => flag !== undefined).length > 1)
    throw new MeshError('E_USAGE', '--to, --moved and --undo are three steps: give one of them')
  if (to !== undefined && !isPeerId(to)) {
    const message = `--to ${plainText(to).slice(0, 80)}: give the peer ID of the home that it moves to, as \`wayside status\` says it there`
    throw new MeshError('E_USAGE', message)
  }
  await withAgent(flags, async (client) => {
    if (undo) {
      await take(client, namespace, 'stay')
      note(`namespace ${namespace} stays here, and takes writes again`)
    } else if (moved !== undefined) {
      await leave(client, namespace, moved)
      note(`namespace ${namespace} has moved: it is deleted here, and whoever asks is told where it is`)
    } else if (to === undefined) await write(client, namespace)
    else {
      const { move } = await take(client, namespace, 'leave', { where: to })
      const { entries, sha256 } = await write(client, namespace, { move: move as string, to })
      note(`${entriesWords(entries)}, sha256 ${sha256}; namespace ${namespace} takes no writes now`)
      note(`import the file at ${to}, and then say here: wayside state export ${namespace} --moved ${sha256}`)
    }
  })
}

/** Reads the whole file before anything is changed. */
const verified = async (file: string): Promise<{ about: StateFileHeader; sum: Sum }> => {
  const lines = readStateFile(file)
  const about = (await lines.next()).value as StateFileHeader
  for (;;) {
    const { done, value } = await lines.next()
    if (done) return { about, sum: value }
  }
}

const load = async (client: AgentClient, file: string, namespace: string, move: string): Promise<void> => {
  let batch: FileEntry[] = []
  let bytes = 0
  const send = async () => {
    if (batch.length > 0) await client.ask({ t: 'state_load', namespace, move, entries: batch }, 'state_loaded')
    batch = []
    bytes = 0
  }
  for await (const line of readStateFile(file)) {
    if (!('key' in line)) continue
    const size = line.key.length + line.value.length
    if (batch.length === LOAD_ENTRIES_MAX || bytes + size > LOAD_BYTES_MAX) await send()
    batch.push(line)
    bytes += size
  }
  await send()
}

const arrive = async (client: AgentClient, file: string, about: StateFileHeader, sum: Sum): Promise<void> => {
  const { namespace, to } = about
  // A copy has the name of what is in it: so an import that was interrupted goes on.
  const move = about.move ?? `copy-${sum.sha256}`
  const { state } = await take(client, namespace, 'arrive', { move, ...(to !== undefined && { where: to }) })
  if (state === 'here') return
  await load(client, file, namespace, move)
  const kept = await sumOf(client, namespace, move)
  if (kept.entries !== sum.entries || kept.sha256 !== sum.sha256) {
    const counts = `${kept.entries} entries with hash ${kept.sha256}, the file ${sum.entries} with ${sum.sha256}`
    const message = `the home keeps ${counts}: it is not used; import it again, or take it back with --undo`
    throw new MeshError('E_STORAGE', message)
  }
  await take(client, namespace, 'settle', { move })
}

export const importState = async (file: string, flags: OwnerFlags & { undo?: boolean }): Promise<undefined> => {
  const { about, sum } = await whileWaiting('for the file to be read', verified(file))
  const { namespace } = about
  await withAgent(flags, async (client) => {
    if (flags.undo) {
      await take(client, namespace, 'stay')
      return note(`what had arrived of namespace ${namespace} is deleted`)
    }
    await arrive(client, file, about, sum)
    await print(
      flags.json
        ? `${JSON.stringify({ namespace, ...sum })}\n`
        : `${entriesWords(sum.entries)}, sha256 ${sum.sha256}: namespace ${namespace} is kept here\n`,
    )
  })
}

/** Without `yes` it says what would be deleted, as MeshError E_USAGE. */
export const deleteState = async (namespace: string, flags: OwnerFlags & { yes?: boolean }): Promise<undefined> => {
  ensureStateNamespace(namespace)
  await withAgent(flags, async (client) => {
    if (!flags.yes) {
      const { entries } = await sumOf(client, namespace)
      const message = `this deletes ${entriesWords(entries)} of namespace ${namespace}, for good; if you mean that: wayside state delete ${namespace} --yes`
      throw new MeshError('E_USAGE', { message, entries })
    }
    await take(client, namespace, 'delete')
    await print(
      flags.json ? `${JSON.stringify({ namespace, deleted: true })}\n` : `namespace ${namespace} is deleted\n`,
    )
  })
}
