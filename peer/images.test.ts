import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import type { LogEventName } from '../protocol/log.ts'
import { openBlockStore } from '../registry/block-store.ts'
import { FakeClock } from '../simulations/clock.ts'
import { Images } from './images.ts'
import { createMemoryStorage } from './storage/memory.ts'

const ENGINE = 'quickjs:one'
const file = (fill: number, length = 1000) => new Uint8Array(length).fill(fill)

const setup = async (budgetBytes = 2 ** 20) => {
  const events: LogEventName[] = []
  const log = { event: (name: LogEventName) => void events.push(name) }
  const offered = new Set<Uint8Array>()
  const offer = (frame: Uint8Array) => {
    offered.add(frame)
    return () => void offered.delete(frame)
  }
  const sandboxHost = { spawn: () => expect.unreachable(), offer }
  const ports = { crypto: createCrypto(), storage: createMemoryStorage(), clock: new FakeClock(), log, sandboxHost }
  const open = async (engine = ENGINE) => new Images(ports, await openBlockStore(ports, { budgetBytes }), [engine])
  return { ports, events, open, offered, images: await open() }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('an image', () => {
  test('is believed when a second process has made the same, and outlives the agent', async () => {
    const { images, open } = await setup()
    images.made('f', 64, file(1))
    expect(images.find('f', 64)).toBeUndefined()
    images.made('f', 64, file(1))
    expect(images.find('f', 64)).toEqual(file(1))
    await settled()
    const again = await open()
    expect(again.find('f', 64)).toBeUndefined()
    await again.warm('f')
    expect(again.find('f', 64)).toEqual(file(1))
    expect([again.find('f', 128), again.find('g', 64)]).toEqual([undefined, undefined])
  })

  test('that another process made otherwise is not, and is told of', async () => {
    const { images, events } = await setup()
    images.made('f', 64, file(1))
    images.made('f', 64, file(2))
    expect(images.find('f', 64)).toBeUndefined()
    expect(events).toEqual(['internal.error'])
    images.made('f', 64, file(2))
    expect(images.find('f', 64)).toEqual(file(2))
  })

  test('of one engine is none of another', async () => {
    const { images, open } = await setup()
    for (let i = 0; i < 2; i++) images.made('f', 64, file(1))
    await settled()
    const other = await open('quickjs:two')
    await other.warm('f')
    expect(other.find('f', 64)).toBeUndefined()
  })

  test('that storage has lost, or damaged, is made again', async () => {
    const { images, open, ports } = await setup()
    for (let i = 0; i < 2; i++) images.made('f', 64, file(1))
    await settled()
    for await (const { key, value } of ports.storage.scan('block/'))
      await ports.storage.write([{ key, put: value.map((byte) => byte ^ 1) }])
    const again = await open()
    await again.warm('f')
    expect(again.find('f', 64)).toBeUndefined()
    const left: string[] = []
    for await (const { key } of ports.storage.scan('image/')) left.push(key)
    expect(left).toEqual([])
  })

  test('is kept in memory within 32 MiB, on disk within the budget of the blocks', async () => {
    const { images, open, offered } = await setup(3 * 2 ** 20)
    for (let n = 0; n < 40; n++) for (let i = 0; i < 2; i++) images.made(`f${n}`, 64, file(n, 2 ** 20))
    const held = Array.from({ length: 40 }, (_, n) => n).filter((n) => images.find(`f${n}`, 64))
    expect(held).toEqual(Array.from({ length: 32 }, (_, i) => i + 8))
    expect([...offered].map(([n]) => n)).toEqual(held)
    await settled()
    const again = await open()
    const kept: number[] = []
    for (let n = 0; n < 40; n++) {
      await again.warm(`f${n}`)
      if (again.find(`f${n}`, 64)) kept.push(n)
    }
    expect(kept).toEqual([37, 38, 39])
  })
})
