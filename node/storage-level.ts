/** The Storage port on level (LevelDB): one directory, one process, a schema number inside. */
import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Level } from 'level'
import { ensureStorageKey } from '../peer/storage/key.ts'
import { MeshError } from '../protocol/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import { MIB } from '../protocol/limits.ts'
import type { Storage, StorageScan, StorageWrite } from '../protocol/ports.ts'
import { type LevelOperation, LevelWriter, Unwritten } from './level-writer.ts'

type Database = Level<string, Uint8Array>

/** Brings the data from the schema before to its own. Must bear being run again: a crash can come before the number is kept. */
export type Migration = (storage: Storage) => Promise<void>

export interface LevelStorageOptions {
  /** The schema that this version reads and writes; counts from 1. */
  schema: number
  /** For each schema above 1 that data may still have to reach, the step to it from the one below. */
  migrations: Record<number, Migration>
  failPoints?: FailPoints
  /** Told, in a sentence, of each damage that was found; what was damaged counts as absent from then on. */
  damaged?(what: string): void
}

/** What is written again before this is full goes to a table once (docs/decisions/0101); by itself LevelDB takes 4 MiB. */
const WRITE_BUFFER_BYTES = 16 * MIB

/** No storage key can collide with it or sort below it: keys are printable. */
const SCHEMA_KEY = '\u0000schema'
const FIRST_KEY = '!'
/** All but `block/…`, `memo/…` and `state-large/…`, which are large, and checked when they are wanted. */
const SMALL = [
  { lt: 'block/' },
  { gte: 'block0', lt: 'memo/' },
  { gte: 'memo0', lt: 'state-large/' },
  { gte: 'state-large0' },
]
/** Sorts above every character of a key. */
const ABOVE_KEYS = '\u007f'

/** What holds no value, not even an empty one. */
const NOTHING = new Uint8Array(0)

const plainBytes = (value: Uint8Array) => new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const storageError = (dir: string, doing: string, cause: unknown): MeshError => {
  if (cause instanceof Unwritten) {
    const { message } = storageError(dir, doing, cause.cause)
    return new MeshError(
      'E_STORAGE',
      { message: `nothing was written: ${message}`, directory: dir, written: false },
      { cause },
    )
  }
  const advice = isCorruption(cause)
    ? 'it is damaged: move the directory away and start afresh'
    : 'check the disk and its permissions'
  const message = `the database in ${dir} failed to ${doing} (${messageOf(cause)}); ${advice}`
  return new MeshError('E_STORAGE', { message, directory: dir }, { cause })
}

const isCorruption = (cause: unknown) => {
  const { code, message = '' } = (cause ?? {}) as { code?: string; message?: string }
  return code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && message.includes('No such file'))
}

/** LevelDB checks its own sums only where it must: each value has one more, at its end. */
const SUM_BYTES = 4

/** All in one piece of memory: to find some for each small value would take longer than to fill it. */
const toOperations = (writes: readonly StorageWrite[]): LevelOperation[] => {
  let length = 0
  for (const write of writes) if ('put' in write) length += write.put.length + SUM_BYTES
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let end = 0
  return writes.map((write) => {
    if (!('put' in write)) return { type: 'del', key: write.key }
    const start = end
    bytes.set(write.put, start)
    view.setUint32(start + write.put.length, crc32(write.put))
    end += write.put.length + SUM_BYTES
    return { type: 'put', key: write.key, value: bytes.subarray(start, end) }
  })
}

/** Undefined: it is not as it was written. */
const withoutSum = (stored: Uint8Array): Uint8Array | undefined => {
  const length = stored.length - SUM_BYTES
  if (length < 0) return undefined
  const bytes = plainBytes(stored).subarray(0, length)
  const sum = new DataView(stored.buffer, stored.byteOffset + length).getUint32(0)
  return crc32(bytes) === sum ? bytes : undefined
}

const openDatabase = async (dir: string): Promise<Database> => {
  const database: Database = new Level(dir, { valueEncoding: 'view', writeBufferSize: WRITE_BUFFER_BYTES })
  try {
    await database.open()
    return database
  } catch (error) {
    const cause = (error as Error).cause ?? error
    if ((cause as { code?: string }).code !== 'LEVEL_LOCKED') throw storageError(dir, 'open', cause)
    const message = `${dir} is in use by another process; stop it, or choose another directory with --data`
    throw new MeshError('E_DATA_DIR_TAKEN', { message, directory: dir }, { cause })
  }
}

/** Undefined: it was damaged. */
type Whole = (key: string, stored: Uint8Array | undefined) => Uint8Array | undefined
type Reading = <T>(work: () => Promise<T>) => Promise<T>

async function* entriesIn(
  database: Database,
  read: Reading,
  whole: Whole,
  prefix: string,
  { after = '', limit = -1 }: StorageScan = {},
) {
  const from = after < (prefix || FIRST_KEY) ? { gte: prefix || FIRST_KEY } : { gt: after }
  const iterator = await read(async () => database.iterator({ ...from, lt: prefix + ABOVE_KEYS, limit }))
  try {
    for (;;) {
      const entry = await read(() => iterator.next())
      if (!entry) return
      const value = whole(entry[0], entry[1])
      if (value) yield { key: entry[0], value }
    }
  } finally {
    await iterator.close()
  }
}

