/** What of ended invocations is forgotten, and when: on the real engine, without a mesh. */
import { expect, test, vi } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import type { DurableRecord } from '../../protocol/durable.ts'
import type { Storage } from '../../protocol/ports.ts'
import { machine } from '../../scripts/test/world.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { CALLERS, callerPrefixIn } from '../state/caller-namespaces.ts'
import type { Holdings, StateEngine, Write } from '../state/engine.ts'
import { openStorageEngine } from '../state/storage-engine.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { Forgetting, withRoom } from './forgetting.ts'
import { outcomeName, PIECES, partName, placeOf } from './names.ts'
import { piecesOf } from './pieces.ts'
import { allRecords, writeRecord } from './records.ts'

const { crypto } = machine
const DAY_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000
const FREE: Holdings = { keys: 1_000_000, bytes: 2 ** 30 }
const CALLER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const OTHER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

const cidOf = (name: string) => recordCid(crypto, encodeCanonical(name))
const recordOf = (name: string, changes: Partial<DurableRecord> = {}): DurableRecord => ({
  ...{ v: 1, function: cidOf(name), export: 'default', engine: `quickjs:${'5e41'.repeat(16)}`, level: 'self' },
  ...{ limits: { fuel: 1, memory_bytes: 0, output_bytes: 0 }, remote: false, created_ms: 0, deadline_ms: 1 },
  ...{ state: 'done', epoch: 1, journal: 0 },
  ...changes,
})
const ofCaller = (caller: string): Partial<DurableRecord> => ({ delegated: { caller, under: cidOf(caller) } })
const running = { state: 'running' } as const

let transactions = 0

class Subject {
  readonly clock = new FakeClock()
  readonly events: string[] = []
  readonly forgetting: Forgetting
  readonly engine: StateEngine
  readonly #begunMs = this.clock.now()

  private constructor(entries: StateEngine) {
    this.engine = withRoom(this.ports, entries)
    this.forgetting = new Forgetting(this.ports, this.engine)
  }

  static async open(quotaOf: (holder: string) => Holdings, storage: Storage = createMemoryStorage()) {
    const damaged = (what: string) => expect(what).toBeUndefined()
    return new Subject(await openStorageEngine({ storage, quotaOf, damaged }))
  }

  get ports() {
    return { clock: this.clock, crypto, log: { event: (name: string) => void this.events.push(name) } }
  }

  /** It ended so late behind the beginning of the test. Its pieces have so many bytes. */
  add(name: string, changes: Partial<DurableRecord> = {}, bytes = 1): Promise<void> {
    return this.write(this.writesOf(name, changes, bytes))
  }

