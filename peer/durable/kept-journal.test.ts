/** Journals as they are kept: whole, and with what damage makes of them. */
import { describe, expect, test } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import { JournalPart } from '../../protocol/durable.ts'
import { machine } from '../../scripts/test/world.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { openStorageEngine } from '../state/storage-engine.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { JournalParts, readJournal } from './kept-journal.ts'
import { INVOCATIONS, PIECES } from './names.ts'

const { crypto } = machine
const kept = { place: PIECES, id: recordCid(crypto, encodeCanonical('one')).toString() }
const other = { place: PIECES, id: recordCid(crypto, encodeCanonical('other')).toString() }

const entriesOf = (n: number, bytes = 1): JournalPart['entries'] => [
  { at_ms: n, entry: { entry: 'request', n, after: n, kind: 'now', arguments: new Uint8Array(bytes) } },
  { at_ms: n, entry: { entry: 'answer', n, answer: { ok: true, value: Uint8Array.of(n) } } },
]

const stateWith = async (writes: readonly Write[]): Promise<StateEngine> => {
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 24 })
  const engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  await engine.commit({ id: 'all', revision: 0, reads: [], ranges: [], writes })
  return engine
}

const read = async (writes: readonly Write[], journal = 0) => {
  const engine = await stateWith(writes)
  return readJournal(crypto, engine, kept, journal, await engine.revision())
}

/** Each in a part of its own. */
const partsOf = (of: typeof kept, count: number, bytes?: number): Write[][] => {
  const parts = new JournalParts(crypto, of, 0)
  return Array.from({ length: count }, (_, n) => parts.next(entriesOf(n, bytes)))
}

describe('a kept journal', () => {
  test('is read as it was kept, in pieces too, and goes on behind its end', async () => {
    const { entries, parts } = await read(partsOf(kept, 3, 600_000).flat())
    expect(entries.map(({ at_ms }) => at_ms)).toEqual([0, 0, 1, 1, 2, 2])
    expect(parts.count).toBe(3)
    const more = [...partsOf(kept, 3, 600_000).flat(), ...parts.next(entriesOf(3))]
    expect((await read(more)).entries).toHaveLength(8)
  })

  test('with nothing in it is whole', async () => {
    expect((await read([{ namespace: INVOCATIONS, key: 'x', put: new Uint8Array(1) }])).entries).toEqual([])
  })

  type Change = (parts: Write[][]) => Write[]
  const at = (parts: Write[][], n: number) => parts[n]?.[0] as Extract<Write, { put: Uint8Array }>
  const with1 = (parts: Write[][], put: Uint8Array) => [...parts.flat(), { ...at(parts, 1), put }]

  test.each<[what: string, says: string, change: Change]>([
    ['without its beginning', 'part 0 of its journal is missing', (parts) => parts.slice(1).flat()],
    ['with a gap', 'part 1 of its journal is missing', (parts) => parts.filter((_, n) => n !== 1).flat()],
    ['with a part cut short', 'part 1 of its journal was changed', (p) => with1(p, at(p, 1).put.subarray(0, -1))],
    ['with the part of another place', 'part 1 of its journal was changed', (p) => with1(p, at(p, 0).put)],
    [
      'with another answer',
      'part 1 of its journal was changed',
      (p) => with1(p, JournalPart.encode({ v: 1, entries: entriesOf(7) })),
    ],
  ])('%s is damaged, and says so: %s', async (_, says, change) => {
    const refused = expect(read(change(partsOf(kept, 3)))).rejects
    await refused.toMatchObject({ code: 'E_STORAGE', fields: { invocation: kept.id } })
    await expect(read(change(partsOf(kept, 3)))).rejects.toThrow(says)
  })

  test('of another invocation under the name of this one is damaged, from its first part on', async () => {
    const renamed = partsOf(other, 3)
      .flat()
      .map((write) => ({ ...write, key: write.key.replace(other.id, kept.id) }))
    await expect(read(renamed)).rejects.toThrow('part 0 of its journal was changed')
  })

  test('of a version that named no hashes, and left out numbers, is read, and goes on with hashes', async () => {
    const old = [0, 2].map((n) => {
      const [write] = partsOf(kept, 3)[n] as [Extract<Write, { put: Uint8Array }>]
      return { ...write, key: write.key.replace(/-[0-9a-f]+\//, '/') }
    })
    const { entries, parts } = await read(old)
    expect(entries.map(({ at_ms }) => at_ms)).toEqual([0, 0, 2, 2])
    const more = [...old, ...parts.next(entriesOf(3)), ...parts.next(entriesOf(4))]
    expect((await read(more)).entries).toHaveLength(8)
    await expect(read(more.filter((_, i) => i !== 2))).rejects.toThrow('part 3 of its journal is missing')
    const cut = [{ ...(old[0] as (typeof old)[number]), put: Uint8Array.of(1) }]
    await expect(read(cut)).rejects.toThrow(/part 0 of its journal cannot be read/)
  })
})
