import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Storage } from '../../protocol/ports.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const keysOf = async (storage: Storage, prefix: string) => {
  const keys: string[] = []
  for await (const { key } of storage.scan(prefix)) keys.push(key)
  return keys
}

const readsAndWrites = (storage: () => Storage) => {
  test('gives back what was put, and undefined for what was not', async () => {
    await storage().write([{ key: 'a', put: bytes(1, 2, 3) }])
    expect(await storage().get('a')).toEqual(bytes(1, 2, 3))
    expect(await storage().get('b')).toBeUndefined()
  })

  test('gives many, in the order in which they are asked for', async () => {
    await storage().write(['a', 'b', 'c'].map((key, index) => ({ key, put: bytes(index) })))
    expect(await storage().getMany(['c', 'x', 'a', 'c'])).toEqual([bytes(2), undefined, bytes(0), bytes(2)])
    expect(await storage().getMany([])).toEqual([])
  })

  test('values are plain bytes, the empty one included', async () => {
    await storage().write([{ key: 'empty', put: bytes() }])
    const value = await storage().get('empty')
    expect(value).toEqual(bytes())
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype)
  })

  test('puts again, deletes, and deletes what is not there', async () => {
    await storage().write([{ key: 'a', put: bytes(1) }])
    await storage().write([{ key: 'a', put: bytes(2) }], { durable: true })
    expect(await storage().get('a')).toEqual(bytes(2))
    await storage().write([
      { key: 'a', delete: true },
      { key: 'never', delete: true },
    ])
    expect(await storage().get('a')).toBeUndefined()
  })

  test('the last of several writes to one key counts', async () => {
    await storage().write([
      { key: 'a', put: bytes(1) },
      { key: 'a', put: bytes(2) },
      { key: 'b', put: bytes(1) },
      { key: 'b', delete: true },
    ])
    expect(await storage().get('a')).toEqual(bytes(2))
    expect(await storage().get('b')).toBeUndefined()
  })

  test('keeps its own copy of a value', async () => {
    const value = bytes(1)
    const written = storage().write([{ key: 'a', put: value }])
    await written
    value[0] = 9
    const read = await storage().get('a')
    read![0] = 8
    expect(await storage().get('a')).toEqual(bytes(1))
  })

  test('a megabyte of value, a thousand writes at once', async () => {
    const big = new Uint8Array(2 ** 20).map((_, index) => index % 251)
    const small = Array.from({ length: 1000 }, (_, index) => ({ key: `many/${index}`, put: bytes(index % 256) }))
    await storage().write([{ key: 'big', put: big }, ...small])
    expect(await storage().get('big')).toEqual(big)
    expect(await storage().get('many/999')).toEqual(bytes(231))
  })
}

const scans = (storage: () => Storage) => {
  test('gives the entries of a prefix, and only those, in byte order', async () => {
    const keys = ['b/10', 'b/9', 'b/', 'b', 'a/1', 'b0', 'b/Z', 'b/a', 'b/~', 'c/1']
    await storage().write(keys.map((key) => ({ key, put: bytes(key.length) })))
    expect(await keysOf(storage(), 'b/')).toEqual(['b/', 'b/10', 'b/9', 'b/Z', 'b/a', 'b/~'])
    expect(await keysOf(storage(), '')).toEqual([...keys].sort())
    expect(await keysOf(storage(), 'd')).toEqual([])
    for await (const { key, value } of storage().scan('')) expect(value).toEqual(bytes(key.length))
  })

  test('sees the state at its beginning', async () => {
    await storage().write(['a', 'b', 'c'].map((key) => ({ key, put: bytes(1) })))
    const seen: string[] = []
    for await (const { key, value } of storage().scan('')) {
      if (key === 'a')
        await storage().write([
          { key: 'b', delete: true },
          { key: 'c', put: bytes(2) },
          { key: 'd', put: bytes(2) },
        ])
      seen.push(`${key}${value[0]}`)
    }
    expect(seen).toEqual(['a1', 'b1', 'c1'])
    expect(await keysOf(storage(), '')).toEqual(['a', 'c', 'd'])
  })

  test('gives what is behind a key, and no more than is asked for', async () => {
    await storage().write(['b/1', 'b/2', 'b/3', 'b/4', 'c'].map((key) => ({ key, put: bytes(1) })))
    const found = async (prefix: string, after: string, limit?: number) => {
      const keys: string[] = []
      for await (const { key } of storage().scan(prefix, { after, limit })) keys.push(key)
      return keys
    }
    expect(await found('b/', 'b/2')).toEqual(['b/3', 'b/4'])
    expect(await found('b/', 'b/2', 1)).toEqual(['b/3'])
    expect(await found('b/', 'b/21', 9)).toEqual(['b/3', 'b/4'])
    expect(await found('b/', 'a', 2)).toEqual(['b/1', 'b/2'])
    expect(await found('b/', 'b/4')).toEqual([])
    expect(await found('b/', 'c')).toEqual([])
    expect(await found('', 'b/4')).toEqual(['c'])
  })

  test('may be left early', async () => {
    await storage().write(Array.from({ length: 5000 }, (_, index) => ({ key: `k${index}`, put: bytes(0) })))
    for await (const { key } of storage().scan('k')) {
      expect(key).toBe('k0')
      break
    }
    expect(await keysOf(storage(), 'k')).toHaveLength(5000)
  })
}

const refusals = (storage: () => Storage, reopen: (plan: string) => Promise<Storage>) => {
  test.each(['', 'with space', 'ümlaut', '\u0000', 'x'.repeat(1025)])(
    'refuses the key %j and writes nothing',
    async (key) => {
      const write = storage().write([
        { key: 'fine', put: bytes(1) },
        { key, put: bytes(1) },
      ])
      await expect(write).rejects.toMatchObject({ code: 'E_INTERNAL' })
      expect(await keysOf(storage(), '')).toEqual([])
    },
  )

  test('says E_STORAGE once it is closed; closing twice does nothing', async () => {
    await storage().close()
    await storage().close()
    const failed = { code: 'E_STORAGE' }
    await expect(storage().get('a')).rejects.toMatchObject(failed)
    await expect(storage().getMany(['a'])).rejects.toMatchObject(failed)
    await expect(storage().write([{ key: 'a', put: bytes(1) }])).rejects.toMatchObject(failed)
    await expect(keysOf(storage(), '')).rejects.toMatchObject(failed)
  })

  test('fails at its fail points, and not otherwise', async () => {
    await storage().close()
    const plan = 'storage.write=throw@2,storage.get=throw@1,storage.scan=throw@1'
    const failing = await reopen(plan)
    const failed = { code: 'E_STORAGE' }
    await failing.write([{ key: 'a', put: bytes(1) }])
    await expect(failing.write([{ key: 'a', put: bytes(2) }])).rejects.toMatchObject(failed)
    await expect(failing.get('a')).rejects.toMatchObject(failed)
    await expect(keysOf(failing, '')).rejects.toMatchObject(failed)
    expect(await failing.get('a')).toEqual(bytes(1))
    await failing.close()
  })
}

/**
 * What every adapter of the Storage port does. `open` gives an empty one each time the one before is closed; `plan` is for
 * its fail points.
 */
export const storageConformance = (name: string, open: (plan: string) => Promise<Storage>): void => {
  describe(`storage: ${name}`, () => {
    let current: Storage
    beforeEach(async () => {
      current = await open('')
    })
    afterEach(() => current.close())

    describe('reads and writes', () => readsAndWrites(() => current))
    describe('scans', () => scans(() => current))
    describe('refusals', () => refusals(() => current, open))
  })
}
