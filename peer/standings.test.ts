import { describe, expect, test } from 'vitest'
import { encodeCanonical } from '../protocol/codec.ts'
import type { LogEventName } from '../protocol/log.ts'
import type { StorageWrite } from '../protocol/ports.ts'
import { FakeClock } from '../simulations/clock.ts'
import { CHARGED_MAX } from './charges.ts'
import { Standings } from './standings.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { PROBATION_RECEIPTS, RIGHTS_A_CHARGE, RIGHTS_MAKE_UP } from './trust.ts'

/** Who let all of them in, and who that one. */
const LINE = ['member', 'founder']

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
    const standings = new Standings(ports, (peer) => ({ line: [peer, ...LINE] }))
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
    expect(standings.of('one')).toEqual({
      receipts: 0,
      audited: 0,
      caught: 0,
      corrected: 0,
      state: 'probation',
      left: 50,
    })
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

/** Trusted, caught, and then found to have lied in what it was trusted with. */
const betray = (standings: Standings, peer: string) => {
  serve(standings, peer, standings.probationLeft(peer))
  expect(standings.of(peer).state).toBe('trusted')
  standings.wrong(peer, false)
  for (let i = 0; i < 5; i++) standings.wrong(peer, true)
  expect(standings.isExpelled(peer)).toBe(true)
}

describe('those who let in an expelled one', () => {
  test('answer for it once, and their newcomers are audited for longer', async () => {
    const standings = await machine().open()
    serve(standings, 'old', RIGHTS_A_CHARGE)
    serve(standings, 'young', PROBATION_RECEIPTS)
    betray(standings, 'liar')
    standings.wrong('liar', true)
    expect(['liar', ...LINE].map((one) => standings.chargesOf(one))).toEqual([1, 1, 0.5])
    expect(['old', 'young', 'new'].map((one) => standings.of(one).left)).toEqual([0, 50, RIGHTS_A_CHARGE])
    betray(standings, 'second')
    expect(standings.probationLeft('new')).toBeGreaterThan(1.9 * RIGHTS_A_CHARGE)
  })

  test('answer for none that was expelled before it was ever trusted', async () => {
    const standings = await machine().open()
    for (let i = 0; i < 6; i++) standings.wrong('one', false)
    standings.proven('home')
    expect(standings.chargesOf('member')).toBe(0)
  })

  test('are let off as their guests go on giving right receipts', async () => {
    const standings = await machine().open()
    betray(standings, 'liar')
    serve(standings, 'old', RIGHTS_MAKE_UP + 1)
    expect(['liar', ...LINE].map((one) => standings.chargesOf(one))).toEqual([1, 0, 0])
    expect(standings.probationLeft('new')).toBe(PROBATION_RECEIPTS)
  })

  test('answer over a restart; a record that cannot be read is deleted', async () => {
    const { open, storage, logged } = machine()
    const before = await open()
    betray(before, 'liar')
    serve(before, 'old', 100)
    await before.save()
    await storage.write([{ key: 'charges/broken', put: encodeCanonical({ v: 1, charges: -1 }) }])
    const after = await open()
    for (const one of LINE) expect([one, after.chargesOf(one)]).toEqual([one, before.chargesOf(one)])
    expect(logged).toEqual(['storage.failed'])
    serve(after, 'old', RIGHTS_MAKE_UP)
    await after.save()
    for (const one of ['member', 'founder', 'broken']) expect(await storage.get(`charges/${one}`)).toBeUndefined()
  })

  test('are forgotten, the one charged longest ago first, on disk too', async () => {
    const { open, storage } = machine()
    const standings = await open()
    const betrayals = CHARGED_MAX - LINE.length
    for (let i = 0; i < betrayals; i++) {
      for (let j = 0; j < 6; j++) standings.wrong(`liar-${i}`, true)
    }
    expect(standings.chargesOf('liar-0')).toBe(1)
    for (let j = 0; j < 6; j++) standings.wrong('last', true)
    expect(['liar-0', 'liar-1', 'last'].map((one) => standings.chargesOf(one))).toEqual([0, 1, 1])
    expect(standings.chargesOf('member')).toBe(betrayals + 1)
    await standings.save()
    let kept = 0
    for await (const _ of storage.scan('charges/')) kept++
    expect(kept).toBe(CHARGED_MAX)
  })
})

describe('over a restart', () => {
  test('it is kept; who was suspended then is on probation', async () => {
    const { open } = machine()
    const before = await open()
    serve(before, 'trusted', PROBATION_RECEIPTS + 9)
    before.wrong('caught', true, true)
    before.suspend('caught')
    for (let i = 0; i < 6; i++) before.wrong('expelled', false)
    await before.save()
    const after = await open()
    expect(after.of('trusted')).toEqual(before.of('trusted'))
    expect(after.of('caught')).toEqual({ ...before.of('caught'), state: 'probation' })
    expect(after.isExpelled('expelled')).toBe(true)
    expect(['trusted', 'caught', 'expelled'].map((one) => after.hasLiedAlike(one))).toEqual([false, true, false])
    for (let i = 0; i < 5; i++) after.wrong('caught', false)
    expect(after.isExpelled('caught')).toBe(true)
  })

  test('a record of before, which did not say who lied alike, is read', async () => {
    const { open, storage } = machine()
    const counts = { receipts: 60, audited: 60, caught: 0, corrected: 0, probation: 60, silenced: 0 }
    await storage.write([{ key: 'trust/one', put: encodeCanonical({ v: 1, ...counts, suspicion: 0 }) }])
    const standings = await open()
    expect(standings.of('one')).toMatchObject({ receipts: 60, state: 'trusted' })
    expect(standings.hasLiedAlike('one')).toBe(false)
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
