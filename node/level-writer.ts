/**
 * Writes of a LevelDB database, one after another, such that one which fails does no harm to those after it. LevelDB itself
 * goes on behind a record that a full disk has cut off, but when it opens again it loses everything from there on; after a
 * failed sync it refuses all writes for ever. So the database is opened again before the next write, and what the failed
 * one may have left is taken back.
 */
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Level } from 'level'
import { KIB } from '../protocol/limits.ts'
import { isLogged } from './level-log.ts'

type Database = Level<string, Uint8Array>

export type LevelOperation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/** What opening needs besides the log, which it turns into tables: a new log, and lists of files. */
const OPENING_BYTES = 256 * KIB

/** Of values. */
const CHAINED_BYTES_MAX = 256 * KIB

const bytesOf = (operations: readonly LevelOperation[]): number => {
  let bytes = 0
  for (const operation of operations) if (operation.type === 'put') bytes += operation.value.length
  return bytes
}

/** Nothing of it was written, nor will be found when the database opens again. */
export class Unwritten extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
  }
}

export class LevelWriter {
  readonly #database: Database
  readonly #dir: string
  #last: Promise<unknown> = Promise.resolve()
  /** What stood under the keys of the write that failed. */
  #undo: LevelOperation[] | undefined
  #mending: Promise<void> | undefined

  constructor(database: Database, dir: string) {
    this.#database = database
    this.#dir = dir
  }

  /** While the database is being opened again: what whoever reads has to wait for. */
  get mending(): Promise<void> | undefined {
    return this.#mending
  }

  /**
   * All or nothing. Throws what LevelDB throws: then nothing was done, as far as anybody sees who reads; it may be found all the
   * same if this process ends before the next write. Throws Unwritten if it will not.
   */
  write(operations: LevelOperation[], durable: boolean): Promise<void> {
    const written = this.#last.then(() => this.#write(operations, durable))
    this.#last = written.catch(() => {})
    return written
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #write(operations: LevelOperation[], durable: boolean): Promise<void> {
    if (this.#undo)
      await this.#mend(this.#undo).catch((cause) => {
        throw new Unwritten(cause)
      })
    try {
      await this.#together(operations, durable)
    } catch (cause) {
      if (this.#database.status === 'open') this.#undo = await this.#standing(operations)
      throw (await isLogged(this.#dir, operations).catch(() => true)) ? cause : new Unwritten(cause)
    }
  }

  /**
   * A chained batch if it is small: an array of operations is copied twice on its way, and takes twice as long. But the memory of a
   * chained one is given back only when garbage is collected, and the collector does not know how much that is.
   */
  #together(operations: LevelOperation[], durable: boolean): Promise<void> {
    if (bytesOf(operations) > CHAINED_BYTES_MAX) return this.#database.batch(operations, { sync: durable })
    const batch = this.#database.batch()
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value)
      else batch.del(operation.key)
    }
    return batch.write({ sync: durable })
  }

  /** What stands under the keys; of a disk that cannot even be read, nothing. */
  async #standing(operations: readonly LevelOperation[]): Promise<LevelOperation[]> {
    const keys = operations.map(({ key }) => key)
    const values = await this.#database.getMany(keys).catch(() => undefined)
    if (values === undefined) return []
    return keys.map((key, index) => {
      const value = values[index]
      return value === undefined ? { type: 'del', key } : { type: 'put', key, value }
    })
  }

  async #mend(undo: LevelOperation[]): Promise<void> {
    // A database that is closed and has no room to open gives nothing to read either.
    if (this.#database.status === 'open') await this.#ensureRoom()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#mending = promise
    try {
      if (this.#database.status === 'open') await this.#database.close()
      await this.#database.open()
      await this.#database.batch(undo, { sync: true })
      this.#undo = undefined
    } finally {
      this.#mending = undefined
      resolve()
    }
  }

  /** Throws if the disk has no room for what opening writes. */
  async #ensureRoom(): Promise<void> {
    const logs = (await readdir(this.#dir)).filter((name) => name.endsWith('.log'))
    let bytes = OPENING_BYTES
    for (const log of logs) bytes += (await stat(join(this.#dir, log))).size
    const probe = join(this.#dir, 'room')
    try {
      const file = await open(probe, 'w')
      try {
        await file.writeFile(new Uint8Array(bytes))
        await file.sync()
      } finally {
        await file.close()
      }
    } finally {
      await rm(probe, { force: true })
    }
  }
}
