/** What every state engine does for those who read. */
import { describe, expect, test } from 'vitest'
import { ENTRY_BYTES_MAX } from './checks.ts'
import type { Change } from './engine.ts'
import { gone, put, type Subject, shown, text } from './testing/subject.ts'

const reads = (subject: () => Subject) => {
  test('an empty engine is at revision 0, and has nothing', async () => {
    const { engine } = subject()
    expect(await engine.revision()).toBe(0)
    expect(await engine.read('shop', ['a'], 0)).toEqual([{ key: 'a', version: 0, value: undefined }])
    expect(await engine.list({ namespace: 'shop', prefix: '', limit: 10 }, 0)).toEqual({ entries: [], more: false })
  })

  test('gives back what was put, with the revision that did, in the order of the question', async () => {
    const first = await subject().write(put('a', '1'), put('b', ''))
    const second = await subject().write(put('b', '2'))
    expect([first, second]).toEqual([1, 2])
    expect(await subject().engine.read('shop', ['b', 'c', 'a', 'b'], 2)).toEqual([
      { key: 'b', version: 2, value: text('2') },
      { key: 'c', version: 0, value: undefined },
      { key: 'a', version: 1, value: text('1') },
      { key: 'b', version: 2, value: text('2') },
    ])
  })

  test('an empty value is a value', async () => {
    await subject().write(put('a', ''))
    expect(await subject().engine.read('shop', ['a'], 1)).toEqual([{ key: 'a', version: 1, value: text('') }])
  })

  test('at an old revision gives the old values', async () => {
    await subject().write(put('a', '1'), put('b', '1'))
    await subject().write(put('a', '2'))
    await subject().write(gone('a'), put('c', '3'))
    await subject().write(put('a', '4'))
    const seen = await Promise.all([0, 1, 2, 3, 4].map((revision) => subject().value('a', revision)))
    expect(seen).toEqual([undefined, '1', '2', undefined, '4'])
    expect(await subject().keys('', 2)).toEqual(['a', 'b'])
    expect(await subject().keys('', 3)).toEqual(['b', 'c'])
    expect(await subject().engine.read('shop', ['a'], 3)).toEqual([{ key: 'a', version: 0, value: undefined }])
  })

  test('namespaces do not see each other, nor does one whose name begins alike', async () => {
    await subject().write(put('a', '1', 'shop'), put('a', '2', 'shop-2'), put('b', '3', '.own'))
    expect(await subject().value('a', 1, 'shop')).toBe('1')
    expect(await subject().value('a', 1, 'shop-2')).toBe('2')
    expect(await subject().keys('', 1, 'shop')).toEqual(['a'])
    expect(await subject().keys('', 1, '.own')).toEqual(['b'])
  })

  test('a revision that is not there yet, or no longer: E_REVISION', async () => {
    const revision = { code: 'E_REVISION' }
    const { engine } = subject()
    await expect(engine.read('shop', ['a'], 1)).rejects.toMatchObject(revision)
    await subject().write(put('a', '1'))
    await subject().write(put('a', '2'))
    await subject().forget()
    await expect(engine.read('shop', ['a'], 1)).rejects.toMatchObject(revision)
    await expect(engine.list({ namespace: 'shop', prefix: '', limit: 1 }, 1)).rejects.toMatchObject(revision)
    expect(await subject().value('a')).toBe('2')
    expect(await subject().keys('')).toEqual(['a'])
  })
}

