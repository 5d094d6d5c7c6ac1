import { describe, expect, test } from 'vitest'
import { encodeCanonical } from '../protocol/codec.ts'
import type { LogEventName } from '../protocol/log.ts'
import type { StorageWrite } from '../protocol/ports.ts'
import { FakeClock } from '../simulations/clock.ts'
import { Standings } from './standings.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { PROBATION_RECEIPTS } from './trust.ts'

const machine = () => {
  const storage = createMemoryStorage()
  const writes: (readonly StorageWrite[])[] = []
  const logged: LogEventName[] = []
  const ports = {
    clock: new FakeClock(),
    storage: {
      ...storage,
      write: (batch: readonly StorageWrite[]) => {
        writes.push(batch)
        return storage.write(batch)
      },
    },
    log: { event: (name: LogEventName) => void logged.push(name) },
  }
  const open = async () => {
    const standings = new Standings(ports)
    await standings.load()
    return standings
  }
  return { ...ports, writes, logged, open }
}

const serve = (standings: Standings, peer: string, receipts: number) => {
  for (let i = 0; i < receipts; i++) {
    standings.received(peer)
    standings.right(peer, false)
  }
}

describe('the standing of an executor', () => {
  test('begins with probation, which so many right receipts end', async () => {
    const standings = await machine().open()
    expect(standings.of('one')).toEqual({ receipts: 0, audited: 0, caught: 0, corrected: 0, state: 'probation' })
    serve(standings, 'one', PROBATION_RECEIPTS - 1)
    expect([standings.of('one').state, standings.probationLeft('one')]).toEqual(['probation', 1])
    serve(standings, 'one', 1)
    expect(standings.of('one')).toMatchObject({ receipts: PROBATION_RECEIPTS, state: 'trusted' })
    expect(standings.probationLeft('one')).toBe(0)
  })

  test('is probation again after a wrong one, however good those are that are checked again', async () => {
    const standings = await machine().open()
    serve(standings, 'one', PROBATION_RECEIPTS)
    standings.wrong('one', false)
    standings.suspend('one')
    expect(standings.of('one').state).toBe('suspended')
    for (let i = 0; i < 100; i++) standings.right('one', true)
    standings.wrong('one', true)
    standings.restore('one')
    expect(standings.of('one')).toMatchObject({ caught: 2, corrected: 1, audited: 152, state: 'probation' })
  })

  test('is suspended until every suspicion is settled', async () => {
    const standings = await machine().open()
    standings.suspend('one')
    standings.suspend('one')
    standings.restore('one')
    expect([standings.isSuspended('one'), standings.of('one').state]).toEqual([true, 'suspended'])
    standings.restore('one')
    standings.restore('one')
    expect(standings.isSuspended('one')).toBe(false)
    standings.suspend('one')
    expect(standings.isSuspended('one')).toBe(true)
  })

  test('is expelled for good after six', async () => {
    const standings = await machine().open()
    for (let i = 0; i < 6; i++) standings.wrong('one', false)
    standings.restore('one')
    serve(standings, 'one', 1000)
    expect(standings.of('one').state).toBe('expelled')
    expect(standings.isSuspended('one')).toBe(true)
  })
})

describe('over a restart', () => {
  test('it is kept; who was suspended then is on probation', async () => {
    const { open } = machine()
    const before = await open()
    serve(before, 'trusted', PROBATION_RECEIPTS + 9)
    before.wrong('caught', true)
    before.suspend('caught')
    for (let i = 0; i < 6; i++) before.wrong('expelled', false)
    await before.save()
    const after = await open()
    expect(after.of('trusted')).toEqual(before.of('trusted'))
    expect(after.of('caught')).toEqual({ ...before.of('caught'), state: 'probation' })
    expect(after.isExpelled('expelled')).toBe(true)
    for (let i = 0; i < 5; i++) after.wrong('caught', false)
    expect(after.isExpelled('caught')).toBe(true)
  })

  test('a record that cannot be read is logged, deleted, and as if it had never been', async () => {
    const { open, storage, logged } = machine()
    await storage.write([{ key: 'trust/one', put: encodeCanonical({ v: 1, receipts: -1 }) }])
    const standings = await open()
    expect(logged).toEqual(['storage.failed'])
    expect(standings.of('one').state).toBe('probation')
    await standings.save()
    expect(await storage.get('trust/one')).toBeUndefined()
  })
})

describe('what is written', () => {
  test('comes in batches, a wrong receipt at once', async () => {
    const { open, clock, writes } = machine()
    const standings = await open()
    for (const peer of ['one', 'two']) serve(standings, peer, 100)
    expect(writes).toEqual([])
    await clock.advance(5000)
    expect(writes.map((batch) => batch.map(({ key }) => key))).toEqual([['trust/one', 'trust/two']])
    serve(standings, 'one', 1)
    standings.wrong('two', false)
    expect(writes).toHaveLength(2)
    await clock.advance(60_000)
    expect(writes).toHaveLength(2)
  })

  test('is bounded: the one longest unheard of is forgotten, on disk too', async () => {
    const { open, storage } = machine()
    const standings = await open()
    for (let i = 0; i < 4096; i++) standings.received(`peer-${i}`)
    await standings.save()
    standings.received('peer-0')
    standings.received('one-more')
    await standings.save()
    let kept = 0
    for await (const _ of storage.scan('trust/')) kept++
    expect(kept).toBe(4096)
    expect(await storage.get('trust/peer-1')).toBeUndefined()
    expect((await open()).of('peer-0').receipts).toBe(2)
  })

  test('a storage that fails is logged and stops nothing', async () => {
    const { open, storage, logged } = machine()
    const standings = await open()
    await storage.close()
    standings.wrong('one', false)
    await standings.save()
    await new Promise((resolve) => setImmediate(resolve))
    expect(logged).toContain('storage.failed')
    expect(standings.of('one').caught).toBe(1)
  })
})
