/** In a page: its ports, one by one, for questions from a test. Bytes cross as base64. */
import { planFailPoints } from '../../protocol/fail-points.ts'
import type { Signer, Storage, StorageScan, StorageWrite } from '../../protocol/ports.ts'
import { createPageClock } from '../clock.ts'
import { createPageCrypto, hasNativeEd25519 } from '../crypto.ts'
import { erasePageDatabase, KEYS, openPageDatabase } from '../database.ts'
import { openIdentity } from '../identity.ts'
import { pageRandom } from '../random.ts'
import { createPageStorage } from '../storage.ts'

const toBytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
const toText = (bytes: Uint8Array) => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

export type WrittenWrite = { key: string; put: string } | { key: string; delete: true }

let database = 0
let storage: Storage
let scan: AsyncIterator<{ key: string; value: Uint8Array }>

const stored = {
  open: async (plan: string) => {
    database++
    await erasePageDatabase(`conformance-${database}`)
    storage = createPageStorage(
      await openPageDatabase(`conformance-${database}`),
      planFailPoints(plan, () => {}),
    )
  },
  get: async (key: string) => {
    const value = await storage.get(key)
    return value && toText(value)
  },
  getMany: async (keys: string[]) => (await storage.getMany(keys)).map((value) => (value ? toText(value) : null)),
  write: (writes: WrittenWrite[], durable: boolean) =>
    storage.write(
      writes.map((write): StorageWrite => ('put' in write ? { ...write, put: toBytes(write.put) } : write)),
      { durable },
    ),
  scan: async (prefix: string, options: StorageScan) => {
    scan = storage.scan(prefix, options)[Symbol.asyncIterator]()
  },
  /** Up to `count` more. */
  next: async (count: number) => {
    const entries: { key: string; value: string }[] = []
    while (entries.length < count) {
      const { done, value } = await scan.next()
      if (done) break
      entries.push({ key: value.key, value: toText(value.value) })
    }
    return entries
  },
  close: () => storage.close(),
  /** Is what was begun in the same turn written once it is closed? */
  closing: async () => {
    let written = false
    const write = storage.write([{ key: 'last', put: Uint8Array.of(1) }]).then(() => {
      written = true
    })
    await storage.close()
    const wasWritten = written
    await write
    return wasWritten
  },
}

const native = () => hasNativeEd25519(crypto.subtle)

const described = async (signer: Signer) => {
  const bytes = Uint8Array.of(1, 2, 3)
  const signature = await signer.sign(bytes)
  const verdicts = [true, false].map((by) => createPageCrypto(by).verify(signer.publicKey, bytes, signature))
  return { publicKey: toText(signer.publicKey), verdicts: await Promise.all(verdicts) }
}

const identity = {
  native,
  /** Its key, which signs what both ways of verifying take. */
  open: async (name: string, asIfNative?: boolean) =>
    described(await openIdentity(await openPageDatabase(name), asIfNative ?? (await native()))),
  /** What can be read out of the private key that is kept. */
  stolen: async (name: string) => {
    const kept = await (await openPageDatabase(name)).read<[{ pair: CryptoKeyPair }]>(KEYS, (store) => [
      store.get('own'),
    ])
    const { privateKey } = kept[0].pair
    const formats = ['raw', 'pkcs8', 'jwk'] as const
    return Promise.all(
      formats.map((format) => crypto.subtle.exportKey(format, privateKey).then(String, ({ name }) => name)),
    )
  },
  erase: erasePageDatabase,
}

const numbers = {
  hash: (text: string) => toText(createPageCrypto(false).hash(toBytes(text))),
  verify: (by: boolean, [publicKey, bytes, signature]: [string, string, string]) =>
    createPageCrypto(by).verify(toBytes(publicKey), toBytes(bytes), toBytes(signature)),
  drawn: (limit: number, count: number) => Array.from({ length: count }, () => pageRandom.below(limit)),
  bytes: (length: number) => toText(pageRandom.bytes(length)),
}

/** In which order timers fire, and the longest that one was late; as a page that is seen, or is not. */
const fire = async (hidden: boolean): Promise<{ order: number[]; lateMs: number; cancelled: boolean }> => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
  const clock = createPageClock('/worker.js')
  let cancelled = true
  const stop = clock.after(20, () => {
    cancelled = false
  })
  const order: number[] = []
  let lateMs = 0
  const all = [60, 5, 0, 40].map(
    (delayMs) =>
      new Promise<void>((resolve) => {
        const from = clock.monotonic()
        clock.after(delayMs, () => {
          order.push(delayMs)
          lateMs = Math.max(lateMs, clock.monotonic() - from - delayMs)
          resolve()
        })
      }),
  )
  stop()
  await Promise.all(all)
  return { order, lateMs, cancelled }
}

const ports = { stored, identity, numbers, fire }
export type PortsPage = typeof ports
Object.assign(globalThis, { ports })
