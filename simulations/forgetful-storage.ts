/** A disk that forgets what was not synced, and a machine on it that can be cut off at every await. */
import { MeshError } from '../protocol/errors.ts'
import type { Random, Storage, StorageWrite } from '../protocol/ports.ts'

class Entries {
  readonly #values = new Map<string, Uint8Array>()
  /** In their order. */
  readonly #keys: string[] = []

  apply(writes: readonly StorageWrite[]): void {
    for (const write of writes) {
      const isThere = this.#values.has(write.key)
      if ('put' in write) this.#values.set(write.key, write.put.slice())
      else this.#values.delete(write.key)
      if ('put' in write === isThere) continue
      if (isThere) this.#keys.splice(this.#place(write.key), 1)
      else this.#keys.splice(this.#place(write.key), 0, write.key)
    }
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)?.slice()
  }

  page(prefix: string, after: string, limit: number): { key: string; value: Uint8Array }[] {
    const found: { key: string; value: Uint8Array }[] = []
    let at = this.#place(after < prefix ? prefix : after)
    if (this.#keys[at] === after) at += 1
    for (let key = this.#keys[at]; key?.startsWith(prefix) && found.length < limit; key = this.#keys[++at])
      found.push({ key, value: this.get(key) as Uint8Array })
    return found
  }

  copy(): Entries {
    const copy = new Entries()
    for (const [key, value] of this.#values) copy.#values.set(key, value)
    copy.#keys.push(...this.#keys)
    return copy
  }

  /** Of the first key that is not below. */
  #place(key: string): number {
    let [low, high] = [0, this.#keys.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
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
  /** What a request takes at each of its awaits; undefined: no time. */
  delay?: (() => Promise<void>) | undefined
}

export interface ForgetfulStorage {
  storage: Storage
  /** Awaits so far. */
  awaits(): number
  /** Now, whatever it is doing. */
  cutOff(): void
}

/** `isMore`: of what the request before has brought with it. */
type Step = (isMore?: boolean) => Promise<void>

/** What is left of a machine. */
export class ForgetfulDisk {
  readonly #synced = new Entries()
  #seen = new Entries()
  /** Written in this order, and not synced. */
  #unsynced: (readonly StorageWrite[])[] = []

  /** The machine that runs on it from now on; the one before has lost what it had in memory, and some of what it wrote. */
  start({ random, cutAt, cut, delay }: ForgetfulOptions): ForgetfulStorage {
    this.#forget(random)
    let awaits = 0
    let isCut = false
    const cutOff = () => {
      isCut = true
      cut()
    }
    const step = async (isMore = false): Promise<void> => {
      awaits += 1
      if (awaits === cutAt) cutOff()
      if (isCut) await never()
      if (!delay || isMore) return
      await delay()
      if (isCut) await never()
    }
    return { storage: this.#storage(step), awaits: () => awaits, cutOff }
  }

  /** Of what was not synced as much as happens to be on the disk, in the order in which it was written. */
  #forget(random: Random): void {
    if (this.#unsynced.length === 0) return
    for (const writes of this.#unsynced.slice(0, random.below(this.#unsynced.length + 1))) this.#synced.apply(writes)
    this.#unsynced = []
    this.#seen = this.#synced.copy()
  }

  #storage(step: Step): Storage {
    const getMany = async (keys: readonly string[]) => {
      await step()
      const values = keys.map((key) => this.#seen.get(key))
      await step()
      return values
    }
    return {
      getMany,
      get: async (key) => (await getMany([key]))[0],
      write: async (writes, { durable = false } = {}) => {
        await step()
        this.#unsynced.push([...writes])
        this.#seen.apply(writes)
        await step()
        if (durable) for (const synced of this.#unsynced.splice(0)) this.#synced.apply(synced)
        await step()
      },
      scan: (prefix, options) => this.#scan(step, prefix, options),
      close: () => step(),
    }
  }

  async *#scan(step: Step, prefix: string, { after = '', limit = Number.POSITIVE_INFINITY } = {}) {
    await step()
    for (const entry of this.#seen.page(prefix, after, limit)) {
      await step(true)
      yield entry
    }
  }
}

/** Fails once in `oneIn` times: before it has done anything, or after all of it. */
export const failingStorage = (storage: Storage, random: Random, oneIn: number, failed = () => {}): Storage => {
  const perhapsFail = () => {
    if (random.below(oneIn) > 0) return
    failed()
    throw new MeshError('E_STORAGE', 'a disk that fails now and then')
  }
  return {
    ...storage,
    get: async (key) => {
      perhapsFail()
      return storage.get(key)
    },
    write: async (writes, options) => {
      perhapsFail()
      await storage.write(writes, options)
      perhapsFail()
    },
  }
}

/** What `use` does with the disk until it is through, or the machine is cut off. Returns how often it awaited the disk. */
export const untilCut = async (
  disk: ForgetfulDisk,
  random: Random,
  cutAt: number | undefined,
  use: (storage: Storage) => Promise<unknown>,
): Promise<number> => {
  const wasCut = Promise.withResolvers<void>()
  const { storage, awaits } = disk.start({ random, cutAt, cut: () => wasCut.resolve() })
  await Promise.race([use(storage), wasCut.promise])
  return awaits()
}
