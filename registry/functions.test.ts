import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type CID, rawCid, recordCid } from '../protocol/cid.ts'
import { CODE_BYTES_MAX, MODULES_MAX } from '../protocol/limits.ts'
import { Manifest } from '../protocol/records.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { FakeClock } from '../simulations/clock.ts'
import { openBlockStore } from './block-store.ts'
import { CODE_BLOCK_BYTES, type FunctionBundle, loadFunction, publishFunction } from './functions.ts'

const crypto = createCrypto()

const openStore = (budgetBytes = 2 * CODE_BYTES_MAX) =>
  openBlockStore(
    { storage: createMemoryStorage(), clock: new FakeClock(), crypto, log: { event: () => {} } },
    { budgetBytes },
  )

/** Code in which every block differs from every other. */
const codeOf = (length: number) => new Uint8Array(length).map((_, index) => (index % 251) ^ (index >> 18))

const bundleOf = (length: number, change: Partial<FunctionBundle> = {}): FunctionBundle => ({
  name: 'hello.ts',
  code: codeOf(length),
  exports: ['default'],
  effects: ['call'],
  limits: { fuel: 10_000, memory_bytes: 0, output_bytes: 100 },
  ...change,
})

/** A plain map of blocks, to load crafted ones from. */
const createBlocks = () => {
  const blocks = new Map<string, Uint8Array>()
  const add = (cid: CID, bytes: Uint8Array) => {
    blocks.set(cid.toString(), bytes)
    return cid
  }
  return {
    /** How many blocks have been fetched. */
    fetched: 0,
    add: (bytes: Uint8Array) => add(rawCid(crypto, bytes), bytes),
    addManifest: (manifest: object) => {
      const bytes = Manifest.encode(manifest as Manifest)
      return add(recordCid(crypto, bytes), bytes)
    },
    async fetch(cid: CID) {
      this.fetched++
      const bytes = blocks.get(cid.toString())
      if (!bytes) throw new Error(`no block ${cid}`)
      return bytes
    },
  }
}

const loadFrom = (store: Awaited<ReturnType<typeof openStore>>, cid: CID) =>
  loadFunction(async (part) => (await store.get(part)) ?? Promise.reject(new Error('missing')), cid)

describe('publishFunction', () => {
  test.each([1, CODE_BLOCK_BYTES - 1, CODE_BLOCK_BYTES, CODE_BLOCK_BYTES + 1, CODE_BYTES_MAX])(
    'stores code of %i bytes, which loads as it was',
    async (length) => {
      const store = await openStore()
      const { cid, manifest, blocks } = await publishFunction(crypto, store, bundleOf(length))
      expect(manifest).toMatchObject({ name: 'hello.ts', code_bytes: length })
      expect(blocks).toEqual([cid, ...manifest.code])
      expect(store.usage().blocks).toBe(blocks.length)
      const loaded = await loadFrom(store, cid)
      expect(loaded.manifest).toEqual(manifest)
      expect(Buffer.compare(loaded.code, codeOf(length))).toBe(0)
    },
  )

  test('names a function by what it is: the same on any machine, another for any change', async () => {
    const cidOf = async (change: Partial<FunctionBundle>) => {
      const bundle = bundleOf(10, { exports: ['a', 'b'], ...change })
      return (await publishFunction(crypto, await openStore(), bundle)).cid.toString()
    }
    const cid = await cidOf({})
    expect(cid).toBe('bafyreidse2jziegarklrapta47hjzpgsb5qcekijyxammfi4bv3kw4i5pq')
    expect(await cidOf({ exports: ['b', 'a', 'b'], effects: ['call', 'call'] })).toBe(cid)
    const others = [
      await cidOf({ name: 'other.ts' }),
      await cidOf({ exports: ['a'] }),
      await cidOf({ effects: [] }),
      await cidOf({ code: codeOf(11) }),
      await cidOf({ limits: { fuel: 20_000, memory_bytes: 0, output_bytes: 100 } }),
    ]
    expect(new Set([cid, ...others]).size).toBe(6)
  })

  test('stores equal blocks of code once', async () => {
    const store = await openStore()
    const bundle = bundleOf(1, { code: new Uint8Array(3 * CODE_BLOCK_BYTES) })
    const { cid, blocks } = await publishFunction(crypto, store, bundle)
    expect(blocks.length).toBe(2)
    expect((await loadFrom(store, cid)).code).toHaveLength(3 * CODE_BLOCK_BYTES)
  })

  test.each([
    ['no code', bundleOf(0)],
    ['too much code', bundleOf(CODE_BYTES_MAX + 1)],
    ['no name', bundleOf(1, { name: '' })],
    ['no export', bundleOf(1, { exports: [] })],
    ['an unknown effect', bundleOf(1, { effects: ['fly' as 'call'] })],
    ['a limit that is no integer', bundleOf(1, { limits: { fuel: 0.5, memory_bytes: 0, output_bytes: 0 } })],
    [
      'exports past the manifest',
      bundleOf(1, { exports: Array.from({ length: 256 }, (_, n) => `${n}`.padEnd(128, '-')) }),
    ],
  ])('refuses %s and stores nothing', async (_, bundle) => {
    const store = await openStore()
    await expect(publishFunction(crypto, store, bundle)).rejects.toMatchObject({ code: 'E_BUNDLE' })
    expect(store.usage().blocks).toBe(0)
  })

  test('refuses a function that the budget cannot hold whole', async () => {
    const store = await openStore(3 * CODE_BLOCK_BYTES)
    const publishing = publishFunction(crypto, store, bundleOf(3 * CODE_BLOCK_BYTES))
    await expect(publishing).rejects.toMatchObject({ code: 'E_STORAGE_FULL' })
    const smaller = await publishFunction(crypto, store, bundleOf(CODE_BLOCK_BYTES + 1))
    expect((await loadFrom(store, smaller.cid)).code).toHaveLength(CODE_BLOCK_BYTES + 1)
  })
})

