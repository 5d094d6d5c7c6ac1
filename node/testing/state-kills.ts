/** A process that counts on a state engine on level, killed again and again, with what it has left each time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import type { Run } from '../../peer/state/testing/counting.ts'
import { ensureWhole } from '../../peer/state/testing/ensure-whole.ts'
import type { Random, Storage } from '../../protocol/ports.ts'
import { openLevelStorage } from '../storage-level.ts'

const PROGRAM = fileURLToPath(new URL('./counting-process.ts', import.meta.url))

/** Throws for damage: a process that is killed, whatever it does, leaves none. */
const damaged = (what: string) => {
  throw new Error(what)
}

export const openStorage = (dir: string): Promise<Storage> =>
  openLevelStorage(dir, { schema: 1, migrations: {}, damaged })

export const ensureWholeOn = async (dir: string, run: Run): Promise<void> => {
  const storage = await openStorage(dir)
  const engine = await openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: 1_000_000, bytes: 2 ** 30 }) })
  await ensureWhole(engine, run)
  await engine.close()
  await storage.close()
}

/** Reads what it says until it has said `count` commits, then kills it; returns all of them. */
const killAfter = async (child: ChildProcess, count: number): Promise<string[]> => {
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += chunk
    if (said.split('\n').length > count) child.kill('SIGKILL')
  }
  // The last line may be cut off.
  return said.split('\n').slice(0, -1)
}

/** Kills it `kills` times, and looks each time. Returns how many commits there were answers to. */
export const killInALoop = async (dir: string, random: Random, kills: number): Promise<number> => {
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [PROGRAM, dir, `${kill}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'close')
    const said = await killAfter(child, 1 + random.below(400))
    await ended
    expect(said.filter((line) => line.startsWith('damaged'))).toEqual([])
    expect(said.length).toBeGreaterThan(0)
    for (const id of said) run.acknowledged.set(id, { kind: 'committed', revision: 0 })
    await ensureWholeOn(dir, run)
  }
  return run.acknowledged.size
}