const lists = (subject: () => Subject) => {
  const all = ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0', 'b', 'b b', 'b!', 'b}', 'b~', 'bé', 'b日本', 'b\uffee', 'b😀']

  test('keys come in the order of their bytes', async () => {
    await subject().write(...[...all].reverse().map((key) => put(key, key)))
    expect(await subject().keys('')).toEqual(all)
    expect(await subject().keys('a/')).toEqual(['a/', 'a/1', 'a/10', 'a/2'])
    expect(await subject().keys('b\uffee')).toEqual(['b\uffee'])
    expect(await subject().keys('c')).toEqual([])
    for (const key of all) expect(await subject().value(key)).toBe(key)
  })

  test('pages begin behind a key, and say whether there is more', async () => {
    await subject().write(...all.map((key) => put(key, key)))
    const page = async (after: string | undefined, limit: number) => {
      const { entries, more } = await subject().engine.list({ namespace: 'shop', prefix: 'b', after, limit }, 1)
      return [...entries.map(({ key }) => key), more]
    }
    expect(await page(undefined, 2)).toEqual(['b', 'b b', true])
    expect(await page('b b', 2)).toEqual(['b!', 'b}', true])
    expect(await page('b"', 1)).toEqual(['b}', true])
    expect(await page('b\uffee', 1)).toEqual(['b😀', false])
    expect(await page('b😀', 1)).toEqual([false])
    expect(await page('a', 1)).toEqual(['b', true])
    expect(await page('c', 1)).toEqual([false])
  })

  test('pages at one revision are of one state, whatever is committed between them', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `k${String(index).padStart(2, '0')}`)
    await subject().write(...keys.map((key) => put(key, 'old')))
    const seen: string[] = []
    for (let after: string | undefined, more = true; more; ) {
      const range = { namespace: 'shop', prefix: 'k', after, limit: 7 }
      const page = await subject().engine.list(range, 1)
      for (const { key, value } of page.entries) seen.push(`${key}=${shown(value)}`)
      after = page.entries.at(-1)?.key
      more = page.more
      const at = seen.length
      await subject().write(gone(keys[(at + 3) % 60]!), put(keys[(at + 9) % 60]!, 'new'), put(`k${at}-new`, 'new'))
    }
    expect(seen).toEqual(keys.map((key) => `${key}=old`))
  })

  test('long values make short pages, and none is missed', async () => {
    const size = ENTRY_BYTES_MAX
    const keys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7']
    for (const [index, key] of keys.entries())
      await subject().write({ namespace: 'shop', key, put: new Uint8Array(size).fill(index) })
    const seen: string[] = []
    for (let after: string | undefined, more = true; more; ) {
      const page = await subject().engine.list({ namespace: 'shop', prefix: '', after, limit: 1000 }, keys.length)
      expect(page.entries.length).toBeLessThan(keys.length)
      for (const { key, value } of page.entries) seen.push(`${key} ${value?.length} ${value?.[size - 1]}`)
      after = page.entries.at(-1)?.key
      more = page.more
    }
    expect(seen).toEqual(keys.map((key, index) => `${key} ${size} ${index}`))
  })
}

const watches = (subject: () => Subject) => {
  const told = ({ revision, key, value }: Change) => `${revision} ${key} ${shown(value)}`

  /** What a watcher is told until it was told `count` changes. */
  const watched = async (prefix: string, after: number, count: number) => {
    const seen: string[] = []
    const stop = new AbortController()
    for await (const change of subject().engine.watch('shop', prefix, after, stop.signal)) {
      seen.push(told(change))
      if (seen.length === count) stop.abort()
    }
    return seen
  }

  test('is told every change of its prefix, those before it asked and those to come', async () => {
    await subject().write(put('k1', '1'), put('other', '1'))
    await subject().write(put('k2', '2'))
    const seen = watched('k', 1, 4)
    await subject().write(put('other', '3'))
    await subject().write(put('k2', '4'), gone('k1'), put('k3', '4', 'shop-2'))
    await subject().write(put('k1', '5'))
    expect(await seen).toEqual(['2 k2 2', '4 k2 4', '4 k1 undefined', '5 k1 5'])
    expect(await watched('', 0, 2)).toEqual(['1 k1 1', '1 other 1'])
  })

  test('ends when it is told to, and with the engine', async () => {
    const stop = new AbortController()
    const first = (signal: AbortSignal) => subject().engine.watch('shop', '', 0, signal)[Symbol.asyncIterator]().next()
    const idle = first(stop.signal)
    stop.abort()
    expect(await idle).toEqual({ done: true, value: undefined })
    const ended = expect(first(new AbortController().signal)).rejects.toMatchObject({ code: 'E_STATE_UNAVAILABLE' })
    await subject().engine.close()
    await ended
  })

  test('of what is no longer kept, and one that is too slow: E_REVISION', async () => {
    await subject().write(put('a', '1'))
    const slow = subject().engine.watch('shop', '', 0, new AbortController().signal)[Symbol.asyncIterator]()
    expect(told((await slow.next()).value)).toBe('1 a 1')
    for (const value of ['2', '3']) await subject().write(put('a', value))
    await subject().forget()
    const revision = { code: 'E_REVISION' }
    const rest = async () => {
      while (!(await slow.next()).done);
    }
    await expect(rest()).rejects.toMatchObject(revision)
    await expect(watched('', 1, 1)).rejects.toMatchObject(revision)
  })
}

export const readsConform = (subject: () => Subject): void => {
  describe('reads', () => reads(subject))
  describe('lists', () => lists(subject))
  describe('watches', () => watches(subject))
}