const createStorage = (
  database: Database,
  dir: string,
  failPoints: FailPoints,
  damaged: (what: string) => void,
): Storage => {
  const writer = new LevelWriter(database, dir)
  const attempt = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw storageError(dir, doing, cause)
    }
  }

  const read: Reading = (work) =>
    attempt('read', async () => {
      await writer.mending
      return work()
    })

  const getOne = (key: string) =>
    database.get(key).catch((cause) => {
      if (!isCorruption(cause)) throw cause
      return NOTHING
    })

  const whole: Whole = (key, stored) => {
    const value = stored && withoutSum(stored)
    if (stored && !value) damaged(`what was kept as ${key} is damaged, and counts as absent`)
    return value
  }

  return {
    async get(key) {
      failPoints.hit('storage.get')
      return whole(key, await read(() => getOne(key)))
    },
    async getMany(keys) {
      failPoints.hit('storage.get')
      const found = await read(() =>
        database.getMany(keys as string[]).catch((cause) => {
          if (!isCorruption(cause)) throw cause
          return Promise.all(keys.map(getOne))
        }),
      )
      return found.map((stored, index) => whole(keys[index] as string, stored))
    },
    async write(writes, { durable = false } = {}) {
      failPoints.hit('storage.write')
      for (const { key } of writes) ensureStorageKey(key)
      await attempt('write', () => writer.write(toOperations(writes), durable))
    },
    scan(prefix, options) {
      failPoints.hit('storage.scan')
      return entriesIn(database, read, whole, prefix, options)
    },
    close: () =>
      attempt('close', async () => {
        await writer.settled()
        await database.close()
      }),
  }
}

const readSchema = async (database: Database, dir: string): Promise<number | undefined> => {
  const stored = await database.get(SCHEMA_KEY).catch((cause) => {
    throw storageError(dir, 'read', cause)
  })
  if (!stored) return undefined
  const schema = Number(new TextDecoder().decode(stored))
  if (Number.isSafeInteger(schema) && schema >= 1) return schema
  throw storageError(dir, 'open', new Error('its schema number is no number'))
}

const keepSchema = (database: Database, dir: string, schema: number) =>
  database.put(SCHEMA_KEY, new TextEncoder().encode(`${schema}`), { sync: true }).catch((cause) => {
    throw storageError(dir, 'write', cause)
  })

/** Brings the data to `options.schema` step by step; each step is kept before the next begins. */
const migrate = async (database: Database, dir: string, storage: Storage, options: LevelStorageOptions) => {
  const stored = await readSchema(database, dir)
  if (stored === undefined) return keepSchema(database, dir, options.schema)
  if (stored > options.schema) {
    const message = `the data in ${dir} has schema ${stored}, this version reads up to ${options.schema}; use a newer wayside, or another directory with --data`
    throw new MeshError('E_DATA_SCHEMA', { message, directory: dir, stored, supported: options.schema })
  }
  for (let schema = stored + 1; schema <= options.schema; schema += 1) {
    const step = options.migrations[schema]
    if (!step) throw new MeshError('E_INTERNAL', `no migration leads to schema ${schema} (${dir} has ${schema - 1})`)
    await step(storage)
    await keepSchema(database, dir, schema)
  }
}

/**
 * LevelDB's own repair, in a process of its own: on some damage it does not fail but abort. False: it did not help.
 */
const repair = (dir: string): boolean => {
  const script = `import { Level } from ${JSON.stringify(import.meta.resolve('level'))}
    await Level.repair(process.argv[1])
    const database = new Level(process.argv[1], { valueEncoding: 'view' })
    for await (const _ of database.keys());
    await database.close()`
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: 'ignore' })
  return status === 0
}

const readThrough = async (database: Database): Promise<void> => {
  for (const range of SMALL) for await (const _ of database.values(range)) void _
}

const openWhole = async (dir: string): Promise<Database> => {
  const database = await openDatabase(dir)
  try {
    await readThrough(database)
    return database
  } catch (cause) {
    await database.close()
    throw storageError(dir, 'read', cause)
  }
}

/** What is damaged is repaired; what is beyond repair is put aside, whole, and an empty database takes its place. */
const openRepaired = async (dir: string, damaged: (what: string) => void): Promise<Database> => {
  try {
    return await openWhole(dir)
  } catch (error) {
    if (!(error instanceof MeshError && isCorruption(error.cause))) throw error
  }
  if (repair(dir)) {
    damaged(`the database in ${dir} was damaged and has been repaired: what could not be read is gone`)
    return openWhole(dir)
  }
  const aside = `${dir}.damaged-${Date.now()}`
  renameSync(dir, aside)
  damaged(`the database in ${dir} was damaged beyond repair: an empty one takes its place, the old one is ${aside}`)
  return openDatabase(dir)
}

/**
 * Opens or creates the database in `dir`. Throws MeshError E_DATA_DIR_TAKEN if another process holds it, E_DATA_SCHEMA
 * if a newer version wrote it, E_STORAGE if it cannot be opened. `durable` writes are synced to the disk. What is damaged
 * is repaired or left out, and `damaged` is told.
 */
export const openLevelStorage = async (dir: string, options: LevelStorageOptions): Promise<Storage> => {
  const damaged = options.damaged ?? (() => {})
  const database = await openRepaired(dir, damaged)
  try {
    await migrate(database, dir, createStorage(database, dir, NO_FAIL_POINTS, damaged), options)
  } catch (error) {
    await database.close()
    throw error
  }
  return createStorage(database, dir, options.failPoints ?? NO_FAIL_POINTS, damaged)
}
