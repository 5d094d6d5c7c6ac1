/** What the ports of a page do, in each browser. */
import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCrypto, createSigner } from '../../node/crypto.ts'
import { systemRandom } from '../../node/random.ts'
import { storageConformance } from '../../peer/storage/conformance.ts'
import type { Storage } from '../../protocol/ports.ts'
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import type { RunningBrowser } from '../../scripts/browser/launch.ts'
import type { WrittenWrite } from './ports-page.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
/** As a browser's page gives them: no Buffer. */
const bytes = (encoded: string) => new Uint8Array(Buffer.from(encoded, 'base64'))

/** The Storage of a page, as if it were here. */
const storageIn = (page: Page): Storage => ({
  get: async (key) => {
    const value = await callIn<string | undefined>(page, 'ports.stored.get', key)
    return value === undefined ? undefined : bytes(value)
  },
  getMany: async (keys) => {
    const values = await callIn<(string | null)[]>(page, 'ports.stored.getMany', keys)
    return values.map((value) => (value === null ? undefined : bytes(value)))
  },
  write: (writes, { durable = false } = {}) => {
    const written = writes.map((write): WrittenWrite => ('put' in write ? { ...write, put: text(write.put) } : write))
    return callIn(page, 'ports.stored.write', written, durable)
  },
  scan: async function* (prefix, options = {}) {
    await callIn(page, 'ports.stored.scan', prefix, options)
    // More and more at once: what is written after the first entry is not to be seen.
    for (let count = 1; ; count *= 4) {
      const entries = await callIn<{ key: string; value: string }[]>(page, 'ports.stored.next', count)
      for (const { key, value } of entries) yield { key, value: bytes(value) }
      if (entries.length < count) return
    }
  },
  close: () => callIn(page, 'ports.stored.close'),
})

interface Identity {
  publicKey: string
  verdicts: boolean[]
}

const identities = (page: () => Page) => {
  test('the key survives a reload, signs, and cannot be read out', async () => {
    expect(await callIn(page(), 'ports.identity.native')).toBe(true)
    const first = await callIn<Identity>(page(), 'ports.identity.open', 'kept')
    expect(first.verdicts).toEqual([true, true])
    await page().reload()
    expect(await callIn<Identity>(page(), 'ports.identity.open', 'kept')).toEqual(first)
    expect(await callIn(page(), 'ports.identity.stolen', 'kept')).toEqual(Array(3).fill('InvalidAccessError'))
    await callIn(page(), 'ports.identity.erase', 'kept')
    expect(await callIn<Identity>(page(), 'ports.identity.open', 'kept')).not.toEqual(first)
  })

  test('a browser without Ed25519 keeps a seed', async () => {
    const first = await callIn<Identity>(page(), 'ports.identity.open', 'seed', false)
    expect(first.verdicts).toEqual([true, true])
    expect(await callIn<Identity>(page(), 'ports.identity.open', 'seed', true)).toEqual(first)
  })
}

const numbers = (page: () => Page) => {
  test('hashes as Node does', async () => {
    for (const length of [0, 1, 1000]) {
      const hashed = systemRandom.bytes(length)
      const expected = createHash('sha256').update(hashed).digest('base64')
      expect(await callIn(page(), 'ports.numbers.hash', text(hashed))).toBe(expected)
    }
  })

  test.each([true, false])('verifies as Node does (by WebCrypto: %s)', async (native) => {
    const signer = createSigner(systemRandom.bytes(32))
    const message = systemRandom.bytes(100)
    const signature = (await signer.sign(message)) as Uint8Array
    const flipped = signature.with(3, (signature[3] as number) ^ 1)
    const cases = [
      [signer.publicKey, message, signature],
      [signer.publicKey, message.subarray(1), signature],
      [signer.publicKey, message, flipped],
      [signer.publicKey, message, signature.subarray(1)],
      [signer.publicKey.subarray(1), message, signature],
      [new Uint8Array(32).fill(255), message, signature],
    ] as [Uint8Array, Uint8Array, Uint8Array][]
    for (const given of cases) {
      const expected = await createCrypto().verify(...given)
      expect(await callIn(page(), 'ports.numbers.verify', native, given.map(text))).toBe(expected)
    }
  })

  test('draws evenly, and as many bytes as are asked for', async () => {
    const drawn = await callIn<number[]>(page(), 'ports.numbers.drawn', 3, 3000)
    // Six standard deviations of a third of 3,000.
    for (const value of [0, 1, 2])
      expect(Math.abs(drawn.filter((one) => one === value).length - 1000)).toBeLessThan(155)
    const many = bytes(await callIn(page(), 'ports.numbers.bytes', 200_000))
    expect(many.length).toBe(200_000)
    expect(many.subarray(199_000).some((byte) => byte !== 0)).toBe(true)
  })
}

export const testPorts = (browser: () => RunningBrowser): void => {
  let server: { url: string; close(): void }
  let opened: Page
  beforeAll(async () => {
    server = await serveEntry(new URL('./ports-page.ts', import.meta.url))
    opened = await browser().open(server.url)
  })
  afterAll(() => server.close())
  const page = () => opened

  storageConformance('in a page', async (plan) => {
    await callIn(page(), 'ports.stored.open', plan)
    return storageIn(page())
  })

  test('a storage that is closed has written all: the page may go away at once', async () => {
    await callIn(page(), 'ports.stored.open', '')
    expect(await callIn(page(), 'ports.stored.closing')).toBe(true)
  })

  describe('identity', () => identities(page))
  describe('crypto and random', () => numbers(page))

  test.each([false, true])('timers fire in order and in time, also in a page that nobody sees (%s)', async (hidden) => {
    const fired = await callIn<{ order: number[]; lateMs: number; cancelled: boolean }>(page(), 'ports.fire', hidden)
    expect(fired).toMatchObject({ order: [0, 5, 40, 60], cancelled: true })
    expect(fired.lateMs).toBeLessThan(400)
  })
}
