/** A disk that forgets what was not synced, and a machine on it that can be cut off at every await. */
import type { Random, Storage, StorageWrite } from '../protocol/ports.ts'

type Entries = Map<string, Uint8Array>

const apply = (entries: Entries, writes: readonly StorageWrite[]) => {
  for (const write of writes) {
    if ('put' in write) entries.set(write.key, write.put.slice())
    else entries.delete(write.key)
  }
}

/** Never resolves: whoever waits for it is gone. */
const never = () => new Promise<never>(() => {})

export interface ForgetfulOptions {
  random: Random
  /** The await, counted from 1, at which the machine is cut off; undefined: at none. */
  cutAt?: number | undefined
  /** Called when it is. */
  cut(): void
}

export interface ForgetfulStorage {
  storage: Storage
  /** Awaits so far. */
  awaits(): number
}

/** What is left of a machine. */
export class ForgetfulDisk {
  readonly #synced: Entries = new Map()
  /** Written in this order, and not synced. */
  #unsynced: (readonly StorageWrite[])[] = []

  /** The machine that runs on it from now on; the one before has lost what it had in memory, and some of what it wrote. */
  start({ random, cutAt, cut }: ForgetfulOptions): ForgetfulStorage {
    this.#forget(random)
    let awaits = 0
    let isCut = false
    const step = async (): Promise<void> => {
      awaits += 1
      if (awaits === cutAt) {
        isCut = true
        cut()
      }
      if (isCut) await never()
    }
    return { storage: this.#storage(step), awaits: () => awaits }
  }

  /** Of what was not synced as much as happens to be on the disk, in the order in which it was written. */
  #forget(random: Random): void {
    for (const writes of this.#unsynced.slice(0, random.below(this.#unsynced.length + 1))) apply(this.#synced, writes)
    this.#unsynced = []
  }

  #seen(): Entries {
    const seen = new Map(this.#synced)
    for (const writes of this.#unsynced) apply(seen, writes)
    return seen
  }

  #storage(step: () => Promise<void>): Storage {
    const getMany = async (keys: readonly string[]) => {
      await step()
      const seen = this.#seen()
      const values = keys.map((key) => seen.get(key)?.slice())
      await step()
      return values
    }
    return {
      getMany,
      get: async (key) => (await getMany([key]))[0],
      write: async (writes, { durable = false } = {}) => {
        await step()
        this.#unsynced.push([...writes])
        await step()
        if (durable) for (const synced of this.#unsynced.splice(0)) apply(this.#synced, synced)
        await step()
      },
      scan: (prefix, options) => this.#scan(step, prefix, options),
      close: step,
    }
  }

  async *#scan(step: () => Promise<void>, prefix: string, { after = '', limit = Number.POSITIVE_INFINITY } = {}) {
    await step()
    const keys = [...this.#seen()].filter(([key]) => key.startsWith(prefix) && key > after)
    keys.sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [key, value] of keys.slice(0, limit)) {
      await step()
      yield { key, value: value.slice() }
    }
  }
}
