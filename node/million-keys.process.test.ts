/** A namespace of a million keys on a disk, listed by its owner page by page. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { largeValuesOn } from '../peer/state/conformance-large.ts'
import { OwnerAccess } from '../peer/state/owner-access.ts'
import { EntryPage, encodeHoldings, encodeIds } from '../peer/state/records.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { entryKey, GROUPS, revisionKey, TOTALS } from '../peer/state/storage-keys.ts'
import { LIST_ENTRIES_MAX, MIB } from '../protocol/limits.ts'
import type { Storage } from '../protocol/ports.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { FakeClock } from '../simulations/clock.ts'
import { openLevelStorage } from './storage-level.ts'

const NAMESPACE = 'many'
const KEYS = 1_000_000
const KEYS_EACH = 5000
/** These have long values, of which a page holds 256 and the one that passes its limit. */
const LONG = { from: 500_000, to: 500_600, bytes: 16 * 1024 - 8 }
const PAGE_BYTES_MAX = 4 * MIB + LONG.bytes
/** Nine times what was measured. */
const MEMORY_BYTES_MAX = 200 * MIB

const directory = mkdtempSync(join(tmpdir(), 'wayside-million-'))
afterAll(() => rmSync(directory, { recursive: true }))

const keyOf = (n: number) => `key/${String(n).padStart(7, '0')}`
const short = new Uint8Array(20)
const long = new Uint8Array(LONG.bytes)
const valueAt = (n: number) => (n >= LONG.from && n < LONG.to ? long : short)

const id = 'bulk'

/** As the engine writes it: in batches of its storage, since a million commits are no part of what is asked here. */
const fill = async (storage: Storage) => {
  let bytes = 0
  for (let from = 0; from < KEYS; from += KEYS_EACH) {
    const all = Array.from({ length: KEYS_EACH }, (_, n) => ({ key: keyOf(from + n), value: valueAt(from + n) }))
    const page = new EntryPage(all)
    await storage.write(all.map(({ key, value }) => ({ key: entryKey(NAMESPACE, key), put: page.encode(1, value) })))
    for (const { key, value } of all) bytes += key.length + value.length
  }
  await storage.write([
    { key: revisionKey(GROUPS, 1), put: encodeIds([id]) },
    { key: TOTALS + NAMESPACE, put: encodeHoldings({ keys: KEYS, bytes }) },
  ])
}

const heldBytes = () => {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('each of a million keys comes once, in order, in pages within their limit, and memory stays bounded', async () => {
  const storage = await openLevelStorage(directory, { schema: 1, migrations: {} })
  await fill(storage)
  const damaged = (what: string) => {
    throw new Error(what)
  }
  const engine = largeValuesOn(
    await openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: KEYS, bytes: 2 ** 30 }) }),
  )
  const ports = { clock: new FakeClock(), random: randomFor('a million keys'), network: { peerId: 'home' } }
  const owner = new OwnerAccess(ports, engine)
  const beforeBytes = heldBytes()
  let [listed, pages, mostBytes] = [0, 0, 0]
  let revision: number | undefined
  for (let after: string | undefined, more = true; more; ) {
    const page = await owner.list({ namespace: NAMESPACE, prefix: 'key/', after, limit: LIST_ENTRIES_MAX }, revision)
    let bytes = 0
    for (const { key, value = short } of page.entries) {
      if (key !== keyOf(listed)) expect(key).toBe(keyOf(listed))
      bytes += value.length
      listed++
    }
    expect(bytes).toBeLessThanOrEqual(PAGE_BYTES_MAX)
    mostBytes = Math.max(mostBytes, heldBytes() - beforeBytes)
    after = page.entries.at(-1)?.key
    ;({ more, revision } = page)
    pages++
  }
  console.info(`${pages} pages, at most ${Math.round(mostBytes / MIB)} MiB more than before`)
  expect(listed).toBe(KEYS)
  expect(pages).toBeGreaterThan(KEYS / LIST_ENTRIES_MAX)
  expect(mostBytes).toBeLessThan(MEMORY_BYTES_MAX)
  const one = { namespace: NAMESPACE, key: 'one-more', put: short }
  const over = engine.commit({ id: 'over', revision: revision as number, reads: [], ranges: [], writes: [one] })
  await expect(over).rejects.toMatchObject({ code: 'E_STATE_QUOTA' })
  await engine.close()
  await storage.close()
})
