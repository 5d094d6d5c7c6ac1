import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import { ENTRY_BYTES_MAX } from './checks.ts'
import { largeValuesConform } from './conformance-large.ts'
import { readsConform } from './conformance-reads.ts'
import type { Transaction } from './engine.ts'
import { CALLER, gone, put, type StateHarness, Subject, text } from './testing/subject.ts'

const read = (key: string) => ({ namespace: 'shop', key })

const commits = (subject: () => Subject) => {
  const committed = (revision: number) => ({ kind: 'committed', revision })

  test('what was read and has not changed commits', async () => {
    await subject().write(put('a', '1'))
    await subject().write(put('b', '1'))
    const transaction = { revision: 1, reads: [read('a'), read('c')], writes: [put('a', '2')] }
    expect(await subject().commit(transaction)).toEqual(committed(3))
  })

  test('what is committed at once is in each revision whole, and seen by whoever asks afterwards', async () => {
    const all = Array.from({ length: 40 }, (_, n) => subject().write(put('a', `${n}`), put('b', `${n}`)))
    const revisions = await Promise.all(all)
    expect([...revisions].sort((a, b) => a - b)).toEqual(revisions.map((_, index) => index + 1))
    expect(await subject().engine.revision()).toBe(40)
    for (const [n, revision] of revisions.entries()) {
      expect(await subject().value('a', revision)).toBe(`${n}`)
      expect(await subject().value('b', revision)).toBe(`${n}`)
    }
  })

  test('of several writes to one key the last one counts', async () => {
    await subject().write(put('a', '1'), gone('a'), put('b', '1'), put('a', '2'), gone('b'))
    expect(await subject().value('a')).toBe('2')
    expect(await subject().value('b')).toBeUndefined()
  })

  test('without writes it is answered at its own revision, and takes none', async () => {
    await subject().write(put('a', '1'))
    await subject().write(put('a', '2'))
    expect(await subject().commit({ revision: 1, reads: [read('a')] })).toEqual(committed(1))
    expect(await subject().engine.revision()).toBe(2)
    await expect(subject().commit({ revision: 3 })).rejects.toMatchObject({ code: 'E_REVISION' })
  })
}

const conflicts = (subject: () => Subject) => {
  const conflict = (key: string) => ({ kind: 'conflict', namespace: 'shop', key })
  const range = (after?: string, through?: string) => ({ namespace: 'shop', prefix: 'k', after, through })

  test.each([
    ['was put', 'b', put('b', '2')],
    ['was deleted', 'a', gone('a')],
    ['came', 'c', put('c', '1')],
  ])('what was read and %s since is a conflict, which changes nothing', async (_, key, change) => {
    await subject().write(put('a', '1'), put('b', '1'))
    await subject().write(change)
    const reads = ['a', 'b', 'c'].map(read)
    const writes = [put('a', 'lost'), put('d', 'lost')]
    expect(await subject().commit({ revision: 1, reads, writes })).toEqual(conflict(key))
    expect(await subject().engine.revision()).toBe(2)
    expect(await subject().value('d')).toBeUndefined()
  })

  test('what came, went or changed in a range that was seen is a conflict, outside of it none', async () => {
    await subject().write(put('k1', '1'), put('k3', '1'), put('k5', '1'))
    await subject().write(put('k2', '1'))
    await subject().write(gone('k5'))
    const outcome = async (seen: ReturnType<typeof range>, revision: number) => {
      const { kind } = await subject().commit({ revision, ranges: [seen], writes: [put('other', '1')] })
      return kind
    }
    expect(await outcome(range(), 1)).toBe('conflict')
    expect(await outcome(range('k1', 'k2'), 1)).toBe('conflict')
    expect(await outcome(range('k2', 'k4'), 1)).toBe('committed')
    expect(await outcome(range(undefined, 'k1'), 1)).toBe('committed')
    expect(await outcome(range('k3'), 2)).toBe('conflict')
    expect(await outcome(range('k5'), 2)).toBe('committed')
    expect(await outcome(range(), 3)).toBe('committed')
  })

  test('at a revision that is no longer kept it is a conflict; above the newest E_REVISION', async () => {
    await subject().write(put('a', '1'))
    await subject().write(put('b', '1'))
    await subject().forget()
    const { kind } = await subject().commit({ revision: 1, reads: [read('a')], writes: [put('a', '2')] })
    expect(kind).toBe('conflict')
    const early = subject().commit({ revision: 9999, writes: [put('a', '2')] })
    await expect(early).rejects.toMatchObject({ code: 'E_REVISION' })
    expect(await subject().value('a')).toBe('1')
  })
}

