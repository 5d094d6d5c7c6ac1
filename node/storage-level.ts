/** The Storage port on level (LevelDB): one directory, one process, a schema number inside. */
import { Level } from 'level'
import { ensureStorageKey } from '../peer/storage/key.ts'
import { MeshError } from '../protocol/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import type { Storage, StorageWrite } from '../protocol/ports.ts'

type Database = Level<string, Uint8Array>

/** Brings the data from the schema before to its own. Must bear being run again: a crash can come before the number is kept. */
export type Migration = (storage: Storage) => Promise<void>

export interface LevelStorageOptions {
  /** The schema that this version reads and writes; counts from 1. */
  schema: number
  /** For each schema above 1 that data may still have to reach, the step to it from the one below. */
  migrations: Record<number, Migration>
  failPoints?: FailPoints
}

/** No storage key can collide with it or sort below it: keys are printable. */
const SCHEMA_KEY = '\u0000schema'
const FIRST_KEY = '!'
/** Sorts above every character of a key. */
const ABOVE_KEYS = '\u007f'

const plainBytes = (value: Uint8Array) => new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const storageError = (dir: string, doing: string, cause: unknown) => {
  const damaged = (cause as { code?: string }).code === 'LEVEL_CORRUPTION'
  const advice = damaged
    ? 'it is damaged: move the directory away and start afresh'
    : 'check the disk and its permissions'
  const message = `the database in ${dir} failed to ${doing} (${messageOf(cause)}); ${advice}`
  return new MeshError('E_STORAGE', { message, directory: dir }, { cause })
}

const openDatabase = async (dir: string): Promise<Database> => {
  const database: Database = new Level(dir, { valueEncoding: 'view' })
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

const toOperation = (write: StorageWrite) =>
  'put' in write ? { type: 'put' as const, key: write.key, value: write.put } : { type: 'del' as const, key: write.key }

const createStorage = (database: Database, dir: string, failPoints: FailPoints): Storage => {
  const attempt = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw storageError(dir, doing, cause)
    }
  }

  return {
    async get(key) {
      failPoints.hit('storage.get')
      const value = await attempt('read', () => database.get(key))
      return value && plainBytes(value)
    },
    async write(writes, { durable = false } = {}) {
      failPoints.hit('storage.write')
      for (const { key } of writes) ensureStorageKey(key)
      await attempt('write', () => database.batch(writes.map(toOperation), { sync: durable }))
    },
    async *scan(prefix) {
      failPoints.hit('storage.scan')
      const range = { gte: prefix || FIRST_KEY, lt: prefix + ABOVE_KEYS }
      const iterator = await attempt('read', async () => database.iterator(range))
      try {
        for (;;) {
          const entry = await attempt('read', () => iterator.next())
          if (!entry) return
          yield { key: entry[0], value: plainBytes(entry[1]) }
        }
      } finally {
        await iterator.close()
      }
    },
    close: () => attempt('close', () => database.close()),
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
 * Opens or creates the database in `dir`. Throws MeshError E_DATA_DIR_TAKEN if another process holds it, E_DATA_SCHEMA
 * if a newer version wrote it, E_STORAGE if it cannot be opened. `durable` writes are synced to the disk.
 */
export const openLevelStorage = async (dir: string, options: LevelStorageOptions): Promise<Storage> => {
  const database = await openDatabase(dir)
  try {
    await migrate(database, dir, createStorage(database, dir, NO_FAIL_POINTS), options)
  } catch (error) {
    await database.close()
    throw error
  }
  return createStorage(database, dir, options.failPoints ?? NO_FAIL_POINTS)
}
