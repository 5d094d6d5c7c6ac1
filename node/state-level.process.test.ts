/** The state engine on real disks: its process killed under load, the disk full in the middle of a commit, its files damaged. */
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { countingTransaction, countOnce, type Run } from '../peer/state/testing/counting.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { ensureNoneOn, ensureWholeOn, killInALoop, killLargePuts, openStorage } from './testing/state-kills.ts'
import { freshDirectory } from './testing/wayside.ts'

/** What a process that is killed now would leave. */
const leftOf = (dir: string): string => {
  const left = join(freshDirectory(), 'db')
  cpSync(dir, left, { recursive: true })
  return left
}

const KILLS = 8
const LARGE_KILLS = 4

test('killed again and again under load: no acknowledged commit is lost, and none is there by half', async () => {
  const commits = await killInALoop(freshDirectory(), randomFor('kills'), KILLS)
  expect(commits).toBeGreaterThan(KILLS)
})

test('killed again and again while it puts large values: each stands there whole, and no block of another', async () => {
  const puts = await killLargePuts(freshDirectory(), randomFor('kills of large puts'), LARGE_KILLS)
  expect(puts).toBeGreaterThanOrEqual(LARGE_KILLS)
})

test('a full disk in the middle of a commit: nothing acknowledged is lost, and commits go on when there is room', async () => {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a small file system, and so needs root')
  const mounted = freshDirectory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mounted])
  onTestFinished(() => void execFileSync('umount', ['-l', mounted]))
  const [dir, ballast] = [join(mounted, 'db'), join(mounted, 'ballast')]
  const storage = await openStorage(dir)
  const damaged = (what: string) => {
    throw new Error(what)
  }
  const engine = await openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: 100_000, bytes: 2 ** 30 }) })
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  const refusedIds: string[] = []
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 20; n++) await countOnce(engine, run, `${round}-before-${n}`, n)
    expect(() => writeFileSync(ballast, new Uint8Array(32 << 20))).toThrow('ENOSPC')
    let refused = 0
    for (let n = 0; refused < 3; n++) {
      const transaction = await countingTransaction(engine, `${round}-full-${n}`, n)
      run.sent.set(transaction.id, transaction)
      try {
        run.acknowledged.set(transaction.id, await engine.commit(transaction))
      } catch (error) {
        // Each was refused before all of it was on the disk, where nobody will find it.
        expect(error).toMatchObject({ code: 'E_STORAGE', fields: { written: false } })
        refusedIds.push(transaction.id)
        refused += 1
      }
    }
    await ensureNoneOn(leftOf(dir), refusedIds)
    writeFileSync(ballast, '')
    for (let n = 0; n < 20; n++) await countOnce(engine, run, `${round}-after-${n}`, n)
  }
  await ensureWholeOn(leftOf(dir), { acknowledged: run.acknowledged, sent: new Map() })
  await engine.close()
  await storage.close()
  await ensureWholeOn(dir, { acknowledged: run.acknowledged, sent: new Map() })
  await ensureNoneOn(dir, refusedIds)
})