const races = (subject: () => Subject) => {
  test('of two that read the same and write it, one commits', async () => {
    await subject().write(put('a', '1'))
    const write = (value: string) => subject().commit({ revision: 1, reads: [read('a')], writes: [put('a', value)] })
    const outcomes = await Promise.all(['2', '3', '4'].map(write))
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'conflict', 'conflict'])
  })

  test('of two that read what the other writes, one commits', async () => {
    await subject().write(put('a', '1'), put('b', '1'))
    const outcomes = await Promise.all([
      subject().commit({ revision: 1, reads: [read('a')], writes: [put('b', '2')] }),
      subject().commit({ revision: 1, reads: [read('b')], writes: [put('a', '2')] }),
    ])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'conflict'])
  })

  test('of two that have seen what the other deletes, one commits', async () => {
    const ranges = ['k', 'm'].map((prefix) => ({ namespace: 'shop', prefix }))
    await subject().write(put('k1', '1'), put('m1', '1'))
    const outcomes = await Promise.all([
      subject().commit({ revision: 1, ranges: ranges.slice(0, 1), writes: [gone('m1')] }),
      subject().commit({ revision: 1, ranges: ranges.slice(1), writes: [gone('k1')] }),
    ])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'conflict'])
    expect((await subject().keys('')).length).toBe(1)
  })
}

const identities = (subject: () => Subject) => {
  test('an id that was committed is answered with its commit, and writes nothing again', async () => {
    const transaction = subject().transaction({ writes: [put('a', '1')] })
    const [first, twin] = await Promise.all([
      subject().engine.commit(transaction),
      subject().engine.commit(transaction),
    ])
    expect([first, twin]).toEqual([{ kind: 'committed', revision: 1 }, first])
    await subject().write(put('a', '2'))
    expect(await subject().engine.commit(transaction)).toEqual(first)
    expect(await subject().value('a')).toBe('2')
    expect(await subject().engine.revision()).toBe(2)
  })

  test('also after the engine was opened again', async () => {
    const transaction = subject().transaction({ writes: [put('a', '1')] })
    const first = await subject().engine.commit(transaction)
    await subject().write(put('a', '2'))
    await subject().reopen()
    expect(await subject().engine.commit(transaction)).toEqual(first)
    expect(await subject().value('a')).toBe('2')
    expect(await subject().engine.revision()).toBe(2)
    expect(await subject().write(put('a', '3'))).toBe(3)
  })

  test('one that was in conflict is free', async () => {
    await subject().write(put('a', '1'))
    const reads = [{ namespace: 'shop', key: 'a' }]
    const transaction = subject().transaction({ revision: 0, reads, writes: [put('a', '2')] })
    expect(await subject().engine.commit(transaction)).toMatchObject({ kind: 'conflict' })
    expect(await subject().engine.commit({ ...transaction, revision: 1 })).toEqual({ kind: 'committed', revision: 2 })
  })
}

const quotas = (subject: () => Subject) => {
  const quota = { code: 'E_STATE_QUOTA' }
  const filled = async (prefix: string, count: number) => {
    for (let n = 0; n < count; n++) await subject().write(put(`${prefix}${n}`, '', 'small'))
  }

  test('no more keys than the quota, counted through puts, deletes and opening again', async () => {
    await filled('k', 3)
    await expect(subject().write(put('k3', '', 'small'))).rejects.toMatchObject(quota)
    await subject().write(put('k0', 'again', 'small'))
    await subject().write(gone('k1', 'small'), gone('never', 'small'), put('k3', '', 'small'))
    await subject().reopen()
    await expect(subject().write(put('k4', '', 'small'))).rejects.toMatchObject(quota)
    expect(await subject().keys('', undefined, 'small')).toEqual(['k0', 'k2', 'k3'])
  })

  test('no more bytes than the quota, keys and values together', async () => {
    await subject().write(put('é', 'x'.repeat(62), 'small'))
    await expect(subject().write(put('é', 'x'.repeat(63), 'small'))).rejects.toMatchObject(quota)
    await expect(subject().write(put('a', '', 'small'))).rejects.toMatchObject(quota)
    await subject().write(put('é', 'x'.repeat(10), 'small'), put('a', 'x'.repeat(51), 'small'))
    await expect(subject().write(put('a', 'x'.repeat(52), 'small'))).rejects.toMatchObject(quota)
  })

  test.each([
    ['keys', '', 3],
    ['bytes', 'x'.repeat(28), 2],
  ])('of puts at once as many as the quota of %s has room for are kept, and no other', async (_, value, room) => {
    const keys = ['a0', 'a1', 'a2', 'a3', 'a4']
    const outcomes = await Promise.allSettled(keys.map((key) => subject().write(put(key, value, 'small'))))
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused).toMatchObject(new Array(keys.length - room).fill(quota))
    expect(await subject().keys('', undefined, 'small')).toEqual(
      keys.filter((_, i) => outcomes[i]?.status === 'fulfilled'),
    )
    expect(await subject().engine.revision()).toBe(room)
  })

  test('of a caller no more in all of its namespaces together, which are named', async () => {
    const [one, other, third] = ['one', 'other', 'third'].map((name) => CALLER + name) as [string, string, string]
    await subject().write(put('a', '', one), put('b', '', one), put('a', '', other))
    await subject().write(put('c', 'x'.repeat(60), one))
    const over = (words: string) => ({
      ...quota,
      message: expect.stringContaining(`together (${CALLER}*) would hold ${words},`),
    })
    await expect(subject().write(put('d', '', third))).rejects.toMatchObject(over('5 keys'))
    await expect(subject().write(put('a', 'x'.repeat(37), other))).rejects.toMatchObject(over('101 bytes'))
    await subject().reopen()
    const both = [put('d', '', third), put('e', '', `${CALLER.replace('aaa', 'bbb')}one`)]
    await expect(subject().write(...both)).rejects.toMatchObject(over('5 keys'))
    await subject().write(gone('a', one), put('d', '', third))
    await subject().write(...Array.from({ length: 9 }, (_, n) => put(`${n}`, '', CALLER.slice(0, -1))))
  })

  test('one that is over the quota changes nothing, also elsewhere, and its id is free', async () => {
    const writes = [put('a', '1'), put('b', 'x'.repeat(100), 'small')]
    const transaction = subject().transaction({ writes })
    await expect(subject().engine.commit(transaction)).rejects.toMatchObject(quota)
    expect(await subject().value('a')).toBeUndefined()
    expect(await subject().engine.revision()).toBe(0)
    const smaller = { ...transaction, writes: [put('a', '1')] }
    expect(await subject().engine.commit(smaller)).toEqual({ kind: 'committed', revision: 1 })
  })
}

