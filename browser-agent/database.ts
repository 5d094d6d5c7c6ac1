/** The peer's database in this browser: what it keeps, and its key. One for each mesh. */
import { MeshError } from '../protocol/errors.ts'

export const ENTRIES = 'entries'
export const KEYS = 'keys'
const SCHEMA = 1

const storageError = (doing: string, cause: unknown): MeshError => {
  const why = (cause as Error | null)?.message ?? String(cause)
  const message = `this browser could not ${doing} (${why}); free some space, or allow this site to keep data`
  return new MeshError('E_STORAGE', message, { cause })
}

const done = <T>(doing: string, request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(storageError(doing, request.error))
  })

type Requests<T extends unknown[]> = { [K in keyof T]: IDBRequest<T[K]> }

export class PageDatabase {
  readonly #database: IDBDatabase
  readonly #writes = new Set<Promise<void>>()
  #closed = false

  constructor(database: IDBDatabase) {
    this.#database = database
    // Somebody erases it, here or in the browser's settings.
    database.onversionchange = () => void this.close()
    database.onclose = () => void this.close()
  }

  /** What `ask` asks of one store, in one transaction. Throws MeshError E_STORAGE. */
  async read<T extends unknown[]>(store: string, ask: (store: IDBObjectStore) => Requests<T>): Promise<T> {
    const requests = ask(this.#begin(store, 'readonly').objectStore(store))
    return (await Promise.all(requests.map((request) => done('read', request)))) as T
  }

  /** All that `change` does to one store, or nothing of it. Throws MeshError E_STORAGE. */
  async write(store: string, change: (store: IDBObjectStore) => void, durable = false): Promise<void> {
    const transaction = this.#begin(store, 'readwrite', durable)
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(storageError('write', transaction.error))
    })
    this.#writes.add(ended)
    try {
      change(transaction.objectStore(store))
      await ended
    } finally {
      this.#writes.delete(ended)
    }
  }

  /** Resolves once what was being written is: with a page that goes away before, it would be lost. */
  async close(): Promise<void> {
    this.#closed = true
    this.#database.close()
    await Promise.allSettled(this.#writes)
  }

  #begin(store: string, mode: IDBTransactionMode, durable = false): IDBTransaction {
    if (this.#closed) throw new MeshError('E_STORAGE', 'the storage is closed')
    try {
      return this.#database.transaction(store, mode, { durability: durable ? 'strict' : 'relaxed' })
    } catch (cause) {
      throw storageError('begin', cause)
    }
  }
}

/** Opens or creates it. Throws MeshError E_STORAGE, also where the browser keeps nothing for this site. */
export const openPageDatabase = async (name: string): Promise<PageDatabase> => {
  let request: IDBOpenDBRequest
  try {
    request = indexedDB.open(name, SCHEMA)
  } catch (cause) {
    throw storageError('open its database', cause)
  }
  request.onupgradeneeded = () => {
    for (const store of [ENTRIES, KEYS]) request.result.createObjectStore(store)
  }
  return new PageDatabase(await done('open its database', request))
}

/** Erases it, key and all, once all pages that have it open have let it go; `waits` is called where one does not at once. */
export const erasePageDatabase = async (name: string, waits = () => {}): Promise<void> => {
  const request = indexedDB.deleteDatabase(name)
  request.onblocked = waits
  await done('erase its database', request)
}
