import { expect, test } from 'vitest'
import type { LogEventName } from '../../protocol/log.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { ACCOUNTS_MAX, Books } from './books.ts'

const portsOf = () => {
  const logged: LogEventName[] = []
  const log = { event: (name: LogEventName) => void logged.push(name) }
  return { clock: new FakeClock(), storage: createMemoryStorage(), log, logged }
}

const open = async (ports: ReturnType<typeof portsOf>) => {
  const books = new Books(ports)
  await books.load()
  return books
}

test('what has changed is on disk within seconds, and read again', async () => {
  const ports = portsOf()
  ;(await open(ports)).change('a').lent.count({ fuel: 7, gib_fuel: 1, bytes: 3 })
  expect((await open(ports)).get('a')).toBe(undefined)
  await ports.clock.advance(6000)
  expect((await open(ports)).get('a')?.lent.state.counted).toEqual({ fuel: 7, gib_fuel: 1, bytes: 3 })
})

test('the one longest unheard of is forgotten', async () => {
  const ports = portsOf()
  const books = await open(ports)
  for (let i = 0; i < ACCOUNTS_MAX; i++) books.change(`peer-${i}`)
  await books.save()
  books.change('peer-0')
  books.change('one-more')
  await books.save()
  for (const found of [books, await open(ports)]) {
    expect(found.all()).toHaveLength(ACCOUNTS_MAX)
    expect([found.get('peer-0'), found.get('peer-1')]).toEqual([expect.anything(), undefined])
  }
})

test('a record that cannot be read is said, and the others are', async () => {
  const ports = portsOf()
  await ports.storage.write([{ key: 'usage/bad', put: Uint8Array.of(1) }])
  const books = await open(ports)
  books.change('good')
  await books.save()
  expect([(await open(ports)).all().map(([peer]) => peer), ports.logged[0]]).toEqual([['good'], 'storage.failed'])
})

test('what a disk did not take is written with what comes next', async () => {
  const ports = portsOf()
  const books = await open(ports)
  const { write } = ports.storage
  ports.storage.write = () => Promise.reject(new Error('full'))
  books.change('a')
  await expect(books.keep()).rejects.toThrow('full')
  await books.save()
  expect(ports.logged).toEqual(['storage.failed', 'storage.failed'])
  ports.storage.write = write
  books.change('b')
  await books.save()
  expect((await open(ports)).all()).toHaveLength(2)
})