  writesOf(name: string, changes: Partial<DurableRecord>, bytes: number): Write[] {
    const ended = changes.state === 'running' ? {} : { ended_ms: this.#begunMs + (changes.ended_ms ?? 0) }
    const [id, record] = [cidOf(name).toString(), recordOf(name, { ...changes, ...ended })]
    const pieces = piecesOf(placeOf(crypto, record), outcomeName(id), new Uint8Array(bytes))
    return [...pieces, writeRecord(id, record)]
  }

  async write(writes: readonly Write[]): Promise<void> {
    const revision = await this.engine.revision()
    await this.engine.commit({ id: `${transactions++}`, revision, reads: [], ranges: [], writes })
  }

  /** Which of them are there. */
  async those(names: readonly string[]): Promise<string[]> {
    const ids = new Set<string>()
    for await (const { id } of allRecords(this.engine)) ids.add(id)
    return names.filter((name) => ids.has(cidOf(name).toString()))
  }

  async pieces(place: string): Promise<number> {
    const { entries } = await this.engine.list(
      { namespace: place, prefix: '', limit: 1000 },
      await this.engine.revision(),
    )
    return entries.length
  }
}

const free = () => FREE

test('a home that stays up forgets what ended a week ago, and nothing that runs or that somebody who runs has called', async () => {
  const subject = await Subject.open(free)
  const parent = { invocation: cidOf('runs'), depth: 1 }
  await subject.add('runs', running)
  await subject.add('called', { parent, ended_ms: 1 })
  await subject.add('old', { ended_ms: 1 })
  await subject.add('young', { ended_ms: HOUR_MS + 1 })
  await subject.forgetting.open()
  const names = ['runs', 'called', 'old', 'young']
  await subject.clock.advance(7 * DAY_MS - HOUR_MS)
  expect(await subject.those(names)).toEqual(names)
  await subject.clock.advance(HOUR_MS + 1)
  await subject.clock.advance(HOUR_MS - 1)
  expect(await subject.those(names)).toEqual(['runs', 'called', 'young'])
  await subject.clock.advance(2 * HOUR_MS)
  expect(await subject.those(names)).toEqual(['runs', 'called'])
  expect(await subject.pieces(PIECES)).toBe(2)
  await subject.forgetting.stop()
  expect(subject.events).toEqual([])
})

test('of one caller the last 1,000 are kept, whatever another and the home itself have', async () => {
  const subject = await Subject.open(free)
  const names = Array.from({ length: 1003 }, (_, n) => `many ${n}`)
  await subject.write(names.flatMap((name, n) => subject.writesOf(name, { ...ofCaller(CALLER), ended_ms: n }, 1)))
  await subject.add('of another', ofCaller(OTHER))
  await subject.add('own')
  await subject.forgetting.open()
  expect(await subject.those(names)).toEqual(names.slice(3))
  expect(await subject.those(['of another', 'own'])).toEqual(['of another', 'own'])
  // So many have ended here that it looks at once.
  await subject.add('last', { ...ofCaller(CALLER), ended_ms: 2000 })
  for (let n = 0; n < 500; n++) subject.forgetting.ended()
  await vi.waitFor(async () => expect(await subject.those([names[3] as string, 'last'])).toEqual(['last']), 20_000)
  await subject.forgetting.stop()
})

test('one with a journal of more keys than a commit takes goes whole, its record and outcome last', async () => {
  const subject = await Subject.open(free)
  await subject.add('long')
  const id = cidOf('long').toString()
  const parts = Array.from({ length: 2500 }, (_, n) =>
    piecesOf(PIECES, partName(id, 0, n, ''), new Uint8Array(1)),
  ).flat()
  await subject.write(parts)
  await subject.clock.advance(8 * DAY_MS)
  await subject.forgetting.open()
  expect(await subject.those(['long'])).toEqual([])
  expect(await subject.pieces(PIECES)).toBe(0)
  await subject.forgetting.stop()
})

const BYTES = 1000
/** Of the keys of three pieces, too. */
const THREE = 3 * (BYTES + 150)

test.each([
  ['the home', {}, (holder: string) => holder === PIECES],
  ['a caller', ofCaller(CALLER), (holder: string) => holder !== CALLERS && callerPrefixIn(holder) === holder],
])(
  'where %s would hold too much, the oldest that has ended makes room, never one that runs',
  async (_, of, isBounded) => {
    const quotaOf = (holder: string) => (isBounded(holder) ? { keys: 1000, bytes: THREE } : FREE)
    const storage = createMemoryStorage()
    let subject = await Subject.open(quotaOf, storage)
    const others = of.delegated ? {} : ofCaller(OTHER)
    await subject.add('not its own', { ...others, ended_ms: 0 }, BYTES)
    await subject.add('runs', { ...of, ...running }, BYTES)
    for (const n of [1, 2, 3]) await subject.add(`ended ${n}`, { ...of, ended_ms: n }, BYTES)
    const names = ['not its own', 'runs', 'ended 1', 'ended 2', 'ended 3']
    expect(await subject.those(names)).toEqual(['not its own', 'runs', 'ended 2', 'ended 3'])
    // The home starts again: what is there is counted, not remembered.
    await subject.engine.close()
    subject = await Subject.open(quotaOf, storage)
    await subject.add('runs too', { ...of, ...running }, BYTES)
    expect(await subject.those(names)).toEqual(['not its own', 'runs', 'ended 3'])
    await subject.add('and this one', { ...of, ...running }, BYTES)
    const refused = { code: 'E_STATE_QUOTA', message: expect.stringContaining('none is left to be forgotten') }
    const more = () => subject.add('one too many', { ...of, ...running }, BYTES)
    await expect(more()).rejects.toMatchObject(refused)
    // Room is looked for again a second later, and not before.
    await subject.add('runs', { ...of, ended_ms: 9 }, BYTES)
    await expect(more()).rejects.toMatchObject(refused)
    await subject.clock.advance(1000)
    await more()
    const all = ['not its own', 'runs', 'runs too', 'and this one', 'one too many']
    expect(await subject.those(all)).toEqual(['not its own', 'runs too', 'and this one', 'one too many'])
  },
)

test('what all callers hold together is bounded: who has nothing to forget is refused, and no other gives way', async () => {
  const quotaOf = (holder: string) => (holder === CALLERS ? { keys: 1000, bytes: THREE } : FREE)
  const subject = await Subject.open(quotaOf)
  for (const n of [1, 2, 3]) await subject.add(`ended ${n}`, { ...ofCaller(CALLER), ended_ms: n }, BYTES)
  const refused = { code: 'E_STATE_QUOTA', message: expect.stringContaining(`of callers together (${CALLERS}*)`) }
  await expect(subject.add('of another', ofCaller(OTHER), BYTES)).rejects.toMatchObject(refused)
  await subject.add('own', {}, 10 * BYTES)
  await subject.add('ended 4', { ...ofCaller(CALLER), ended_ms: 4 }, BYTES)
  const names = ['ended 1', 'ended 2', 'ended 3', 'ended 4', 'own']
  expect(await subject.those(names)).toEqual(names.slice(1))
})

test('a quota of something else makes nobody forget', async () => {
  const quotaOf = (holder: string) => (holder === 'shop' ? { keys: 0, bytes: 0 } : FREE)
  const subject = await Subject.open(quotaOf)
  await subject.add('ended', {}, BYTES)
  const put = { namespace: 'shop', key: 'a', put: new Uint8Array(1) }
  await expect(subject.write([put])).rejects.toMatchObject({ code: 'E_STATE_QUOTA', fields: { namespace: 'shop' } })
  expect(await subject.those(['ended'])).toEqual(['ended'])
})
