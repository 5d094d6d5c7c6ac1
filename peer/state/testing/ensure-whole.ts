import { expect } from 'vitest'
import type { Entry, StateEngine } from '../engine.ts'
import { filled, numberOf, type Run } from './counting.ts'

const entriesOf = async (engine: StateEngine, namespace: string, prefix: string, revision: number) => {
  const all: Entry[] = []
  for (let more = true; more; ) {
    const page = await engine.list({ namespace, prefix, after: all.at(-1)?.key, limit: 1000 }, revision)
    all.push(...page.entries)
    more = page.more
  }
  return all
}

/** Everything acknowledged is there, everything else is there whole or not at all, and it all adds up. */
export const ensureWhole = async (engine: StateEngine, { acknowledged, sent }: Run): Promise<void> => {
  const revision = await engine.revision()
  const traces = new Map((await entriesOf(engine, 'traces', '', revision)).map((entry) => [entry.key, entry]))
  const counts = await entriesOf(engine, 'counts', 'count-', revision)
  const [large] = await engine.read('counts', ['large'], revision)
  expect([...acknowledged.keys()].filter((id) => !traces.has(id))).toEqual([])
  expect(traces.size).toBe(counts.reduce((sum, { value }) => sum + numberOf(value), 0))
  expect(revision).toBe(traces.size)
  if (large?.value) expect(Buffer.compare(large.value, filled(large.value[0] as number))).toBe(0)
  for (const [id, transaction] of sent) {
    const again = await engine.commit(transaction)
    const version = traces.get(id)?.version
    if (acknowledged.has(id)) expect(again).toEqual(acknowledged.get(id))
    if (version !== undefined) expect(again).toEqual({ kind: 'committed', revision: version })
  }
}