describe('loadFunction refuses', () => {
  const fields = {
    v: 1,
    name: 'f',
    exports: ['default'],
    effects: [],
    limits: { fuel: 1, memory_bytes: 0, output_bytes: 0 },
    tier: 'javascript' as const,
    modules: [] as number[],
  }
  const refused = async (blocks: ReturnType<typeof createBlocks>, cid: CID) =>
    expect(loadFunction((part) => blocks.fetch(part), cid)).rejects.toMatchObject({
      code: 'E_MESSAGE',
      fields: { function: cid.toString(), message: expect.stringContaining(`${cid} is not a function`) },
    })

  test('bytes that are no manifest, and a manifest under a raw CID', async () => {
    const blocks = createBlocks()
    await refused(blocks, blocks.add(codeOf(10)))
    const code = [blocks.add(codeOf(10))]
    await refused(blocks, blocks.addManifest({ ...fields, v: 2, code, code_bytes: 10 }))
    const manifest = Manifest.encode({ ...fields, v: 1, effects: [], code, code_bytes: 10 })
    await refused(blocks, blocks.add(manifest))
  })

  test('modules that do not fit into the code, and a WebAssembly module with others behind it', async () => {
    const blocks = createBlocks()
    const code = [blocks.add(codeOf(10))]
    await refused(blocks, blocks.addManifest({ ...fields, modules: [4, 6], code, code_bytes: 10 }))
    await refused(blocks, blocks.addManifest({ ...fields, tier: 'webassembly', modules: [4], code, code_bytes: 10 }))
    const cid = blocks.addManifest({ ...fields, modules: [4, 5], code, code_bytes: 10 })
    expect((await loadFunction((part) => blocks.fetch(part), cid)).manifest.modules).toEqual([4, 5])
  })

  test('more modules than a function may carry', () => {
    const many = Array.from({ length: MODULES_MAX + 1 }, () => 1)
    const code = [recordCid(createCrypto(), codeOf(1))]
    const encoded = Manifest.encode({ ...fields, effects: [], v: 1, modules: many, code, code_bytes: 100 })
    expect(() => Manifest.decode(encoded)).toThrow('modules')
  })

  test('another number of blocks than the size of the code needs', async () => {
    const blocks = createBlocks()
    const code = [blocks.add(codeOf(5)), blocks.add(codeOf(6))]
    await refused(blocks, blocks.addManifest({ ...fields, code, code_bytes: 11 }))
    expect(blocks.fetched).toBe(1)
  })

  test('a block of code that is not raw', async () => {
    const blocks = createBlocks()
    const inner = blocks.addManifest({ ...fields, code: [blocks.add(codeOf(5))], code_bytes: 5 })
    const size = (await blocks.fetch(inner)).length
    await refused(blocks, blocks.addManifest({ ...fields, code: [inner], code_bytes: size }))
  })

  test.each([9, 11, CODE_BLOCK_BYTES + 10])('code of 10 bytes whose block has %i', async (length) => {
    const blocks = createBlocks()
    await refused(blocks, blocks.addManifest({ ...fields, code: [blocks.add(codeOf(length))], code_bytes: 10 }))
  })

  test('nothing that it could not fetch: the error of the fetch passes through', async () => {
    const blocks = createBlocks()
    const absent = rawCid(crypto, codeOf(10))
    const cid = blocks.addManifest({ ...fields, code: [absent], code_bytes: 10 })
    await expect(loadFunction((part) => blocks.fetch(part), cid)).rejects.toThrow(`no block ${absent}`)
  })
})

test('what is published loads again, whatever its code', async () => {
  const property = fc.asyncProperty(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }),
      code: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      exports: fc.array(fc.string({ minLength: 1, maxLength: 9, unit: 'grapheme-ascii' }), { minLength: 1 }),
      effects: fc.subarray<'call'>(['call']),
      limits: fc.record({
        fuel: fc.integer({ min: 1 }),
        memory_bytes: fc.nat(),
        output_bytes: fc.nat(1000),
      }),
    }),
    async (bundle) => {
      const store = await openStore()
      const { cid, manifest } = await publishFunction(crypto, store, bundle)
      const loaded = await loadFrom(store, cid)
      expect(loaded).toEqual({ manifest, code: bundle.code })
      expect(new Set(loaded.manifest.exports)).toEqual(new Set(bundle.exports))
    },
  )
  await checkProperty('publish and load', property, { runs: 200 })
})
