/** The records of durable invocations, as they stand in the state. */
import { DurableRecord } from '../../protocol/durable.ts'
import type { StateEngine } from '../state/engine.ts'
import { INVOCATIONS } from './names.ts'

const PAGE = 100

export const findRecord = async (
  engine: StateEngine,
  id: string,
): Promise<{ record: DurableRecord | undefined; revision: number }> => {
  const revision = await engine.revision()
  const [entry] = await engine.read(INVOCATIONS, [id], revision)
  return { record: entry?.value && DurableRecord.decode(entry.value), revision }
}

/** As of one revision. */
export async function* allRecords(engine: StateEngine): AsyncGenerator<{ id: string; record: DurableRecord }> {
  const revision = await engine.revision()
  let after: string | undefined
  for (;;) {
    const page = await engine.list({ namespace: INVOCATIONS, prefix: '', after, limit: PAGE }, revision)
    for (const { key, value } of page.entries) yield { id: key, record: DurableRecord.decode(value as Uint8Array) }
    after = page.entries.at(-1)?.key
    if (!page.more) return
  }
}

/** That called it. */
export const parentOf = ({ parent }: DurableRecord): string | undefined => parent?.invocation.toString()

/** Of those that have ended all but what somebody may still ask for: the one that called it, as long as that runs. */
export const endedIn = async (engine: StateEngine): Promise<{ id: string; endedMs: number }[]> => {
  const running = new Set<string>()
  const ended: { id: string; endedMs: number; parent: string | undefined }[] = []
  for await (const { id, record } of allRecords(engine)) {
    if (record.ended_ms === undefined) running.add(id)
    else ended.push({ id, endedMs: record.ended_ms, parent: parentOf(record) })
  }
  return ended.filter(({ parent }) => parent === undefined || !running.has(parent))
}