const limits = (subject: () => Subject) => {
  test('values of up to 1 MiB come back as they were, and their old selves at old revisions', async () => {
    const value = (fill: number) => new Uint8Array(ENTRY_BYTES_MAX).fill(fill)
    for (const fill of [1, 2]) await subject().write({ namespace: 'shop', key: 'large', put: value(fill) })
    const isSame = async (fill: number) => {
      const [entry] = await subject().engine.read('shop', ['large'], fill)
      return Buffer.compare(entry?.value ?? text(''), value(fill)) === 0
    }
    expect([await isSame(1), await isSame(2)]).toEqual([true, true])
    await subject().reopen()
    expect(await isSame(2)).toBe(true)
  })

  const usage = { code: 'E_USAGE' }
  test.each<[string, Partial<Transaction>]>([
    ['a value that is too long', { writes: [{ ...put('a', ''), put: new Uint8Array(ENTRY_BYTES_MAX + 1) }] }],
    ['a key that is none', { writes: [put('a\n', '')] }],
    ['an empty key', { writes: [gone('')] }],
    ['a namespace that is none', { writes: [put('a', '', 'Shop')] }],
    ['a read of no key', { reads: [{ namespace: 'shop', key: '' }] }],
    ['a range of no key', { ranges: [{ namespace: 'shop', prefix: '', after: '\u0000' }] }],
    ['an empty id', { id: '' }],
    ['an id that is too long', { id: 'x'.repeat(129) }],
    ['an id with a space', { id: 'a b' }],
  ])('%s: E_USAGE, and nothing is changed', async (_, parts) => {
    const writes = [put('b', '1'), ...(parts.writes ?? [])]
    await expect(subject().commit({ ...parts, writes })).rejects.toMatchObject(usage)
    expect(await subject().engine.revision()).toBe(0)
  })

  test.each([0, 1.5, LIST_ENTRIES_MAX + 1])('a list of %d entries: E_USAGE', async (limit) => {
    await expect(subject().engine.list({ namespace: 'shop', prefix: '', limit }, 0)).rejects.toMatchObject(usage)
    await expect(subject().engine.read('shop', [''], 0)).rejects.toMatchObject(usage)
  })
}

/** What every state engine does. */
export const stateConformance = (name: string, harness: StateHarness): void => {
  describe(`state engine: ${name}`, () => {
    let subject: Subject
    beforeEach(async () => {
      subject = new Subject(harness, await harness.open())
    })
    afterEach(async () => {
      await subject.engine.close()
      await harness.close()
    })
    const current = () => subject

    readsConform(current)
    describe('commits', () => commits(current))
    describe('conflicts', () => conflicts(current))
    describe('conflicts at once', () => races(current))
    describe('ids', () => identities(current))
    describe('quotas', () => quotas(current))
    describe('limits', () => limits(current))
    describe('large values', () => largeValuesConform(current))

    test('closed: E_STATE_UNAVAILABLE; closing twice does nothing', async () => {
      const { engine } = subject
      await engine.close()
      await engine.close()
      const failed = { code: 'E_STATE_UNAVAILABLE' }
      await expect(engine.revision()).rejects.toMatchObject(failed)
      await expect(engine.read('shop', ['a'], 0)).rejects.toMatchObject(failed)
      await expect(engine.list({ namespace: 'shop', prefix: '', limit: 1 }, 0)).rejects.toMatchObject(failed)
      await expect(subject.engine.commit(subject.transaction({}))).rejects.toMatchObject(failed)
    })
  })
}
