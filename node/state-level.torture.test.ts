/** As in `state-level.process.test.ts`, for longer, and with more. */
import { expect, test } from 'vitest'
import type { Write } from '../peer/state/engine.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { killInALoop, openStorage } from './testing/state-kills.ts'
import { freshDirectory } from './testing/wayside.ts'

const KILLS = 250
const KEYS = 1_000_000
const KEYS_EACH = 1000

test('killed hundreds of times under load: no acknowledged commit is lost, and none is there by half', async () => {
  const commits = await killInALoop(freshDirectory(), randomFor('many kills'), KILLS)
  expect(commits).toBeGreaterThan(KILLS)
})

test('a million keys: counted when it opens, and listed page by page', async () => {
  const dir = freshDirectory()
  const quotaOf = () => ({ keys: KEYS, bytes: 2 ** 30 })
  const open = async () => {
    const storage = await openStorage(dir)
    const damaged = (what: string) => {
      throw new Error(what)
    }
    return { storage, engine: await openStorageEngine({ storage, damaged, quotaOf }) }
  }
  const keyOf = (n: number) => `key/${String(n).padStart(7, '0')}`
  const first = await open()
  for (let from = 0; from < KEYS; from += KEYS_EACH) {
    const writes = Array.from({ length: KEYS_EACH }, (_, n): Write => {
      return { namespace: 'many', key: keyOf(from + n), put: new Uint8Array(20) }
    })
    await first.engine.commit({ id: `fill-${from}`, revision: from / KEYS_EACH, reads: [], ranges: [], writes })
  }
  await first.engine.close()
  await first.storage.close()
  const startMs = performance.now()
  const { storage, engine } = await open()
  const openedMs = performance.now()
  const revision = await engine.revision()
  let listed = 0
  for (let after: string | undefined, more = true; more; ) {
    const page = await engine.list({ namespace: 'many', prefix: 'key/', after, limit: 1000 }, revision)
    for (const { key } of page.entries) expect(key === keyOf(listed++)).toBe(true)
    after = page.entries.at(-1)?.key
    more = page.more
  }
  expect(listed).toBe(KEYS)
  console.info(
    `opened in ${Math.round(openedMs - startMs)} ms, listed in ${Math.round(performance.now() - openedMs)} ms`,
  )
  const one = { namespace: 'many', key: 'one-more', put: new Uint8Array(1) }
  const over = engine.commit({ id: 'over', revision, reads: [], ranges: [], writes: [one] })
  await expect(over).rejects.toMatchObject({ code: 'E_STATE_QUOTA' })
  await engine.close()
  await storage.close()
})
