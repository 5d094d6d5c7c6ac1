import { cp, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { expect, onTestFinished, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { isLogged } from './level-log.ts'
import type { LevelOperation } from './level-writer.ts'

const open = async (dir: string) => {
  const database = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
  await database.open()
  return database
}
const logIn = async (dir: string) => join(dir, (await readdir(dir)).find((name) => name.endsWith('.log')) as string)

test('what stands whole at the end of the log is found, what is cut off anywhere is not, and LevelDB finds the same', async () => {
  const random = randomFor('cut logs')
  const root = await mkdtemp(join(tmpdir(), 'wayside-log-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const dir = join(root, 'db')
  const database = await open(dir)
  let before: LevelOperation[] | undefined
  for (let n = 0; n < 12; n++) {
    // Some end a block, some are over several, some have keys whose length takes two bytes.
    const key = `${n}`.padEnd(n % 3 === 2 ? 200 : 4, 'k')
    const value = random.bytes(random.below(n % 2 === 0 ? 400 : 90_000))
    const operations: LevelOperation[] = [
      n % 4 === 3 ? { type: 'del', key } : { type: 'put', key, value },
      { type: 'put', key: `more-${n}`, value: Uint8Array.of(n) },
    ]
    const start = (await stat(await logIn(dir))).size
    await database.batch(operations)
    expect(await isLogged(dir, operations)).toBe(true)
    if (before) expect(await isLogged(dir, before)).toBe(false)
    before = operations
    const { size } = await stat(await logIn(dir))
    for (const end of [start, start + 1 + random.below(size - start - 1), size - 1, size]) {
      const cut = join(root, `${n}-${end}`)
      await cp(dir, cut, { recursive: true })
      await truncate(await logIn(cut), end)
      const isThere = await isLogged(cut, operations)
      expect(isThere).toBe(end === size)
      const left = await open(cut)
      expect((await left.get(`more-${n}`)) !== undefined).toBe(isThere)
      await left.close()
    }
  }
  await database.close()
})

test('where there is no log nothing is logged', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'wayside-log-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  expect(await isLogged(dir, [{ type: 'del', key: 'a' }])).toBe(false)
})
