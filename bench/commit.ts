/**
 * Small read-modify-write transactions a second, durable each: the state engine on level, beside level without it (reads
 * of 256 keys at once, then one synced batch of as many) and beside SQLite (node:sqlite, WAL, synchronous FULL, as many in
 * one transaction). On etcd it stands beside etcd (`commit-etcd.ts`). Whoever commits has its reply before it begins again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Level } from 'level'
import { openLevelStorage } from '../node/storage-level.ts'
import type { StateEngine } from '../peer/state/engine.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { ETCD_CLIENTS, type EtcdSubjects, openEtcdSubjects } from './commit-etcd.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { openSyncs } from './syncs.ts'

const ROUNDS = 7
const ROUND_MS = 700
const KEYS = 10_000
const VALUE_BYTES = 100
const CLIENTS = [1, 16, 256]
/** In groups of 256 on a disk that syncs in a millisecond. */
const SQLITE_PER_S_MIN = 5000
/** Of etcd with its three nodes on two cores. */
const RAW_ETCD_PER_S_MIN = 500

const keyOf = (n: number) => `account/${String(n).padStart(6, '0')}`
const KEY_NAMES = Array.from({ length: KEYS }, (_, n) => keyOf(n))
const anyKey = () => KEY_NAMES[Math.floor(Math.random() * KEYS)] as string

/** A counter in the first four bytes. */
const modified = (value: Uint8Array | undefined): Uint8Array => {
  const next = new Uint8Array(VALUE_BYTES)
  if (value) next.set(value)
  const view = new DataView(next.buffer)
  view.setUint32(0, view.getUint32(0) + 1)
  return next
}

/** A subject's figure of one round: commits, each of which was durable. */
type Commits = (untilMs: number) => Promise<number>

const perSecond = async (commits: Commits): Promise<number> => {
  const startMs = performance.now()
  const done = await commits(startMs + ROUND_MS)
  return (done * 1000) / (performance.now() - startMs)
}

let ids = 0

/** One client: returns what it committed. Whoever is in conflict begins again. */
const client = async (engine: StateEngine, untilMs: number): Promise<number> => {
  let done = 0
  while (performance.now() < untilMs) {
    const key = anyKey()
    const revision = await engine.revision()
    const [entry] = await engine.read('bench', [key], revision)
    const writes = [{ namespace: 'bench', key, put: modified(entry?.value) }]
    ids += 1
    const reads = [{ namespace: 'bench', key }]
    const { kind } = await engine.commit({ id: `bafyreibench-${ids}`, revision, reads, ranges: [], writes })
    if (kind === 'committed') done += 1
  }
  return done
}

const ofEngine =
  (engine: StateEngine, clients: number): Commits =>
  async (untilMs) => {
    const each = await Promise.all(Array.from({ length: clients }, () => client(engine, untilMs)))
    return each.reduce((sum, done) => sum + done, 0)
  }

const ofLevel =
  (database: Level<string, Uint8Array>, group: number): Commits =>
  async (untilMs) => {
    let done = 0
    while (performance.now() < untilMs) {
      const keys = Array.from({ length: group }, anyKey)
      const values = await database.getMany(keys)
      const puts = keys.map((key, index) => ({ type: 'put' as const, key, value: modified(values[index]) }))
      await database.batch(puts, { sync: true })
      done += group
    }
    return done
  }

const ofSqlite = (database: DatabaseSync, group: number): Commits => {
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')]
  const select = database.prepare('SELECT value FROM entries WHERE key = ?')
  const upsert = database.prepare('INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)')
  return async (untilMs) => {
    let done = 0
    while (performance.now() < untilMs) {
      begin.run()
      for (let n = 0; n < group; n++) {
        const key = anyKey()
        const found = select.get(key) as { value: Uint8Array } | undefined
        upsert.run(key, modified(found?.value))
      }
      commit.run()
      done += group
    }
    return done
  }
}

const ofRawEtcd =
  ({ raw }: EtcdSubjects): Commits =>
  async (untilMs) => {
    let done = 0
    const commits = async (_: unknown, index: number) => {
      while (performance.now() < untilMs) if (await raw(index, anyKey(), modified)) done += 1
    }
    await Promise.all(Array.from({ length: ETCD_CLIENTS }, commits))
    return done
  }

const openSqlite = (file: string): DatabaseSync => {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID')
  return database
}

const measure = async (dir: string, print: (line: string) => void): Promise<Record<string, number>> => {
  const storage = await openLevelStorage(join(dir, 'engine'), { schema: 1, migrations: {} })
  const quotaOf = () => ({ keys: 10 * KEYS, bytes: 2 ** 30 })
  const engine = await openStorageEngine({ storage, quotaOf, damaged: console.error })
  const bare: Level<string, Uint8Array> = new Level(join(dir, 'bare'), { valueEncoding: 'view' })
  const sqlite = openSqlite(join(dir, 'sqlite'))
  const etcd = await openEtcdSubjects()
  const syncs = openSyncs(join(dir, 'sync'))
  const subject = (name: string, commits: Commits) => ({ name, run: () => perSecond(commits) })
  const results = await interleave(
    [
      ...CLIENTS.map((clients) => subject(`level_${clients}`, ofEngine(engine, clients))),
      ...CLIENTS.map((group) => subject(`level_floor_${group}`, ofLevel(bare, group))),
      ...CLIENTS.map((group) => subject(`sqlite_group${group}`, ofSqlite(sqlite, group))),
      subject(`etcd_${ETCD_CLIENTS}`, ofEngine(etcd.engine, ETCD_CLIENTS)),
      subject(`raw_etcd_${ETCD_CLIENTS}`, ofRawEtcd(etcd)),
      { name: 'fsync', run: async () => syncs.median() },
    ],
    ROUNDS,
    1,
  )
  await engine.close()
  await etcd.close()
  await Promise.all([storage.close(), bare.close()])
  sqlite.close()
  syncs.close()
  const fsync_p50_ms = rounded(median(results.get('fsync') ?? []))
  results.delete('fsync')
  for (const [name, figures] of results) print(`${row(name, 'commits/s', figures)}  fsync_p50_ms ${fsync_p50_ms}`)
  return {
    ...Object.fromEntries([...results].map(([name, figures]) => [name, rounded(median(figures))])),
    fsync_p50_ms,
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const dir = await mkdtemp(join(tmpdir(), 'wayside-commit-'))
  try {
    const figures = await measure(dir, print)
    const of = (name: string) => figures[name] as number
    ensurePlausible('SQLite', of('sqlite_group256'), SQLITE_PER_S_MIN, 'commits/s')
    ensurePlausible('etcd', of('raw_etcd_64'), RAW_ETCD_PER_S_MIN, 'commits/s')
    print(`level, beside its floor: ${rounded(of('level_256') / of('level_floor_256'))}, aim 0.8`)
    print(`level, beside SQLite: ${rounded(of('level_256') / of('sqlite_group256'))}, aim 0.3`)
    print(`etcd, beside one transaction a commit: ${rounded(of('etcd_64') / of('raw_etcd_64'))}, aim 2`)
    return figures
  } finally {
    await rm(dir, { recursive: true })
  }
}
