/** What is told of a durable invocation where all are listed, and of what is none. */
import { isCidText } from '../../protocol/cid.ts'
import type { DurableState } from '../../protocol/durable.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { FoundRecord } from './records.ts'

/** `failed`: also where its function has ended with an error. Of one whose record is damaged hardly more is known than its id. */
export interface DurableSummary {
  id: string
  function: string | undefined
  export: string | undefined
  state: DurableState
  createdMs: number | undefined
  endedMs: number | undefined
}

export const summaryOf = (found: FoundRecord): DurableSummary => {
  const { id } = found
  const unread = { function: undefined, export: undefined, createdMs: undefined, endedMs: undefined }
  if ('damaged' in found) return { id, state: 'failed', ...unread }
  const { record } = found
  return {
    ...{ id, function: record.function.toString(), export: record.export, createdMs: record.created_ms },
    ...{ state: record.threw ? 'failed' : record.state, endedMs: record.ended_ms },
  }
}

export const unknown = (id: string): MeshError => {
  const message = isCidText(id)
    ? `this home keeps no invocation ${id}: it never knew it, or has forgotten it since it ended, after a week or sooner for want of room; see \`wayside ps --all\``
    : `${id.slice(0, 80)} is no id of an invocation; see \`wayside ps --all\``
  return new MeshError('E_USAGE', { message, id: id.slice(0, 80) })
}
