/** What large values are on every state engine. */
import { beforeEach, expect, test } from 'vitest'
import { createCrypto } from '../../node/crypto.ts'
import { KIB, MIB, STATE_BLOCK_BYTES, STATE_VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import type { StateEngine, Transaction, Write } from './engine.ts'
import { LargeValues } from './large-values.ts'
import { gone, put, type Subject } from './testing/subject.ts'

const clock = { monotonic: () => performance.now() }
const PLACES = ['.uploads', '.blocks']

export const largeValuesOn = (engine: StateEngine, isShared = false): LargeValues =>
  new LargeValues({ clock, crypto: createCrypto(), random: randomFor('large values') }, engine, isShared)

/** Each its own, and none is like another of its blocks. */
const largeOf = (bytes: number, fill: number): Uint8Array => {
  const value = new Uint8Array(bytes).fill(fill)
  for (let at = 0; at < bytes; at += STATE_BLOCK_BYTES / 2) value[at] = (at / STATE_BLOCK_BYTES) * 2
  return value
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0

const BYTES = 2.3 * MIB
/** An upload, and five blocks. */
const KEPT = 1 + Math.ceil(BYTES / STATE_BLOCK_BYTES)

const putLarge = (key: string, fill: number, bytes = BYTES): Write => ({
  ...{ namespace: 'shop', key, put: largeOf(bytes, fill) },
})

/** An engine under test, and large values on it. */
class LargeSubject {
  readonly #subject: Subject
  large: LargeValues

  constructor(subject: Subject) {
    this.#subject = subject
    this.large = largeValuesOn(subject.engine)
  }

  get engine(): StateEngine {
    return this.#subject.engine
  }

  transaction(parts: Partial<Transaction>): Transaction {
    return this.#subject.transaction(parts)
  }

  async reopen(): Promise<void> {
    await this.large.swept()
    await this.#subject.reopen()
    this.large = largeValuesOn(this.engine)
  }

  /** Returns the revision. */
  async write(...writes: Write[]): Promise<number> {
    const transaction = this.transaction({ revision: await this.large.revision(), writes })
    const committed = await this.large.commit(transaction)
    if (committed.kind !== 'committed') throw new Error('it conflicts')
    return committed.revision
  }

  async at(key: string, revision: number): Promise<Uint8Array | undefined> {
    return (await this.large.read('shop', [key], revision))[0]?.value
  }

  /** Names in the namespaces where blocks are, once nothing is left to be deleted. */
  async kept(): Promise<string[]> {
    await this.large.swept()
    const revision = await this.engine.revision()
    const pages = PLACES.map((namespace) => this.engine.list({ namespace, prefix: '', limit: 1000 }, revision))
    return (await Promise.all(pages)).flatMap(({ entries }) => entries.map(({ key }) => key))
  }
}

const values = (subject: () => LargeSubject) => {
  test('come back as they were, at old revisions too, and after it was opened again', async () => {
    const first = await subject().write(putLarge('a', 1), put('b', 'small'))
    const second = await subject().write(putLarge('a', 2, BYTES / 2))
    expect(isSame(await subject().at('a', first), largeOf(BYTES, 1))).toBe(true)
    expect(isSame(await subject().at('a', second), largeOf(BYTES / 2, 2))).toBe(true)
    await subject().large.swept()
    expect(isSame(await subject().at('a', first), largeOf(BYTES, 1))).toBe(true)
    await subject().reopen()
    const [entry] = await subject().large.read('shop', ['a'], await subject().large.revision())
    expect(entry?.version).toBe(second)
    expect(isSame(entry?.value, largeOf(BYTES / 2, 2))).toBe(true)
  })

  test('of one transaction, that come to more than an engine takes at once', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e']
    const revision = await subject().write(...keys.map((key, fill) => putLarge(key, fill, 400 * KIB)))
    for (const [fill, key] of keys.entries())
      expect(isSame(await subject().at(key, revision), largeOf(400 * KIB, fill))).toBe(true)
  })

  test('are listed in short pages, and told to watchers', async () => {
    for (const [fill, key] of ['k1', 'k2', 'k3'].entries()) await subject().write(putLarge(key, fill))
    const revision = await subject().write(put('k4', 'small'))
    const seen: string[] = []
    for (let after: string | undefined, more = true; more; ) {
      const page = await subject().large.list({ namespace: 'shop', prefix: 'k', after, limit: 1000 }, revision)
      expect(page.entries.length).toBeLessThan(3)
      for (const { key, value } of page.entries) seen.push(`${key} ${value?.length}`)
      after = page.entries.at(-1)?.key
      more = page.more
    }
    const bytes = Math.floor(BYTES)
    expect(seen).toEqual([`k1 ${bytes}`, `k2 ${bytes}`, `k3 ${bytes}`, 'k4 5'])
    const stop = new AbortController()
    const told: string[] = []
    for await (const { key, value } of subject().large.watch('shop', 'k', 0, stop.signal)) {
      told.push(`${key} ${value?.length}`)
      if (told.length === seen.length) stop.abort()
    }
    expect(told).toEqual(seen)
  })

  test('also what begins like the name of blocks is a value', async () => {
    const value = Uint8Array.of(0xff, 1, 2)
    const revision = await subject().write({ namespace: 'shop', key: 'a', put: value })
    expect(await subject().at('a', revision)).toEqual(value)
  })
}

const blocks = (subject: () => LargeSubject) => {
  test('that are replaced, deleted, or not committed leave nothing', async () => {
    const before = await subject().write(putLarge('a', 1))
    expect(await subject().kept()).toHaveLength(KEPT)
    await subject().write(putLarge('a', 2))
    expect(await subject().kept()).toHaveLength(KEPT)
    const late = subject().transaction({
      ...{ revision: before, reads: [{ namespace: 'shop', key: 'a' }], writes: [putLarge('a', 3)] },
    })
    expect(await subject().large.commit(late)).toEqual({ kind: 'conflict', namespace: 'shop', key: 'a' })
    expect(await subject().kept()).toHaveLength(KEPT)
    const [, value] = [await subject().write(gone('a')), await subject().at('a', await subject().large.revision())]
    expect(value).toBeUndefined()
    expect(await subject().kept()).toEqual([])
  })

  test('whose blocks another home takes for dead are not committed without them', async () => {
    const { engine } = subject()
    let isLate = true
    const late: StateEngine = Object.assign(Object.create(engine) as StateEngine, {
      commit: async (transaction: Parameters<StateEngine['commit']>[0]) => {
        const isLast = transaction.writes.some(({ namespace }) => namespace === 'shop')
        if (isLast && isLate) await largeValuesOn(engine).swept()
        return engine.commit(transaction)
      },
      ...{ revision: () => engine.revision(), read: engine.read.bind(engine), list: engine.list.bind(engine) },
    })
    const slow = new LargeValues({ clock, crypto: createCrypto(), random: randomFor('slow') }, late, true)
    const transaction = subject().transaction({ writes: [putLarge('a', 1)] })
    expect(await slow.commit(transaction)).toMatchObject({ kind: 'conflict' })
    expect(await subject().kept()).toEqual([])
    isLate = false
    const again = { ...transaction, revision: await engine.revision() }
    expect(await slow.commit(again)).toMatchObject({ kind: 'committed' })
    expect(isSame(await subject().at('a', await engine.revision()), largeOf(BYTES, 1))).toBe(true)
  })

  test('of those who put at the same time one stays, whole, and the blocks of no other', async () => {
    await Promise.all([1, 2, 3].map((fill) => subject().write(putLarge('a', fill, BYTES / 2))))
    const value = (await subject().at('a', await subject().large.revision())) as Uint8Array
    expect(isSame(value, largeOf(BYTES / 2, value[1] as number))).toBe(true)
    expect(await subject().kept()).toHaveLength(1 + Math.ceil(BYTES / 2 / STATE_BLOCK_BYTES))
  })
}

const limits = (subject: () => LargeSubject) => {
  test('count for the quota with all their bytes; over it nothing is changed, and nothing left', async () => {
    const quota = { code: 'E_STATE_QUOTA' }
    await expect(subject().write({ ...putLarge('a', 1), namespace: 'small' })).rejects.toMatchObject(quota)
    expect(await subject().kept()).toEqual([])
    for (const key of ['a', 'b', 'c']) await subject().write(putLarge(key, 1))
    await expect(subject().write(putLarge('d', 1))).rejects.toMatchObject(quota)
    // The same is said of it before it is there.
    const sized = (key: string, bytes: number | undefined) => ({ namespace: 'shop', key, bytes })
    const ensureRoom = (...writes: ReturnType<typeof sized>[]) => subject().large.ensureRoom(writes)
    await expect(ensureRoom(sized('d', BYTES))).rejects.toMatchObject(quota)
    await ensureRoom(sized('a', BYTES))
    await ensureRoom(sized('d', BYTES), sized('a', undefined))
    await expect(ensureRoom(sized('a', undefined), sized('a', 2 * BYTES))).rejects.toMatchObject(quota)
    await subject().write(gone('a'))
    await subject().reopen()
    await subject().write(putLarge('d', 1))
    await expect(subject().write(put('e', 'x'.repeat(8 * MIB - 3 * BYTES)))).rejects.toMatchObject(quota)
  })

  test('beyond the limit: E_USAGE, and nothing is changed', async () => {
    const value = new Uint8Array(STATE_VALUE_BYTES_MAX + 1)
    const refused = subject().write({ namespace: 'shop', key: 'a', put: value })
    await expect(refused).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(`${value.length}`),
    })
    expect(await subject().engine.revision()).toBe(0)
  })
}

export const largeValuesConform = (plain: () => Subject): void => {
  let subject: LargeSubject
  beforeEach(() => {
    subject = new LargeSubject(plain())
  })
  const current = () => subject
  values(current)
  blocks(current)
  limits(current)
}
