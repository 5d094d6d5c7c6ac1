/** Processes that write to a state engine on level, killed again and again, with what it has left each time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { StateEngine } from '../../peer/state/engine.ts'
import { LargeValues } from '../../peer/state/large-values.ts'
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import type { Run } from '../../peer/state/testing/counting.ts'
import { ensureWhole } from '../../peer/state/testing/ensure-whole.ts'
import type { Random, Storage } from '../../protocol/ports.ts'
import { systemClock } from '../clock.ts'
import { createCrypto } from '../crypto.ts'
import { systemRandom } from '../random.ts'
import { openLevelStorage } from '../storage-level.ts'
import { KEYS, numberIn } from './large-puts.ts'

const fileOf = (program: string) => fileURLToPath(new URL(program, import.meta.url))
const COUNTING = fileOf('./counting-process.ts')
const LARGE_PUTS = fileOf('./large-puts-process.ts')

/** Throws for damage: a process that is killed, whatever it does, leaves none. */
const damaged = (what: string) => {
  throw new Error(what)
}

export const openStorage = (dir: string): Promise<Storage> =>
  openLevelStorage(dir, { schema: 1, migrations: {}, damaged })

const withEngineOn = async (dir: string, look: (engine: StateEngine) => Promise<void>): Promise<void> => {
  const storage = await openStorage(dir)
  const engine = await openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: 1_000_000, bytes: 2 ** 30 }) })
  await look(engine)
  await engine.close()
  await storage.close()
}

export const ensureWholeOn = (dir: string, run: Run): Promise<void> =>
  withEngineOn(dir, (engine) => ensureWhole(engine, run))

/** Of what was to be committed under these ids nothing is there (countingTransaction). */
export const ensureNoneOn = (dir: string, ids: readonly string[]): Promise<void> =>
  withEngineOn(dir, async (engine) => {
    const traces = await engine.read('traces', ids, await engine.revision())
    expect(traces.filter(({ value }) => value).map(({ key }) => key)).toEqual([])
  })

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

/** Each line is the answer to a commit. */
const killed = async (args: readonly string[], count: number): Promise<string[]> => {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const said = await killAfter(child, count)
  await ended
  expect(said.filter((line) => line.startsWith('damaged'))).toEqual([])
  expect(said.length).toBeGreaterThan(0)
  return said
}

/** Kills what counts `kills` times, and looks each time. Returns how many commits there were answers to. */
export const killInALoop = async (dir: string, random: Random, kills: number): Promise<number> => {
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  for (let kill = 0; kill < kills; kill++) {
    const said = await killed([COUNTING, dir, `${kill}`], 1 + random.below(400))
    for (const id of said) run.acknowledged.set(id, { kind: 'committed', revision: 0 })
    await ensureWholeOn(dir, run)
  }
  return run.acknowledged.size
}

/** By key, the number of the large value that stands there, whole; there are blocks of these, and no others. */
const largeOn = async (dir: string): Promise<Map<string, number>> => {
  const storage = await openStorage(dir)
  const entries = await openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: 1000, bytes: 2 ** 30 }) })
  const engine = new LargeValues({ clock: systemClock, crypto: createCrypto(), random: systemRandom }, entries, false)
  await engine.swept()
  const revision = await engine.revision()
  const found = await engine.read('shop', KEYS, revision)
  const uploads = await entries.list({ namespace: '.uploads', prefix: '', limit: 1000 }, revision)
  expect(uploads.entries).toHaveLength(found.filter(({ value }) => value).length)
  await engine.close()
  await storage.close()
  return new Map(found.map(({ key, value }) => [key, numberIn(value)]))
}

/** Kills what puts large values `kills` times, and looks each time: under each key is the last put, or the one under way. */
export const killLargePuts = async (dir: string, random: Random, kills: number): Promise<number> => {
  const last = new Map(KEYS.map((key) => [key, 0]))
  let puts = 0
  for (let kill = 0; kill < kills; kill++) {
    const said = await killed([LARGE_PUTS, dir], 1 + random.below(30))
    puts += said.length
    for (const line of said) {
      const [key = '', n] = line.split(' ')
      last.set(key, Number(n))
    }
    for (const [key, n] of await largeOn(dir)) {
      const acknowledged = last.get(key) as number
      expect([acknowledged, acknowledged + 1]).toContain(n)
      last.set(key, n)
    }
  }
  return puts
}
